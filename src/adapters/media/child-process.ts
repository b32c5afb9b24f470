/** One child as the pool sees it: it takes a request and answers with a reply, or with how it came to its end. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { childEnvironment } from '../../config.js';
import { packageFile } from '../../settings/package-files.js';
import { VERDICT_FD } from './protocol.js';
import type { Reply, Request, Verdict } from './protocol.js';

/** Compiled, also for tests that run the sources: Node loads no TypeScript. */
const SCRIPT = packageFile('dist/src/adapters/media/child.js');

/** Megabytes. V8's own limit only stands behind the guard's, which counts the whole process. */
const HEAP = 1024;

/**
 * Measured after 60 stills: 103 MB instead of 125. Little of a child is JavaScript that is worth a large young generation,
 * and glibc gives back what was freed only when it has one arena and is told to.
 */
const SMALL = {
  execArgv: ['--max-semi-space-size=1'],
  env: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', UV_THREADPOOL_SIZE: '2' },
};

/** `by`: a signal's name, an exit code, or what was over its limit. */
export type Ended =
  { type: 'over'; verdict: Verdict } | { type: 'silent' } | { type: 'died'; by: string };

export class MediaChild {
  readonly #process: ChildProcess;
  /** Undefined while it lives. */
  #end: Ended | undefined;
  #verdict = '';
  #isSilent = false;
  #settle: ((outcome: Reply | Ended) => void) | null = null;

  constructor() {
    this.#process = fork(SCRIPT, [], {
      // Not the parent's flags: those are for its own business, such as a debugger's port.
      execArgv: [`--max-old-space-size=${String(HEAP)}`, ...SMALL.execArgv],
      env: { ...childEnvironment(), ...SMALL.env },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc', 'pipe'],
    });
    const { stdio } = this.#process;
    const verdict = stdio[VERDICT_FD] as Readable & { unref(): void };
    verdict.on('data', (text: Buffer) => (this.#verdict += text.toString('latin1')));
    verdict.on('error', () => undefined);
    verdict.unref();
    this.#process.on('message', (reply: Reply) => this.#answer(reply));
    this.#process.on('error', (error) => this.#ended({ type: 'died', by: error.message }));
    // After `exit`, and after the verdict was read.
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
      // A channel that breaks is followed by the end of the process, which says more.
      if (error !== null) void this.end();
    });
    try {
      return await outcome;
    } finally {
      clearTimeout(silence);
      this.#holdParent(false);
    }
  }

  /** Resolves when the process is gone, and keeps this one for as long. */
  async end(): Promise<void> {
    const { exitCode, signalCode, pid } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.ref();
    this.#process.kill('SIGKILL');
    await gone;
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
    const verdict = this.#verdict;
    if (verdict === 'memory' || verdict === 'time') return { type: 'over', verdict };
    if (this.#isSilent) return { type: 'silent' };
    return { type: 'died', by: signal ?? `exit code ${String(code)}` };
  }

  /** A child at rest keeps no process from its end; a task that somebody waits for does. */
  #holdParent(hold: boolean): void {
    const verb = hold ? 'ref' : 'unref';
    this.#process[verb]();
    this.#process.channel?.[verb]();
  }
}
