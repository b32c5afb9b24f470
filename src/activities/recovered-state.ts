/**
 * What an execution knows of earlier ones, recovered from three places that fail in different ways: heartbeat details (lost
 * by a reset, or by a kill within the throttle), the activity's input (as of its scheduling), and the workflow's state
 * (lacks what was never signaled).
 */
import { ApplicationFailure } from '@temporalio/activity';
import type { GenerateClipInput, Heartbeat } from '../contract/activities.js';
import { INTERRUPTED } from '../domain/job/failures.js';
import type { Problem, Prediction } from '../domain/job/job.schema.js';
import type { OwnWorkflow } from '../adapters/temporal/workflow-calls.js';
import type { ClipMemory } from '../contract/workflow.js';
import type { Execution } from './execution.js';
import { firstAnswer, WAITS } from './waits.js';

export interface RecoveredState {
  failed_attempts: number;
  /** The prediction of the attempt under way. */
  prediction_id: string | null;
  /** It was found in the provider's list. */
  adopted: boolean;
  /** A create may have come through whose answer was lost: search before creating. */
  unclear: boolean;
  /** Ids in the workflow's ledger, of this clip or another one of the job. */
  known_ids: ReadonlySet<string>;
  /** The workflow has reserved the money for this attempt. */
  granted: boolean;
  last_error: Problem | null;
  /** The next attempt begins no earlier, even where this execution was started before. */
  next_attempt_at: string | null;
  /** When the provider could first have been asked for the clip; null when no execution has said so. */
  asked_at: string | null;
  /** The workflow knows that time. */
  is_asked_at_told: boolean;
}

const NOTHING_BEFORE = {
  granted: true,
  adopted: false,
  unclear: false,
  last_error: null,
  next_attempt_at: null,
};

export async function recoverState(
  execution: Execution,
  workflow: OwnWorkflow,
  input: GenerateClipInput,
): Promise<RecoveredState> {
  const details = heartbeatOf(execution.info);
  // However long the activity was queued: where no execution has begun, nothing was created.
  const isFresh = execution.isFirst && details === null && !input.unclear;
  const isToldByInput = input.resume !== null || input.failed_attempts === 0;
  if (isFresh && isToldByInput && !execution.isLate) {
    return {
      ...NOTHING_BEFORE,
      failed_attempts: input.failed_attempts,
      prediction_id: input.resume,
      known_ids: new Set(input.known),
      asked_at: input.asked_at ?? null,
      is_asked_at_told: input.asked_at != null,
    };
  }
  // The answer to a first heartbeat says whether the server still counts on this execution.
  if (execution.isLate) execution.beat({});
  const told = await askWorkflow(execution, workflow, input.clip_index);
  if (isOnAnotherModel(told, input)) {
    throw ApplicationFailure.retryable('the clip continues on another model', INTERRUPTED);
  }
  const failed = Math.max(
    input.failed_attempts,
    details?.failed_attempts ?? 0,
    told?.failed_attempts ?? 0,
  );
  const line = lineOf(failed + 1, told?.predictions ?? []);
  const beaten = details?.failed_attempts === failed ? details.prediction_id : null;
  const scheduled = input.failed_attempts === failed ? input.resume : null;
  const id = beaten ?? line?.id ?? scheduled;
  const isClear = isFresh || endedCleanly(execution, input, { failed, details });
  return {
    failed_attempts: failed,
    prediction_id: id,
    adopted: line?.id === id && line.adopted,
    unclear: id === null && !isClear,
    known_ids: new Set([
      ...(input.known ?? []),
      ...(told?.predictions.map((prediction) => prediction.id) ?? []),
      ...(told?.claimed ?? []),
    ]),
    granted: told?.granted ?? true,
    last_error: told?.last_error ?? null,
    next_attempt_at: told?.next_attempt_at ?? null,
    asked_at: told?.asked_at ?? input.asked_at ?? details?.asked_at ?? null,
    is_asked_at_told: (told?.asked_at ?? input.asked_at) != null,
  };
}

/** The attempt as the workflow knows it now: another execution may have continued it meanwhile. */
interface AttemptInWorkflow extends Pick<RecoveredState, 'prediction_id' | 'adopted' | 'granted'> {
  isOver: boolean;
}

/** Null when the execution was interrupted before the workflow answered. */
export async function askAboutAttempt({
  execution,
  workflow,
  input,
  number,
}: {
  execution: Execution;
  workflow: OwnWorkflow;
  input: GenerateClipInput;
  number: number;
}): Promise<AttemptInWorkflow | null> {
  const told = await askWorkflow(execution, workflow, input.clip_index);
  if (told === null) return null;
  const line = lineOf(number, told.predictions);
  return {
    prediction_id: line?.id ?? null,
    adopted: line?.adopted ?? false,
    granted: told.granted,
    isOver: told.failed_attempts >= number || isOnAnotherModel(told, input),
  };
}

/** The workflow has given up this execution, which has not heard of it, and has moved the clip to another model. */
const isOnAnotherModel = (told: ClipMemory | null, { model }: GenerateClipInput): boolean =>
  told?.model !== undefined && told.model !== model;

/** The prediction of an attempt. Of two it is the one that was not ended: the other is a late duplicate. */
const lineOf = (attempt: number, predictions: readonly Prediction[]): Prediction | undefined => {
  const lines = predictions.filter((line) => line.attempt === attempt);
  return lines.findLast(({ status }) => status !== 'canceled') ?? lines.at(-1);
};

/**
 * Every execution before this one ended in a failure that was recorded, so none was cut off midway. Counting alone does not
 * tell, for `temporal activity reset` begins the count anew. So the last heartbeat has to agree: an execution that fails says in
 * it that the attempt is over, and a later one that creates a prediction sends a heartbeat first.
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

/** The last heartbeat of the execution before this one. */
export function heartbeatOf({ heartbeatDetails }: Execution['info']): Heartbeat | null {
  const beat = heartbeatDetails as Partial<Heartbeat> | null | undefined;
  return typeof beat?.failed_attempts === 'number' ? (beat as Heartbeat) : null;
}

/** Asks until there is an answer: without the ledger a lost prediction could be paid again. */
const askWorkflow = (
  execution: Execution,
  workflow: OwnWorkflow,
  clipIndex: number,
): Promise<ClipMemory | null> =>
  firstAnswer(
    WAITS.query,
    { wait: execution.wait, isOver: () => execution.interruption !== null },
    async () => {
      try {
        return await workflow.memory(clipIndex);
      } catch (error) {
        execution.context.log.warn('the workflow did not answer; asking again', { error });
        execution.beat({ message: 'the workflow does not answer' });
        return null;
      }
    },
  );
