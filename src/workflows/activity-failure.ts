/** Reads the failures that activities end with: what was cut off, what was canceled, what was found out. Pure. */
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

/** Executions that were cut off: the attempt goes on in the next one. */
export const isInterruption = (cause: Error | undefined): boolean =>
  cause instanceof TimeoutFailure ||
  (cause instanceof ApplicationFailure &&
    (cause.type === INTERRUPTED || cause.type === 'WorkerShutdown'));

/** No worker came for it in time, or the server lost it. */
export const wasNeverStarted = (cause: Error | undefined): boolean =>
  cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';

/** What the execution was last heard of with. */
export const lastHeard = (cause: Error): Heartbeat | null =>
  cause instanceof TimeoutFailure
    ? ((cause.lastHeartbeatDetails as Heartbeat | undefined) ?? null)
    : null;

export function attemptOver(cause: Error | undefined): AttemptOver | null {
  if (!(cause instanceof ApplicationFailure)) return null;
  return (cause.details?.[0] as AttemptOver | undefined) ?? null;
}

/** Null when no execution has said so itself: of one that is not running at the time, the server writes a mere word. */
export function canceledExecution(error: unknown): CanceledExecution | null {
  const cause = causeOf(error) ?? error;
  const details: unknown = cause instanceof CancelledFailure ? cause.details[0] : null;
  return typeof details === 'object' ? (details as CanceledExecution | null) : null;
}

/** Why storing gave up. A model that makes another kind of file makes it again: another attempt is paid for nothing. */
export function storingProblem(cause: Error): Problem {
  const kind =
    cause instanceof ApplicationFailure && isFailureKind(cause.type) ? cause.type : 'output_lost';
  const told = problem(kind, cause.message);
  return kind === 'no_output' ? { ...told, retryable: false } : told;
}
