/**
 * Keeps a workflow from going on with half of a workflow task. A query may reach a worker that has not the job in
 * memory while a task of it waits for a worker. SDK core then reads the history to its end, runs what the task has
 * gathered so far, and keeps the result; when the task comes, it would run only the rest. Every later replay runs both
 * at once, in another order, and the job would stand still for good with "[TMPRL1100] Nondeterminism error"
 * (decision 26; temporalio/sdk-go#755 is the same race).
 *
 * T1 A copy that was shown half of a task answers queries, and is given up when the job goes on: the task fails once,
 *    and is run whole by a copy made anew.
 */
import type { ActivateInput, WorkflowInterceptorsFactory } from '@temporalio/workflow';

type Activation = ActivateInput['activation'];

export const interceptors: WorkflowInterceptorsFactory = () => {
  let last: Seen | null = null;
  let isHalf = false;
  return {
    internals: [
      {
        activate(input, next) {
          const { activation } = input;
          // Histories of an old SDK are run in two batches an activation.
          if (input.batchIndex === 0 && !isQuery(activation)) {
            // Also at a second query with yet more news: shown all of a task in parts, the workflow would not be
            // called for the task itself, and what it did part by part would be sent.
            if (isHalf) throw new Error(RUN_WHOLE);
            const seen = seenOf(activation);
            isHalf = last !== null && seen.events !== last.events && seen.start === last.start;
            last = seen;
          }
          next(input);
        },
      },
    ],
  };
};

const RUN_WHOLE =
  'a query has split this workflow task; nothing is lost: the task is run again, whole, by a copy made anew';

const isQuery = ({ jobs }: Activation): boolean =>
  jobs?.some(({ queryWorkflow }) => queryWorkflow != null) === true;

interface Seen {
  events: Activation['historyLength'];
  /** Of the last task that was started: every start brings a new time and a new size. */
  start: string;
}

const seenOf = ({ historyLength, historySizeBytes, timestamp }: Activation): Seen => ({
  events: historyLength,
  start: [timestamp?.seconds, timestamp?.nanos, historySizeBytes].join(' '),
});
