/**
 * T1: a query that finds a job's news waiting for a worker leaves no trace. The real worker and SDK core are given a
 * recorded history by hand: first a query that sees half of what a workflow task has gathered, then the whole task.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { temporal } from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundlePath } from '../../src/worker.js';
import { scriptedFrontend } from '../support/scripted-frontend.js';
import type { Completed, ScriptedFrontend, Task } from '../support/scripted-frontend.js';

const folder = new URL('./histories/', import.meta.url);
const eventsIn = (name: string) =>
  historyFromJSON(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))).events ?? [];

/** What it does then, at least: one clip's render has ended, and another's begins. */
const EXPECTED = ['storeClip scheduled', 'generateClip scheduled'];

type Event = ReturnType<typeof eventsIn>[number];

const ANSWERED = temporal.api.enums.v1.QueryResultType.QUERY_RESULT_TYPE_ANSWERED;

const idOf = ({ eventId }: Event): number => Number(eventId);
const isTaskStart = (event: Event): boolean => event.workflowTaskStartedEventAttributes != null;

const scheduled = (type: { name?: string | null } | null | undefined): string =>
  `${String(type?.name)} scheduled`;

/** What the recorded job did after the task that started with event `start`: up to the first event of another kind. */
function recordedAfter(events: readonly Event[], start: number): string[] {
  const done: string[] = [];
  for (const event of events.slice(start + 1)) {
    const activity = event.activityTaskScheduledEventAttributes;
    if (activity != null) done.push(scheduled(activity.activityType));
    else if (event.timerCanceledEventAttributes != null) done.push('timer canceled');
    else if (event.workflowPropertiesModifiedEventAttributes != null) done.push('memo changed');
    else break;
  }
  return done;
}

/** A task whose events come in two halves: activities end before and after it is scheduled; the job then does two things at least. */
function splitTask(events: readonly Event[]): { query: number; start: number } | null {
  const upTo = (id: number): Event[] => events.filter((event) => idOf(event) <= id);
  for (const event of events.filter(isTaskStart)) {
    const start = idOf(event);
    const before = idOf(upTo(start - 1).findLast(isTaskStart) ?? event);
    const query = Number(event.workflowTaskStartedEventAttributes?.scheduledEventId);
    const ends = events.filter(
      (one) => idOf(one) > before && idOf(one) < start && one.activityTaskCompletedEventAttributes,
    );
    const isSplit = ends.some((one) => idOf(one) < query) && ends.some((one) => idOf(one) > query);
    const done = recordedAfter(events, start);
    if (isSplit && EXPECTED.every((command) => done.includes(command))) {
      return { query, start };
    }
  }
  return null;
}

/** Which history has one is chance when it is recorded. */
function recordedSplit() {
  for (const name of readdirSync(folder)) {
    const events = eventsIn(name);
    const task = splitTask(events);
    if (task !== null) return { events, task };
  }
  throw new Error('expected such a task in a recorded history');
}

const { events, task } = recordedSplit();
const upTo = (id: number): Event[] => events.filter((event) => idOf(event) <= id);

/** The commands of a task, by what they are; activities with what they are of. */
const commandsOf = ({ commands }: Completed): string[] =>
  (commands ?? []).map((command) => {
    const activity = command.scheduleActivityTaskCommandAttributes;
    if (activity != null) return scheduled(activity.activityType);
    if (command.modifyWorkflowPropertiesCommandAttributes != null) return 'memo changed';
    return command.cancelTimerCommandAttributes == null ? 'another' : 'timer canceled';
  });

/** The recorded job as far as event `id`, as a query or as the task that event started. */
function taskOf(id: number, attempt: number, query?: Task['query']): Task {
  const first = events[0]?.workflowExecutionStartedEventAttributes;
  const started = events.find((event) => idOf(event) === id && isTaskStart(event));
  const before = upTo(id - 1).findLast(isTaskStart);
  return {
    taskToken: Buffer.from(`${String(id)}/${String(attempt)}`),
    workflowExecution: {
      workflowId: first?.workflowId ?? '',
      runId: first?.originalExecutionRunId ?? '',
    },
    workflowType: first?.workflowType ?? null,
    workflowExecutionTaskQueue: { name: 'scripted' },
    attempt,
    scheduledTime: { nanos: 1 },
    startedTime: { nanos: 1 },
    previousStartedEventId: before?.eventId ?? null,
    startedEventId: started?.eventId ?? null,
    history: { events: upTo(id) },
    ...(query === undefined ? {} : { query }),
  };
}

describe('a query amid a workflow task', () => {
  let frontend: ScriptedFrontend;
  let connection: NativeConnection;
  let worker: Worker;
  const { query, start } = task;

  beforeAll(() => {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
    });
  });

  beforeEach(async () => {
    frontend = await scriptedFrontend();
    connection = await NativeConnection.connect({ address: frontend.address });
    worker = await Worker.create({
      connection,
      taskQueue: 'scripted',
      workflowBundle: { codePath: bundlePath },
    });
  });

  afterEach(async () => {
    await connection.close();
    await frontend[Symbol.asyncDispose]();
  });

  it('is answered, and the task is run as if there had been no query', async () => {
    await worker.runUntil(async () => {
      frontend.give(taskOf(query, 1, { queryType: 'progress' }));
      const answer = await frontend.answered();
      expect(answer.completedType).toBe(ANSWERED);

      frontend.give(taskOf(start, 1));
      expect((await frontend.failed()).failure?.message).toContain('the task is run again, whole');
      frontend.give(taskOf(start, 2));
      const commands = commandsOf(await frontend.completed());
      expect(commands).toEqual(recordedAfter(events, start));
    });
  });

  it('fails when the one before it has seen another part of the task, which is then run whole', async () => {
    await worker.runUntil(async () => {
      frontend.give(taskOf(query, 1, { queryType: 'progress' }));
      expect((await frontend.answered()).completedType).toBe(ANSWERED);
      frontend.give(taskOf(start - 1, 1, { queryType: 'progress' }));
      const second = await frontend.answered();
      expect(second.completedType).toBe(
        temporal.api.enums.v1.QueryResultType.QUERY_RESULT_TYPE_FAILED,
      );
      expect(second.errorMessage).toContain('nothing is lost');

      frontend.give(taskOf(start, 1));
      expect(commandsOf(await frontend.completed())).toEqual(recordedAfter(events, start));
    });
  });

  it('is answered again and again when the job was terminated before that task', async () => {
    await worker.runUntil(async () => {
      const task = taskOf(query, 1, { queryType: 'progress' });
      const terminated = historyFromJSON({
        events: [
          {
            eventId: String(query + 1),
            eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED',
            workflowExecutionTerminatedEventAttributes: { reason: 'by hand' },
          },
        ],
      });
      task.history?.events?.push(...(terminated.events ?? []));
      for (const attempt of [1, 2]) {
        frontend.give({ ...task, taskToken: Buffer.from(`query ${String(attempt)}`) });
        expect((await frontend.answered()).completedType).toBe(ANSWERED);
      }
    });
  });
});
