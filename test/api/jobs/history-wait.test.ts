/** The wait for history of a run: for a completed workflow task, not for each event on the way to it. */
import type { Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createJobs } from '../../../src/api/jobs/temporal-jobs.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

const SCHEDULED = 5;
const STARTED = 6;
const TASK_COMPLETED = 7;
const ACTIVITY_COMPLETED = 12;

const late = (): Error =>
  Object.assign(new Error('4 DEADLINE_EXCEEDED'), { code: 4, details: '', metadata: {} });

/** Long polls that answer with these events, one after the other; null: with none before the deadline. */
function polls(answers: (number[] | null)[], closed = false) {
  let asked = 0;
  const connection = {
    workflowService: {
      getWorkflowExecutionHistory: () => {
        const events = answers[asked];
        asked += 1;
        if (events == null) return Promise.reject(late());
        const isOver = closed && asked === answers.length;
        return Promise.resolve({
          history: { events: events.map((eventType) => ({ eventType })) },
          nextPageToken: isOver ? Buffer.alloc(0) : Buffer.from([asked]),
        });
      },
    },
    withDeadline: (_: number, work: () => unknown) => work(),
    withAbortSignal: (_: AbortSignal, work: () => unknown) => work(),
    options: {},
    plugins: [],
  } as unknown as Connection;
  const jobs = createJobs({
    connection,
    namespace: 'default',
    task_queue: 'q',
    store: createDirectoryStore('/nonexistent'),
  });
  const { signal } = new AbortController();
  return {
    wait: (token: number | null) =>
      jobs.waitForHistory('a', 'r', token === null ? null : Buffer.from([token]), signal),
    asked: () => asked,
  };
}

it('returns at once without a position', async () => {
  const { wait, asked } = polls([[1, 2, SCHEDULED]]);
  expect(await wait(null)).toEqual(Buffer.from([1]));
  expect(asked()).toBe(1);
});

it('continues until the workflow has completed the task that an event calls for', async () => {
  const { wait, asked } = polls([
    [ACTIVITY_COMPLETED, SCHEDULED],
    [STARTED],
    [TASK_COMPLETED, 10],
    [SCHEDULED],
  ]);
  expect(await wait(9)).toEqual(Buffer.from([3]));
  expect(asked()).toBe(3);
});

it('ends when no worker completes that task, so that the caller queries and learns that no worker answers', async () => {
  const { wait } = polls([[ACTIVITY_COMPLETED, SCHEDULED], null]);
  expect(await wait(9)).toEqual(Buffer.from([1]));
});

it('ends when nothing happens, and reports that the run is closed', async () => {
  expect(await polls([[]]).wait(9)).toEqual(Buffer.from([1]));
  expect(await polls([[SCHEDULED], [TASK_COMPLETED, 2]], true).wait(9)).toBeNull();
  await expect(polls([null]).wait(9)).rejects.toThrow('Temporal cannot be reached');
});
