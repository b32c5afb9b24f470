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

/** What a step of set-up cannot make where it has to. */
export const cannotWrite = (folder, error) =>
  new SetupError(
    `set-up has to write to "${folder}", which cannot be written (${error.message}); make it writable for this user, or set up once where it is (npm run build): what is set up runs from a read-only checkout, with DATA_DIR and --out elsewhere.`,
    { cause: error },
  );

/** How the system says that a place cannot be written. */
export const isUnwritable = (error) => ['EROFS', 'EACCES', 'EPERM'].includes(error?.code);
