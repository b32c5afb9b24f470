/**
 * Prevents a workflow from running half of a workflow task. A query may reach a worker that does not have the workflow in its
 * cache while a task of that workflow waits for a worker. SDK core then replays the history to its end, runs the events that
 * the task has gathered so far, and caches the result; when the task comes, only the rest of its events would be run. Every
 * later replay runs both parts at once, in another order, and the job would stand still for good with "[TMPRL1100]
 * Nondeterminism error" (decision 26; temporalio/sdk-go#755 is the same race).
 *
 * SPLIT-1 A cached workflow that was shown half of a task answers queries, and is evicted when its next task comes: that task
 *    fails once, and is run whole after a replay.
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
            // SPLIT-1. Also at a second query with yet more events: a workflow that was shown all of a task in parts would
            // not be activated for the task itself, and the commands of the parts would be sent.
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
  'a query has split this workflow task; nothing is lost: the task is run again, whole, after a replay';

const isQuery = ({ jobs }: Activation): boolean =>
  jobs?.some(({ queryWorkflow }) => queryWorkflow != null) === true;

interface Seen {
  events: Activation['historyLength'];
  /** Identifies the last task that was started: each has its own time and size of history. */
  start: string;
}

const seenOf = ({ historyLength, historySizeBytes, timestamp }: Activation): Seen => ({
  events: historyLength,
  start: [timestamp?.seconds, timestamp?.nanos, historySizeBytes].join(' '),
});
