/**
 * Children that handle foreign bytes, one task each at a time. They live long, since loading a decoder costs more than using
 * it; one that is idle for a while ends. One child is enough for most: another starts when a task has waited for a while, up to
 * as many as there are processors.
 *
 * P1 No input can take more than its task's limits: its child is killed, and the next task gets another.
 * P2 An input is at fault when it exceeds a limit, or breaks two children. A child that was killed from outside, or
 *    that a halted machine kept silent, proves nothing (ChildLost).
 * P3 As long as videos are expected, one child is there, with what they need loaded.
 */
import { availableParallelism } from 'node:os';
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
  /** P3 Videos will come, until it is disposed of. */
  expect(): Disposable;
  /** Process ids of the children that are alive. */
  pids(): number[];
  /** Ends every child, and resolves when they are gone; the next task gets a new one. */
  close(): Promise<void>;
}

export interface PoolOptions {
  size?: number;
  /** Milliseconds. */
  idle?: number;
  /** Milliseconds that a task waits before another child is started for it. */
  patience?: number;
  /** Instead of those of the table, for tests. */
  limits?: Partial<Limits>;
}

/** Where videos are expected one stays anyway. */
const IDLE = 10_000;
/** Two dozen stills: a child more costs 0.25 s of processor time and 100 MB, and helps only where one is not enough. */
const PATIENCE = 500;
/** Then a fresh child: memory that native code has lost track of is not kept for ever. */
const MAX_TASKS = 1_000;
/** Bytes that a child at rest may hold, so that the next task has room below its limit. */
const MAX_RESIDENT = 224 * 2 ** 20;
/** Ends by which a program breaks, whoever sent the input; any other signal comes from outside. */
const BREAKS = /^(?:SIGSEGV|SIGABRT|SIGBUS|SIGILL|SIGFPE|SIGTRAP|SIGSYS|exit code .*)$/;

interface Place {
  child: MediaChild;
  tasks: number;
  timer: NodeJS.Timeout | undefined;
}

export function createPool({
  size = availableParallelism(),
  idle = IDLE,
  patience = PATIENCE,
  limits,
}: PoolOptions = {}): Pool {
  /** The one used last is at the end, and is used next: the others come to their rest. */
  const resting: Place[] = [];
  const working = new Set<Place>();
  const line: ((place: Place) => void)[] = [];
  let growing: NodeJS.Timeout | undefined;
  let expected = 0;

  /** Where there has been a line for a while, it gets a child more. */
  function serve(): void {
    while (line.length > 0) {
      const place = rested() ?? (working.size === 0 ? fresh() : undefined);
      if (place === undefined) break;
      give(place);
    }
    if (line.length === 0 || working.size >= size) {
      clearTimeout(growing);
      growing = undefined;
      return;
    }
    growing ??= setTimeout(() => {
      growing = undefined;
      give(fresh());
      serve();
    }, patience);
  }

  function give(place: Place): void {
    working.add(place);
    line.shift()?.(place);
  }

  const fresh = (): Place => ({ child: new MediaChild(), tasks: 0, timer: undefined });

  function rested(): Place | undefined {
    for (let place = resting.pop(); place !== undefined; place = resting.pop()) {
      clearTimeout(place.timer);
      if (place.child.isAlive) return place;
    }
    return undefined;
  }

  function rest(place: Place): void {
    place.timer = setTimeout(() => {
      // P3
      if (expected > 0 && resting.length + working.size === 1) {
        rest(place);
        return;
      }
      resting.splice(resting.indexOf(place), 1);
      void place.child.end();
    }, idle).unref();
  }

  function giveBack(place: Place, outcome: Reply | Ended): void {
    working.delete(place);
    place.tasks += 1;
    const isFit =
      place.child.isAlive &&
      'resident' in outcome &&
      outcome.resident <= MAX_RESIDENT &&
      place.tasks < MAX_TASKS &&
      !(outcome.type === 'thrown' && !Object.hasOwn(KNOWN, outcome.error.name));
    if (isFit) {
      rest(place);
      resting.push(place);
    } else {
      void place.child.end();
    }
    serve();
  }

  async function once(task: TaskName, input: unknown): Promise<Reply | Ended> {
    const place = await new Promise<Place>((resolve) => {
      line.push(resolve);
      serve();
    });
    const request = { task, input, limits: { ...TASKS[task].limits, ...limits } };
    const outcome = await place.child.run(request);
    giveBack(place, outcome);
    return outcome;
  }

  async function run<Name extends TaskName>(
    task: Name,
    input: Tasks[Name]['input'],
  ): Promise<Tasks[Name]['output']> {
    let outcome = await once(task, input);
    // Killed or broken once: the same again in another child tells an accident from an input that does it.
    if (outcome.type === 'died' || outcome.type === 'silent') outcome = await once(task, input);
    if (outcome.type === 'done') return outcome.value as Tasks[Name]['output'];
    if (outcome.type === 'thrown') throw revived(outcome.error);
    throw asFailure(task, outcome, { ...TASKS[task].limits, ...limits });
  }

  return {
    run,
    expect() {
      expected += 1;
      // Nothing waits for it: a child that could not get ready is found out by the first task.
      if (resting.length + working.size === 0) run('prepare', null).catch(() => undefined);
      let isOver = false;
      return {
        [Symbol.dispose]() {
          if (!isOver) expected -= 1;
          isOver = true;
        },
      };
    },
    pids: () =>
      [...resting, ...working]
        .flatMap(({ child }) => (child.isAlive ? [child.pid ?? []] : []))
        .flat(),
    async close() {
      const places = [...resting, ...working];
      resting.length = 0;
      for (const { timer } of places) clearTimeout(timer);
      await Promise.all(places.map(({ child }) => child.end()));
    },
  };
}

/** What a task may throw of its own accord. */
const KNOWN: Readonly<Record<string, (error: Thrown) => Error>> = {
  NotAVideo: ({ message }) => new NotAVideo(message),
  NotAnImage: ({ message }) => new NotAnImage(message),
  BadPart: ({ message, index = 0 }) => new BadPart(index, message),
};

const revived = (error: Thrown): Error => KNOWN[error.name]?.(error) ?? new Error(error.message);

function asFailure(task: TaskName, end: Ended, limits: Limits): Error {
  const { verb } = TASKS[task];
  switch (end.type) {
    case 'over': {
      const limit =
        end.verdict === 'memory'
          ? `${String(limits.megabytes)} MB of memory`
          : `${String(limits.cpu_seconds)} s of processor time`;
      return new TooMuch(`the file took more than ${limit} to ${verb}`);
    }
    case 'silent':
      return new ChildLost(
        `nothing came of trying to ${verb} the file for ${String(limits.wall_seconds)} s, twice`,
      );
    case 'died':
      return BREAKS.test(end.by)
        ? new TooMuch(`the file broke two processes that tried to ${verb} it (${end.by})`)
        : new ChildLost(
            `two processes that were to ${verb} the file were ended from outside (${end.by})`,
          );
  }
}
