/** One media child as the pool sees it: it takes a request and answers with a reply, or with how it ended. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { childEnvironment } from '../../config.js';
import { packageFile } from '../../settings/package-files.js';
import { GUARD_FD } from './protocol.js';
import type { LimitName, Reply, Request } from './protocol.js';

/** The build, also for tests that run the sources: Node loads no TypeScript. */
const SCRIPT = packageFile('dist/src/adapters/media/child.js');

/** Megabytes. The guard's limit, which counts the whole process, is lower than this limit of V8. */
const MAX_HEAP = 1024;

/**
 * Measured after 60 thumbnails: 103 MB instead of 125. Little of a child's memory is JavaScript, so that a large young generation
 * is wasted, and glibc returns freed memory only with one arena and these settings.
 */
const SMALL_MEMORY = {
  execArgv: ['--max-semi-space-size=1'],
  env: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', UV_THREADPOOL_SIZE: '2' },
};

/** `by`: a signal's name, or an exit code. */
export type Ended =
  { type: 'over_limit'; limit: LimitName } | { type: 'silent' } | { type: 'died'; by: string };

export class MediaChild {
  readonly #process: ChildProcess;
  /** Undefined while the process lives. */
  #end: Ended | undefined;
  /** What the guard wrote: the limit that was exceeded. */
  #exceeded = '';
  #isSilent = false;
  #settle: ((outcome: Reply | Ended) => void) | null = null;

  constructor() {
    this.#process = fork(SCRIPT, [], {
      // Without the parent's flags, such as a debugger's port.
      execArgv: [`--max-old-space-size=${String(MAX_HEAP)}`, ...SMALL_MEMORY.execArgv],
      env: { ...childEnvironment(), ...SMALL_MEMORY.env },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'],
    });
    const { stdio } = this.#process;
    const guard = stdio[GUARD_FD] as Readable & { unref(): void };
    guard.on('data', (text: Buffer) => (this.#exceeded += text.toString('latin1')));
    guard.on('error', () => undefined);
    guard.unref();
    this.#process.on('message', (reply: Reply) => this.#answer(reply));
    this.#process.on('error', (error) => this.#ended({ type: 'died', by: error.message }));
    // `close` comes after `exit`, and after the guard's text was read.
    this.#process.on('close', (code, signal) => this.#ended(this.#howEnded(code, signal)));
    this.#holdParent(false);
  }

  get isAlive(): boolean {
    return this.#end === undefined && this.#process.connected;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async run(request: Request): Promise<Reply | Ended> {
    if (this.#end !== undefined) return this.#end;
    const outcome = new Promise<Reply | Ended>((resolve) => (this.#settle = resolve));
    const silence = setTimeout(() => {
      this.#isSilent = true;
      void this.end();
    }, request.limits.wall_seconds * 1000);
    this.#holdParent(true);
    this.#process.send(request, (error) => {
      // A broken channel is followed by the end of the process, which has the reason.
      if (error !== null) void this.end();
    });
    try {
      return await outcome;
    } finally {
      clearTimeout(silence);
      this.#holdParent(false);
    }
  }

  /** Resolves when the process has ended, and keeps this process running until then. */
  async end(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.ref();
    this.#process.kill('SIGKILL');
    await ended;
  }

  #answer(outcome: Reply | Ended): void {
    this.#settle?.(outcome);
    this.#settle = null;
  }

  #ended(end: Ended): void {
    this.#end ??= end;
    this.#answer(this.#end);
  }

  #howEnded(code: number | null, signal: NodeJS.Signals | null): Ended {
    const limit = this.#exceeded;
    if (limit === 'memory' || limit === 'time') return { type: 'over_limit', limit };
    if (this.#isSilent) return { type: 'silent' };
    return { type: 'died', by: signal ?? `exit code ${String(code)}` };
  }

  /** An idle child does not keep this process running; a task does. */
  #holdParent(hold: boolean): void {
    const verb = hold ? 'ref' : 'unref';
    this.#process[verb]();
    this.#process.channel?.[verb]();
  }
}
