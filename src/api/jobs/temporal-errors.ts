/** What Temporal's client throws, as the port's errors. Pure. */
import {
  isGrpcServiceError,
  QueryNotRegisteredError,
  QueryRejectedError,
} from '@temporalio/client';
import { PayloadTrouble } from '../../adapters/storage/payload-files.js';
import { StoreAway, TemporalAway } from './jobs-port.js';

/** gRPC codes. */
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;
const AWAY = new Set([CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE]);
const UNANSWERED = new Set([CANCELLED, DEADLINE_EXCEEDED, FAILED_PRECONDITION]);

function codeOf(error: unknown): number | null {
  if (isGrpcServiceError(error)) return error.code;
  if (!(error instanceof Error)) return null;
  // The client's own "not found" carries no code.
  if (error.name === 'WorkflowNotFoundError') return NOT_FOUND;
  return error.cause === undefined ? null : codeOf(error.cause);
}

export const isNotFound = (error: unknown): boolean => codeOf(error) === NOT_FOUND;
export const isLate = (error: unknown): boolean => codeOf(error) === DEADLINE_EXCEEDED;
export const isInvalid = (error: unknown): boolean => codeOf(error) === INVALID_ARGUMENT;

const isStoreTrouble = (error: unknown): boolean =>
  error instanceof Error && (error instanceof PayloadTrouble || isStoreTrouble(error.cause));

export function translate(error: unknown): unknown {
  if (AWAY.has(codeOf(error) ?? 0)) {
    return new TemporalAway('Temporal cannot be reached', { cause: error });
  }
  return isStoreTrouble(error)
    ? new StoreAway(
        'what is large is kept in DATA_DIR/payloads, which failed; the log of this process says why',
        { cause: error },
      )
    : error;
}

/** No poller, a worker too old to know the query, or silence: for the asker all the same. */
export const isUnanswered = (error: unknown): boolean =>
  error instanceof QueryNotRegisteredError ||
  error instanceof QueryRejectedError ||
  UNANSWERED.has(codeOf(error) ?? 0);
