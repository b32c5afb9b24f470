/** The wait for news of a run: for a step of its workflow, not for each event on the way to it. */
import type { Connection } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createJobs } from '../../../src/api/jobs/temporal-jobs.js';

const SCHEDULED = 5;
const STARTED = 6;
const STEP_COMPLETED = 7;
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
    data_dir: '/nonexistent',
  });
  const { signal } = new AbortController();
  return {
    news: (token: number | null) =>
      jobs.waitForHistory('a', 'r', token === null ? null : Buffer.from([token]), signal),
    asked: () => asked,
  };
}

it('is over at once where nothing is known, whatever has happened', async () => {
  const { news, asked } = polls([[1, 2, SCHEDULED]]);
  expect(await news(null)).toEqual(Buffer.from([1]));
  expect(asked()).toBe(1);
});

it('goes on until the workflow has taken the step that something calls for', async () => {
  const { news, asked } = polls([
    [ACTIVITY_COMPLETED, SCHEDULED],
    [STARTED],
    [STEP_COMPLETED, 10],
    [SCHEDULED],
  ]);
  expect(await news(9)).toEqual(Buffer.from([3]));
  expect(asked()).toBe(3);
});

it('is over when nobody takes that step, so that whoever waits asks, and learns that nobody answers', async () => {
  const { news } = polls([[ACTIVITY_COMPLETED, SCHEDULED], null]);
  expect(await news(9)).toEqual(Buffer.from([1]));
});

it('is over when nothing happens, and says when the run is closed', async () => {
  expect(await polls([[]]).news(9)).toEqual(Buffer.from([1]));
  expect(await polls([[SCHEDULED], [STEP_COMPLETED, 2]], true).news(9)).toBeNull();
  await expect(polls([null]).news(9)).rejects.toThrow('Temporal cannot be reached');
});
