/** A child process that talks by messages; it ends with us in any case. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const DEADLINE = 60_000;

export class Child implements AsyncDisposable {
  readonly #process: ChildProcess;

  constructor(
    script: string,
    { words = [], env = {} }: { words?: string[]; env?: Record<string, string> } = {},
  ) {
    const file = fileURLToPath(new URL(script, import.meta.url));
    this.#process = fork(file, words, {
      env: { PATH: process.env['PATH'], ...env },
      execArgv: ['--expose-gc'],
    });
  }

  /** Its next message. */
  async next<T>(): Promise<T> {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, AbortSignal.timeout(DEADLINE)]);
    const onExit = (): void => {
      ended.abort(new Error('expected a message, but the process has ended'));
    };
    this.#process.once('exit', onExit);
    try {
      const [message] = (await once(this.#process, 'message', { signal })) as [T];
      return message;
    } finally {
      this.#process.off('exit', onExit);
    }
  }

  ask<T>(): Promise<T> {
    const answer = this.next<T>();
    this.#process.send('?');
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
