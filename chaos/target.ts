/**
 * A process of the product that faults are injected into: killed, stopped or suspended, and started again. It never
 * outlives the run, gets only the environment it is given, and remembers each exit that no fault explains.
 *
 * TARGET-1 One process at a time: a start waits for the exit of the one before.
 * TARGET-2 No process is started after `close`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startBoundChild } from '../src/embedded/bound-child.js';
import type { BoundChild } from '../src/embedded/bound-child.js';

/** Milliseconds until a started process handles signals, on a busy machine. */
const SIGNAL_READY_MS = 10_000;

/** Until a process that ended by itself is started again. */
const SUPERVISED_MS = 1_000;

interface TargetOptions {
  /** The words before a command that say where it runs. */
  inside?: readonly string[];
  /** Told why it ended by itself; it is then started again, as the supervisor of a host does. Null: its end is a finding. */
  supervised?: ((line: string) => void) | null;
}

export class Target {
  readonly name: string;
  readonly #words: readonly string[];
  #running: BoundChild | null = null;
  #busy = false;
  /** Exits that no fault explains, with the last lines of output. */
  readonly unexplained: string[] = [];
  #lines: string[] = [];
  #isExpected = false;
  #listensAt = Infinity;
  #isClosed = false;
  readonly #supervised: ((line: string) => void) | null;

  constructor(
    name: string,
    command: readonly string[],
    env: Readonly<Record<string, string>>,
    { inside = [], supervised = null }: TargetOptions = {},
  ) {
    this.name = name;
    const given = Object.entries(env).map(([variable, value]) => `${variable}=${value}`);
    // env -i: a user's settings, above all the token that pays, never reach a chaos run.
    this.#words = [...inside, '/usr/bin/env', '-i', ...given, ...command];
    this.#supervised = supervised;
  }

  async start(): Promise<void> {
    if (this.#running !== null || this.#isClosed) return; // TARGET-2
    const [program = '', ...words] = this.#words;
    this.#isExpected = false;
    const running = await startBoundChild(program, words, (line) => {
      this.#lines = [...this.#lines, line].slice(-40);
    });
    this.#running = running;
    this.#listensAt = Date.now() + SIGNAL_READY_MS;
    void running.exited.then((how) => {
      if (this.#running === running) this.#running = null;
      if (this.#isExpected) return;
      const words = `${this.name} ended by itself (${how}): ${this.lastOutput}`;
      if (this.#supervised === null) this.unexplained.push(words);
      else void this.#startAgain(words, this.#supervised);
    });
  }

  async #startAgain(words: string, tell: (line: string) => void): Promise<void> {
    tell(words);
    await sleep(SUPERVISED_MS);
    if (!this.#busy) await this.start();
  }

  /** The end of its output: the message of a crash stands above its stack. */
  get lastOutput(): string {
    return this.#lines.join(' / ').slice(0, 4000);
  }

  /** Neither down nor in the middle of a fault. */
  get isUp(): boolean {
    return this.#running !== null && !this.#busy;
  }

  /** Sends a signal that does not end it. False when it is down, or may not handle signals yet. */
  signal(signal: 'SIGUSR2'): boolean {
    if (this.#running === null || this.#busy || Date.now() < this.#listensAt) return false;
    return process.kill(this.#running.pid, signal);
  }

  /** Ends or suspends the process, and starts or continues it after `down` seconds. False when it is down, or a fault is under way. */
  async inject(
    signal: 'SIGKILL' | 'SIGTERM' | 'SIGQUIT' | 'SIGSTOP',
    down: number,
  ): Promise<boolean> {
    const running = this.#running;
    if (running === null || this.#busy) return false;
    this.#busy = true;
    try {
      if (signal === 'SIGSTOP') {
        process.kill(running.pid, 'SIGSTOP');
        await sleep(down * 1000);
        process.kill(running.pid, 'SIGCONT');
        return true;
      }
      this.#isExpected = true;
      process.kill(running.pid, signal);
      await running.exited; // TARGET-1
      await sleep(down * 1000);
      await this.start();
      return true;
    } finally {
      this.#busy = false;
    }
  }

  /** Running, once the fault under way is over. */
  async ensureRunning(): Promise<void> {
    while (this.#busy) await sleep(100);
    await this.start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isExpected = true;
    await this.#running?.close();
  }
}
