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
  let last: Activation | null = null;
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
            isHalf = last !== null && isUnstarted(last, activation);
            last = activation;
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

/** There are more events, and no start of a task among them, which would have brought both a new time and a new size. */
const isUnstarted = (before: Activation, now: Activation): boolean =>
  before.historyLength !== now.historyLength &&
  String(before.historySizeBytes) === String(now.historySizeBytes) &&
  timeOf(before) === timeOf(now);

const timeOf = ({ timestamp }: Activation): string =>
  `${String(timestamp?.seconds)}.${String(timestamp?.nanos)}`;
