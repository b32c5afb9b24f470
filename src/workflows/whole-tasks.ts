/**
 * Keeps a workflow from being shown half of a workflow task. A query may reach a worker that has not the job in memory
 * while a task of it waits for a worker. The SDK then reads the history to its end and runs what the task has gathered
 * so far, keeps the result, and runs the rest when the task comes (temporalio/sdk-go#755 is the same; SDK core has it in
 * `HistoryUpdate::take_next_wft_sequence`). A later replay runs both at once, in another order, and the job would stand
 * still for good with "[TMPRL1100] Nondeterminism error".
 *
 * T1 What belongs to no started task is not run: the query fails, the half-shown copy is forgotten, and whoever asks
 *    again is answered from a whole one.
 */
import type { ActivateInput, WorkflowInterceptorsFactory } from '@temporalio/workflow';

type Activation = ActivateInput['activation'];

export const interceptors: WorkflowInterceptorsFactory = () => {
  let last: Activation | null = null;
  return {
    internals: [
      {
        activate(input, next) {
          const { activation } = input;
          if (!isQuery(activation)) {
            if (last !== null && isUnstarted(last, activation)) throw new Error(ASK_AGAIN);
            last = activation;
          }
          next(input);
        },
      },
    ],
  };
};

const ASK_AGAIN =
  'this worker was asked while the job had news that waited for a worker; ask again';

const isQuery = ({ jobs }: Activation): boolean =>
  jobs?.some(({ queryWorkflow }) => queryWorkflow != null) === true;

/** There are more events, and no start of a task among them, which would have brought both a new time and a new size. */
const isUnstarted = (before: Activation, now: Activation): boolean =>
  before.historyLength !== now.historyLength &&
  String(before.historySizeBytes) === String(now.historySizeBytes) &&
  timeOf(before) === timeOf(now);

const timeOf = ({ timestamp }: Activation): string =>
  `${String(timestamp?.seconds)}.${String(timestamp?.nanos)}`;
