/**
 * The output of set-up: a line when a step starts, a line with its time when it is done, one sentence when it fails.
 * It goes to stderr, since programs may read the stdout of commands.
 */

/** Its message tells the user what to do; its stack is never shown. */
export class SetupError extends Error {
  /** 1: a step failed; 2: the user gave a wrong value. */
  constructor(message, { cause, code = 1 } = {}) {
    super(message, { cause });
    this.name = 'SetupError';
    this.code = code;
  }
}

export const say = (line) => console.error(`set-up: ${line}`);

/** Prints what starts and how it ended; `work` may return words that replace the usual "done". */
export async function timed(what, work) {
  say(`${what} …`);
  const start = performance.now();
  const words = await work();
  say(`${words ?? `${what}: done`} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

/** For a folder that a step of set-up cannot write to. */
export const cannotWrite = (folder, error) =>
  new SetupError(
    `set-up has to write to "${folder}", which cannot be written (${error.message}); make it writable for this user, or set up once where it is (npm run build): what is set up runs from a read-only checkout, with DATA_DIR and --out elsewhere.`,
    { cause: error },
  );

/** Does the error mean that a path cannot be written? */
export const isUnwritable = (error) => ['EROFS', 'EACCES', 'EPERM'].includes(error?.code);
