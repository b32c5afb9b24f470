/**
 * How set-up talks: a line when a step begins, a line with its time when it is done, one sentence when it fails.
 * It writes to stderr, so that what a command prints for programs stays clean.
 */

/** Its message tells a person what to do; nobody needs its stack. */
export class SetupError extends Error {
  /** 1: a step failed; 2: a value the person gave is wrong. */
  constructor(message, { cause, code = 1 } = {}) {
    super(message, { cause });
    this.name = 'SetupError';
    this.code = code;
  }
}

export const say = (line) => console.error(`set-up: ${line}`);

/** Says what begins and what it came to; `work` may return words that replace the usual "done". */
export async function timed(what, work) {
  say(`${what} …`);
  const start = performance.now();
  const words = await work();
  say(`${words ?? `${what}: done`} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}
