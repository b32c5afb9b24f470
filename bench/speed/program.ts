/** A process that is measured: it never outlives the benchmark, and hears no environment but what it is given. */
import { EventEmitter } from 'node:events';
import { startBoundChild } from '../../src/embedded/bound-child.js';
import type { BoundChild } from '../../src/embedded/bound-child.js';
import { useOf } from './machine-use.js';
import type { Use } from './machine-use.js';

interface Recipe {
  name: string;
  words: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string;
  /** What it says once it can be used. */
  ready: RegExp;
}

const DEADLINE = 60_000;

export class Program implements AsyncDisposable {
  readonly #recipe: Recipe;
  #running: BoundChild | null = null;
  #output: string[] = [];
  /** Emits `line` for each line it says. */
  readonly lines = new EventEmitter<{ line: [string] }>();

  private constructor(recipe: Recipe) {
    this.#recipe = recipe;
  }

  static async start(recipe: Recipe): Promise<Program> {
    const program = new Program(recipe);
    await program.start();
    return program;
  }

  /** Again after `kill`. */
  async start(): Promise<void> {
    const { name, words, env, cwd, ready } = this.#recipe;
    const isReady = this.#says(ready);
    const given = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const running = await startBoundChild(
      '/usr/bin/env',
      ['-i', ...given, ...words],
      (line) => {
        this.#output = [...this.#output, line].slice(-40);
        this.lines.emit('line', line);
      },
      cwd,
    );
    this.#running = running;
    const ended = running.exited.then((how) => {
      throw new Error(`${name} ended before it was ready (${how}): ${this.#output.join(' / ')}`);
    });
    ended.catch(() => undefined);
    isReady.catch(() => undefined);
    try {
      await Promise.race([isReady, ended]);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves with the next line that fits. */
  #says(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void): void => {
        clearTimeout(timer);
        this.lines.off('line', onLine);
        outcome();
      };
      const onLine = (line: string): void => {
        if (pattern.test(line)) settle(resolve);
      };
      const timer = setTimeout(() => {
        const said = this.#output.join(' / ');
        const why = `expected ${this.#recipe.name} to say ${String(pattern)}, got: ${said}`;
        settle(() => {
          reject(new Error(why));
        });
      }, DEADLINE);
      this.lines.on('line', onLine);
    });
  }

  get pid(): number {
    if (this.#running === null) throw new Error(`${this.#recipe.name} does not run`);
    return this.#running.pid;
  }

  get use(): Use {
    return useOf([this.pid]);
  }

  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    process.kill(running.pid, 'SIGKILL');
    await running.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.close();
  }
}
