/**
 * T1: a query that finds a job's news waiting for a worker leaves no trace. The real worker and SDK core are given a
 * recorded history by hand: first a query that sees half of what a workflow task has gathered, then the whole task.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { temporal } from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { scriptedFrontend } from '../support/scripted-frontend.js';
import type { Completed, Task } from '../support/scripted-frontend.js';

const codePath = fileURLToPath(new URL('../../dist/workflow-bundle.js', import.meta.url));
const recorded = new URL('./histories/all-good.json', import.meta.url);
const events = historyFromJSON(JSON.parse(readFileSync(recorded, 'utf8'))).events ?? [];

type Event = (typeof events)[number];

const idOf = ({ eventId }: Event): number => Number(eventId);
const upTo = (id: number): Event[] => events.filter((event) => idOf(event) <= id);
const isTaskStart = (event: Event): boolean => event.workflowTaskStartedEventAttributes != null;

/** A task whose events come in two halves: activities end before and after it is scheduled. */
function splitTask(): { query: number; start: number; before: number } {
  for (const event of events.filter(isTaskStart)) {
    const start = idOf(event);
    const before = idOf(upTo(start - 1).findLast(isTaskStart) ?? event);
    const query = Number(event.workflowTaskStartedEventAttributes?.scheduledEventId);
    const ends = events.filter(
      (one) => idOf(one) > before && idOf(one) < start && one.activityTaskCompletedEventAttributes,
    );
    if (ends.some((one) => idOf(one) < query) && ends.some((one) => idOf(one) > query)) {
      return { query, start, before };
    }
  }
  throw new Error('expected such a task in the recorded history');
}

/** The commands of a task, by what they are; activities with what they are of. */
function commandsOf({ commands }: Completed): string[] {
  return (commands ?? []).map(({ scheduleActivityTaskCommandAttributes: scheduled, ...other }) =>
    scheduled == null
      ? other.cancelTimerCommandAttributes == null
        ? 'another'
        : 'timer canceled'
      : `${String(scheduled.activityType?.name)} scheduled`,
  );
}

/** What the recorded job did after the task that started with event `start`. */
const recordedAfter = (start: number): string[] =>
  events
    .slice(start + 1)
    .map((event) => {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled != null) return `${String(scheduled.activityType?.name)} scheduled`;
      return event.timerCanceledEventAttributes == null ? null : 'timer canceled';
    })
    .reduce<{ done: boolean; all: string[] }>(
      ({ done, all }, one) =>
        done || one === null ? { done: true, all } : { done, all: [...all, one] },
      { done: false, all: [] },
    ).all;

it('a query amid a workflow task fails with words that say what to do, and the task runs as if nobody had asked', async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  const { query, start, before } = splitTask();
  const first = events[0]?.workflowExecutionStartedEventAttributes;
  const run: Task = {
    workflowExecution: {
      workflowId: first?.workflowId ?? '',
      runId: first?.originalExecutionRunId ?? '',
    },
    workflowType: first?.workflowType ?? null,
    workflowExecutionTaskQueue: { name: 'scripted' },
    attempt: 1,
    scheduledTime: { nanos: 1 },
    startedTime: { nanos: 1 },
    previousStartedEventId: events.find((event) => idOf(event) === before)?.eventId ?? null,
  };

  await using frontend = await scriptedFrontend();
  const connection = await NativeConnection.connect({ address: frontend.address });
  const worker = await Worker.create({
    connection,
    taskQueue: 'scripted',
    workflowBundle: { codePath },
  });
  await worker.runUntil(async () => {
    frontend.give({
      ...run,
      taskToken: Buffer.from('query'),
      history: { events: upTo(query) },
      query: { queryType: 'progress' },
    });
    const answer = await frontend.answered();
    expect(answer.completedType).toBe(
      temporal.api.enums.v1.QueryResultType.QUERY_RESULT_TYPE_FAILED,
    );
    expect(answer.errorMessage).toContain('ask again');

    frontend.give({
      ...run,
      taskToken: Buffer.from('task'),
      startedEventId: events.find((event) => idOf(event) === start)?.eventId ?? null,
      history: { events: upTo(start) },
    });
    const commands = commandsOf(await frontend.completed());
    expect(commands).toEqual(recordedAfter(start));
    expect(new Set(commands)).toEqual(new Set(['timer canceled', 'storeClip scheduled']));
  });
  await connection.close();
}, 60_000);
