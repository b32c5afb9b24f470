/**
 * A process of the product that is struck and started again. It never outlives the run (bound-child.ts), hears no
 * environment but what it is given, and an end that nobody caused is remembered.
 *
 * V1 One process at a time: a start waits for the end of the one before.
 * V2 Nothing is started once it is closed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startBoundChild } from '../src/embedded/bound-child.js';
import type { BoundChild } from '../src/embedded/bound-child.js';

/** Milliseconds until a process that was started listens to signals, on a machine that is busy. */
const YOUTH = 10_000;

export class Victim {
  readonly name: string;
  readonly #script: string;
  readonly #words: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #running: BoundChild | null = null;
  #busy = false;
  /** Ends that no blow explains, with the last words. */
  readonly unexplained: string[] = [];
  #lastWords: string[] = [];
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
    if (this.#running !== null || this.#isClosed) return; // V2
    const given = Object.entries(this.#env).map(([name, value]) => `${name}=${value}`);
    // env -i: a person's settings, least of all the token that pays, never reach a chaos run.
    const words = ['-i', ...given, process.execPath, this.#script, ...this.#words];
    this.#isExpected = false;
    const running = await startBoundChild('/usr/bin/env', words, (line) => {
      this.#lastWords = [...this.#lastWords, line].slice(-40);
    });
    this.#running = running;
    this.#listensAt = Date.now() + YOUTH;
    void running.exited.then((how) => {
      if (this.#running === running) this.#running = null;
      if (!this.#isExpected) {
        this.unexplained.push(`${this.name} ended by itself (${how}): ${this.lastWords}`);
      }
    });
  }

  /** All that are kept: what a crash says of itself stands above its stack. */
  get lastWords(): string {
    return this.#lastWords.join(' / ').slice(0, 4000);
  }

  /** Sends a signal that it lives on with. False when it is down, or so young that it may not listen yet. */
  tell(signal: 'SIGUSR2'): boolean {
    if (this.#running === null || this.#busy || Date.now() < this.#listensAt) return false;
    return process.kill(this.#running.pid, signal);
  }

  /** Strikes, waits `down` seconds, starts again. False when it is down or being struck already. */
  async strike(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP', down: number): Promise<boolean> {
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
      await running.exited; // V1
      await sleep(down * 1000);
      await this.start();
      return true;
    } finally {
      this.#busy = false;
    }
  }

  /** Up, whatever happened to it. */
  async revive(): Promise<void> {
    while (this.#busy) await sleep(100);
    await this.start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isExpected = true;
    await this.#running?.close();
  }
}
