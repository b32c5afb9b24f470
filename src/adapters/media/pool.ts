/**
 * Children that handle bytes from outside, each one task at a time. They are kept, since loading a decoder costs more than using
 * it, and end when they are idle for a while. One child is usually enough: another starts when a task has waited for a while, up
 * to the number of processors. A limit alone (p-limit) would do neither.
 *
 * POOL-1 No input can exceed its task's limits: its child is killed, and the next task gets another.
 * POOL-2 An input is at fault when it exceeds a limit, or crashes two children. A child that was killed from outside, or was
 *    silent on a halted machine, proves nothing (ChildLost).
 * POOL-3 As long as videos are expected, one child runs with everything loaded that they need.
 * POOL-4 When a close resolves, no child is left: a task that it has ended is not tried again, which would start another.
 */
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { MediaChild } from './child-process.js';
import type { Ended } from './child-process.js';
import { BadPart, ChildLost, NotAnImage, NotAVideo, TooMuch } from './media-failures.js';
import { TASKS } from './protocol.js';
import type { Limits, Reply, TaskName, Tasks, Thrown } from './protocol.js';

export interface Pool {
  run<Name extends TaskName>(
    task: Name,
    input: Tasks[Name]['input'],
  ): Promise<Tasks[Name]['output']>;
  /** POOL-3 Videos are expected until it is disposed of. */
  expect(): Disposable;
  /** Process ids of the children that are alive. */
  pids(): number[];
  /** Ends every child, and resolves when they have ended; the next task gets a new one. */
  close(): Promise<void>;
}

export interface PoolOptions {
  size?: number;
  /** Milliseconds. */
  idle?: number;
  /** Milliseconds that a task waits before another child is started for it. */
  patience?: number;
  /** Instead of those of `TASKS`, for tests. */
  limits?: Partial<Limits>;
}

/** Milliseconds after which an idle child ends. */
const IDLE = 10_000;
/** The time of two dozen thumbnails: another child costs 0.25 s of processor time and 100 MB. */
const PATIENCE = 500;
/** Then the child is replaced: native code may leak memory. */
const MAX_TASKS = 1_000;
/** Bytes that an idle child may hold, so that the next task has room below its limit. */
const MAX_RESIDENT = 224 * 2 ** 20;
/** How a program ends when it crashes; other signals come from outside. */
const CRASHES = /^(?:SIGSEGV|SIGABRT|SIGBUS|SIGILL|SIGFPE|SIGTRAP|SIGSYS|exit code .*)$/;

interface PooledChild {
  child: MediaChild;
  tasks: number;
  timer: NodeJS.Timeout | undefined;
}

