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

export class Target {
  readonly name: string;
  readonly #script: string;
  readonly #words: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #running: BoundChild | null = null;
  #busy = false;
  /** Exits that no fault explains, with the last lines of output. */
  readonly unexplained: string[] = [];
  #lines: string[] = [];
  #isExpected = false;
  #listensAt = Infinity;
  #isClosed = false;

  constructor(
    name: string,
    [script, ...words]: readonly [string, ...string[]],
    env: Readonly<Record<string, string>>,
  ) {
    this.name = name;
    this.#script = script;
    this.#words = words;
    this.#env = env;
  }

  async start(): Promise<void> {
    if (this.#running !== null || this.#isClosed) return; // TARGET-2
    const given = Object.entries(this.#env).map(([name, value]) => `${name}=${value}`);
    // env -i: a user's settings, above all the token that pays, never reach a chaos run.
    const words = ['-i', ...given, process.execPath, this.#script, ...this.#words];
    this.#isExpected = false;
    const running = await startBoundChild('/usr/bin/env', words, (line) => {
      this.#lines = [...this.#lines, line].slice(-40);
    });
    this.#running = running;
    this.#listensAt = Date.now() + SIGNAL_READY_MS;
    void running.exited.then((how) => {
      if (this.#running === running) this.#running = null;
      if (!this.#isExpected) {
        this.unexplained.push(`${this.name} ended by itself (${how}): ${this.lastOutput}`);
      }
    });
  }

  /** The end of its output: the message of a crash stands above its stack. */
  get lastOutput(): string {
    return this.#lines.join(' / ').slice(0, 4000);
  }

  /** Sends a signal that does not end it. False when it is down, or may not handle signals yet. */
  signal(signal: 'SIGUSR2'): boolean {
    if (this.#running === null || this.#busy || Date.now() < this.#listensAt) return false;
    return process.kill(this.#running.pid, signal);
  }

  /** Ends or suspends the process, and starts or continues it after `down` seconds. False when it is down, or a fault is under way. */
  async inject(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP', down: number): Promise<boolean> {
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
