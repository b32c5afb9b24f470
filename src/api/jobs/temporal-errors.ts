/** Errors of Temporal's client, as those of the port. Pure. */
import { status } from '@grpc/grpc-js';
import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
} from '@temporalio/client';
import { PayloadTrouble } from '../../adapters/storage/payload-files.js';
import { UnreadablePayload } from '../../adapters/temporal/payload-codec.js';
import { StoreAway, TemporalAway } from './jobs-port.js';

const AWAY = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.UNAVAILABLE,
]);
const UNANSWERED = new Set([
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  status.FAILED_PRECONDITION,
]);

function codeOf(error: unknown): status | null {
  if (isGrpcServiceError(error)) return error.code;
  if (!(error instanceof Error)) return null;
  // The client's own "not found" carries no code.
  if (error.name === 'WorkflowNotFoundError') return status.NOT_FOUND;
  return error.cause === undefined ? null : codeOf(error.cause);
}

export const isNotFound = (error: unknown): boolean => codeOf(error) === status.NOT_FOUND;
export const isLate = (error: unknown): boolean => codeOf(error) === status.DEADLINE_EXCEEDED;
export const isInvalid = (error: unknown): boolean => codeOf(error) === status.INVALID_ARGUMENT;

const isStoreTrouble = (error: unknown): boolean =>
  error instanceof Error && (error instanceof PayloadTrouble || isStoreTrouble(error.cause));

function unreadable(error: unknown): UnreadablePayload | null {
  if (error instanceof UnreadablePayload) return error;
  return error instanceof Error ? unreadable(error.cause) : null;
}

export function translate(error: unknown): unknown {
  if (AWAY.has(codeOf(error) ?? status.OK)) {
    return new TemporalAway('Temporal cannot be reached', { cause: error });
  }
  const encrypted = unreadable(error);
  if (encrypted !== null) return new StoreAway(encrypted.message, { cause: error });
  return isStoreTrouble(error)
    ? new StoreAway(
        'large payloads are kept in the store, which failed; the log of this process says why',
        { cause: error },
      )
    : error;
}

/** The server has no code of its own for it. */
export const isOfUnbegunRun = (error: unknown): boolean =>
  error instanceof Error &&
  (error.message.includes('closed before WorkflowTaskStarted') || isOfUnbegunRun(error.cause));

/** No poller, a worker that does not know the query, or no answer in time: to the caller the same. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof QueryNotRegisteredError ||
  error instanceof QueryRejectedError ||
  UNANSWERED.has(codeOf(error) ?? status.OK);