export function createPool({
  size = availableParallelism(),
  idle: idleTime = IDLE,
  patience = PATIENCE,
  limits,
}: PoolOptions = {}): Pool {
  /** The child that was used last is at the end and is used next, so that the others become superfluous. */
  const idle: PooledChild[] = [];
  const busy = new Set<PooledChild>();
  const queue: ((pooled: PooledChild) => void)[] = [];
  let growth: NodeJS.Timeout | undefined;
  let expected = 0;
  let closes = 0;

  /** A queue that has existed for a while gets another child. */
  function serve(): void {
    while (queue.length > 0) {
      const pooled = nextIdle() ?? (busy.size === 0 ? newChild() : undefined);
      if (pooled === undefined) break;
      assign(pooled);
    }
    if (queue.length === 0 || busy.size >= size) {
      clearTimeout(growth);
      growth = undefined;
      return;
    }
    growth ??= setTimeout(() => {
      growth = undefined;
      assign(newChild());
      serve();
    }, patience);
  }

  function assign(pooled: PooledChild): void {
    busy.add(pooled);
    queue.shift()?.(pooled);
  }

  const newChild = (): PooledChild => ({ child: new MediaChild(), tasks: 0, timer: undefined });

  function nextIdle(): PooledChild | undefined {
    for (let pooled = idle.pop(); pooled !== undefined; pooled = idle.pop()) {
      clearTimeout(pooled.timer);
      if (pooled.child.isAlive) return pooled;
    }
    return undefined;
  }

  function endWhenIdle(pooled: PooledChild): void {
    pooled.timer = setTimeout(() => {
      // POOL-3
      if (expected > 0 && idle.length + busy.size === 1) {
        endWhenIdle(pooled);
        return;
      }
      idle.splice(idle.indexOf(pooled), 1);
      void pooled.child.end();
    }, idleTime).unref();
  }

  function release(pooled: PooledChild, outcome: Reply | Ended): void {
    busy.delete(pooled);
    pooled.tasks += 1;
    const isReusable =
      pooled.child.isAlive &&
      'resident' in outcome &&
      outcome.resident <= MAX_RESIDENT &&
      pooled.tasks < MAX_TASKS &&
      !(outcome.type === 'thrown' && !Object.hasOwn(EXPECTED_ERRORS, outcome.error.name));
    if (isReusable) {
      endWhenIdle(pooled);
      idle.push(pooled);
    } else {
      void pooled.child.end();
    }
    serve();
  }

  async function once(task: TaskName, input: unknown): Promise<Reply | Ended> {
    const pooled = await new Promise<PooledChild>((resolve) => {
      queue.push(resolve);
      serve();
    });
    const request = { task, input, limits: { ...TASKS[task].limits, ...limits } };
    const outcome = await pooled.child.run(request);
    release(pooled, outcome);
    return outcome;
  }

  async function run<Name extends TaskName>(
    task: Name,
    input: Tasks[Name]['input'],
  ): Promise<Tasks[Name]['output']> {
    const before = closes;
    let outcome = await once(task, input);
    const isLost = outcome.type === 'died' || outcome.type === 'silent';
    // POOL-2: a second attempt in another child tells an accident from an input that crashes it. POOL-4
    if (isLost && closes === before) outcome = await once(task, input);
    if (outcome.type === 'done') return outcome.value as Tasks[Name]['output'];
    if (outcome.type === 'thrown') throw asError(outcome.error);
    throw asFailure(task, outcome, { ...TASKS[task].limits, ...limits });
  }

  return {
    run,
    expect() {
      expected += 1;
      // Not awaited: when the preparation fails, the first task finds out.
      if (idle.length + busy.size === 0) run('prepare', null).catch(() => undefined);
      let isOver = false;
      return {
        [Symbol.dispose]() {
          if (!isOver) expected -= 1;
          isOver = true;
        },
      };
    },
    pids: () =>
      [...idle, ...busy].flatMap(({ child }) => (child.isAlive ? [child.pid ?? []] : [])).flat(),
    async close() {
      closes += 1;
      // POOL-4: tasks that waited for a child get one when another ends.
      while (idle.length + busy.size > 0) {
        const all = [...idle, ...busy];
        idle.length = 0;
        for (const { timer } of all) clearTimeout(timer);
        await Promise.all(all.map(({ child }) => child.end()));
        await setImmediate();
      }
    },
  };
}

/** The errors that a task throws on purpose. */
const EXPECTED_ERRORS: Readonly<Record<string, (error: Thrown) => Error>> = {
  NotAVideo: ({ message }) => new NotAVideo(message),
  NotAnImage: ({ message }) => new NotAnImage(message),
  BadPart: ({ message, index = 0 }) => new BadPart(index, message),
};

const asError = (error: Thrown): Error =>
  EXPECTED_ERRORS[error.name]?.(error) ?? new Error(error.message);

function asFailure(task: TaskName, end: Ended, limits: Limits): Error {
  const { verb } = TASKS[task];
  switch (end.type) {
    case 'over_limit': {
      const limit =
        end.limit === 'memory'
          ? `${String(limits.megabytes)} MB of memory`
          : `${String(limits.cpu_seconds)} s of processor time`;
      return new TooMuch(`the file took more than ${limit} to ${verb}`);
    }
    case 'silent':
      return new ChildLost(
        `nothing came of trying to ${verb} the file for ${String(limits.wall_seconds)} s, twice`,
      );
    case 'died':
      return CRASHES.test(end.by)
        ? new TooMuch(`the file broke two processes that tried to ${verb} it (${end.by})`)
        : new ChildLost(
            `two processes that were to ${verb} the file were ended from outside (${end.by})`,
          );
  }
}
