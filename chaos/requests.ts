/**
 * What the answers to the users' requests of a chaos run tell: which were accepted, how often each may have been
 * carried out, and which cancellations they explain. Pure.
 *
 * CHAOS-ANSWER-1 A request without an answer is sent again, and may have been carried out all the same. For a refused
 *    request, only the last sending is known to be refused.
 */
import type { AnsweredRequest, JobEvidence, SteeringRequest } from './evidence.js';

export const isAccepted = ({ status }: AnsweredRequest): boolean =>
  status === 200 || status === 202;

/** How many of the requests may have been carried out at most (CHAOS-ANSWER-1). */
export const maxCarriedOut = (
  { answers }: JobEvidence,
  isMeant: (request: SteeringRequest) => boolean,
): number =>
  answers
    .filter(({ request }) => isMeant(request))
    .reduce((sum, answered) => sum + answered.sent - (isAccepted(answered) ? 0 : 1), 0);

/** Every cancellation in the log was requested; null: of the job. One request cancels a clip at most once. */
export function wasCanceled(evidence: JobEvidence, clipIndex: number | null): boolean {
  const heard = maxCarriedOut(
    evidence,
    (request) =>
      request.kind === 'cancel' ||
      (request.kind === 'cancel_clip' && request.clip_index === clipIndex),
  );
  const told = evidence.log.filter((event) =>
    clipIndex === null
      ? event.type === 'job.canceled'
      : event.type === 'clip.canceled' &&
        event.clip_index === clipIndex &&
        event.clip.error?.kind === 'canceled',
  );
  return heard >= Math.max(1, told.length);
}
