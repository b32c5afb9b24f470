/** Reads the failures that activities end with: interruptions, cancellations, and the ends of attempts. Pure. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { AttemptOver, CanceledExecution, Heartbeat } from '../contract/activities.js';
import { INTERRUPTED, isFailureKind, problem } from '../domain/job/failure-kinds.js';
import type { Problem } from '../domain/job/job.schema.js';

export const causeOf = (error: unknown): Error | undefined =>
  error instanceof ActivityFailure ? error.cause : undefined;

/** The execution was cut off: the next one resumes its attempt. */
export const isInterruption = (cause: Error | undefined): boolean =>
  cause instanceof TimeoutFailure ||
  (cause instanceof ApplicationFailure &&
    (cause.type === INTERRUPTED || cause.type === 'WorkerShutdown'));

/** No worker took the activity in time, or the server lost its task. */
export const wasNeverStarted = (cause: Error | undefined): boolean =>
  cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';

/** The last heartbeat of the execution. */
export const lastHeard = (cause: Error): Heartbeat | null =>
  cause instanceof TimeoutFailure
    ? ((cause.lastHeartbeatDetails as Heartbeat | undefined) ?? null)
    : null;

export function attemptOver(cause: Error | undefined): AttemptOver | null {
  if (!(cause instanceof ApplicationFailure)) return null;
  return (cause.details?.[0] as AttemptOver | undefined) ?? null;
}

/** Null when the details are not the execution's own: for an activity without a running execution the server writes a text. */
export function canceledExecution(error: unknown): CanceledExecution | null {
  const cause = causeOf(error) ?? error;
  const details: unknown = cause instanceof CancelledFailure ? cause.details[0] : null;
  return typeof details === 'object' ? (details as CanceledExecution | null) : null;
}

/** Why storing gave up. A model that returned another kind of file would return it again: another attempt would be paid in vain. */
export function storingProblem(cause: Error): Problem {
  const kind =
    cause instanceof ApplicationFailure && isFailureKind(cause.type) ? cause.type : 'output_lost';
  const error = problem(kind, cause.message);
  return kind === 'no_output' ? { ...error, retryable: false } : error;
}
