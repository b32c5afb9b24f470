/**
 * What an execution knows of those before it, from three places that fail in different ways: heartbeat
 * details (lost by a reset or a kill within the throttle), the activity's input (as of its scheduling),
 * and the workflow's state (lacks what was never signaled).
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { GenerateClipInput, Heartbeat } from '../contract/activities.js';
import { INTERRUPTED } from '../domain/job/failures.js';
import type { Problem, Prediction } from '../domain/job/job.schema.js';
import type { OwnWorkflow } from '../adapters/temporal/workflow-calls.js';
import type { ClipMemory } from '../contract/workflow.js';
import type { Attempt } from './attempt.js';
import type { Execution } from './execution.js';

export interface Memory {
  failed_attempts: number;
  /** The prediction of the attempt under way. */
  open: string | null;
  adopted: boolean;
  /** Something may have been created that nobody knows of: look before creating. */
  unclear: boolean;
  /** Ids that the workflow's ledger has, of this clip or another of the job. */
  known: ReadonlySet<string>;
  granted: boolean;
  last_error: Problem | null;
  /** Before this the next attempt is too early, whoever started this execution. */
  next_attempt_at: string | null;
  /** When the provider could first have been asked for the clip; null when nobody has said so. */
  asked_at: string | null;
  /** The workflow knows that time. */
  is_asked_told: boolean;
}

const BLANK = { granted: true, adopted: false, last_error: null, next_attempt_at: null };

export async function recall(
  execution: Execution,
  workflow: OwnWorkflow,
  input: GenerateClipInput,
): Promise<Memory> {
  const details = heartbeatOf(execution.info);
  // However long it lay in the queue: where nobody began, nothing was created.
  const isFresh = execution.isFirst && details === null && !input.unclear;
  const isTold = input.resume !== null || input.failed_attempts === 0;
  if (isFresh && isTold && !execution.isLate) {
    return {
      ...BLANK,
      failed_attempts: input.failed_attempts,
      open: input.resume,
      unclear: false,
      known: new Set(input.known),
      asked_at: input.asked_at ?? null,
      is_asked_told: input.asked_at != null,
    };
  }
  // The answer to a first heartbeat says whether the server still counts on this execution.
  if (execution.isLate) execution.beat({});
  const told = await ask(execution, workflow, input.clip_index);
  if (isOfAnother(told, input)) {
    throw ApplicationFailure.retryable('another model went on', INTERRUPTED);
  }
  const failed = Math.max(
    input.failed_attempts,
    details?.failed_attempts ?? 0,
    told?.failed_attempts ?? 0,
  );
  const last = lineOf(failed + 1, told?.predictions ?? []);
  const beaten = details?.failed_attempts === failed ? details.prediction_id : null;
  const open = beaten ?? last?.id ?? (input.failed_attempts === failed ? input.resume : null);
  return {
    failed_attempts: failed,
    open,
    adopted: last?.id === open && last.adopted,
    unclear: open === null && !(isFresh || endedCleanly(execution, input, { failed, details })),
    known: new Set([
      ...(input.known ?? []),
      ...(told?.predictions.map(({ id }) => id) ?? []),
      ...(told?.claimed ?? []),
    ]),
    granted: told?.granted ?? true,
    last_error: told?.last_error ?? null,
    next_attempt_at: told?.next_attempt_at ?? null,
    asked_at: told?.asked_at ?? input.asked_at ?? details?.asked_at ?? null,
    is_asked_told: (told?.asked_at ?? input.asked_at) != null,
  };
}

/** What the workflow has heard of this attempt since it began; null when the execution was cut off first. */
export async function newsOf(
  attempt: Attempt,
): Promise<(Pick<Memory, 'open' | 'adopted' | 'granted'> & { isOver: boolean }) | null> {
  const { execution, workflow, input, number } = attempt;
  const told = await ask(execution, workflow, input.clip_index);
  if (told === null) return null;
  const line = lineOf(number, told.predictions);
  return {
    open: line?.id ?? null,
    adopted: line?.adopted ?? false,
    granted: told.granted,
    isOver: told.failed_attempts >= number || isOfAnother(told, input),
  };
}

/** The clip is made on another model by now: this execution was given up, and has not heard of it. */
const isOfAnother = (told: ClipMemory | null, { model }: GenerateClipInput): boolean =>
  told?.model !== undefined && told.model !== model;

/** The prediction of an attempt, which of two is the one that was not ended: the other was a twin that turned up late. */
const lineOf = (attempt: number, predictions: readonly Prediction[]): Prediction | undefined => {
  const lines = predictions.filter((line) => line.attempt === attempt);
  return lines.findLast(({ status }) => status !== 'canceled') ?? lines.at(-1);
};

/**
 * Every execution before this one ended in a failure that was recorded, so none was cut off midway. Counting alone
 * would not tell, for `temporal activity reset` begins the count anew. What the last one said has to agree: the word
 * that its attempt is over rides with its failure, and whoever creates after it says so first.
 */
const endedCleanly = (
  execution: Execution,
  input: GenerateClipInput,
  { failed, details }: { failed: number; details: Heartbeat | null },
): boolean =>
  !input.unclear &&
  execution.info.attempt > 1 &&
  execution.info.attempt - 1 === failed - input.failed_attempts &&
  details?.attempt === failed &&
  details.failed_attempts === failed;

/** What the execution before this one was last heard of with. */
export function heartbeatOf({ heartbeatDetails }: Execution['info']): Heartbeat | null {
  const beat = heartbeatDetails as Partial<Heartbeat> | null | undefined;
  return typeof beat?.failed_attempts === 'number' ? (beat as Heartbeat) : null;
}

/** Asked until answered: without the ledger a lost prediction could be paid again. */
async function ask(
  execution: Execution,
  workflow: OwnWorkflow,
  clipIndex: number,
): Promise<ClipMemory | null> {
  while (execution.interruption === null) {
    try {
      return await workflow.memory(clipIndex);
    } catch (error) {
      execution.context.log.warn('the workflow did not answer; asking again', { error });
      execution.beat({ message: 'the workflow does not answer' });
      await execution.wait(1_000);
    }
  }
  return null;
}
