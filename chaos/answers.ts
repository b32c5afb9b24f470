/**
 * What people said to a job in a chaos run and what the API answered: which words were accepted, how often each may
 * have been carried out, and what they explain. Pure.
 *
 * H1 A request without an answer is sent again, and may have been carried out all the same: of a refused word the
 *    last request alone was refused.
 */
import type { Ended } from './evidence.js';
import type { Act } from './schedule.js';

/** A pause is two words: it ends with the second. */
export type Word = Exclude<Act, { kind: 'terminate' }> | { kind: 'resume' };

export interface Answered {
  word: Word;
  /** Requests that may have been heard, of which only the last was answered. */
  sent: number;
  status: number;
  /** The run that the job was in when it answered; null when the answer shows no job. */
  run_id: string | null;
  /** Milliseconds since 1970: when the first request was sent, and when the last was answered. */
  asked_at: number;
  answered_at: number;
}

export const isAccepted = ({ status }: Answered): boolean => status === 200 || status === 202;

/** Requests for it that may have been carried out (H1). */
export const mostHeard = ({ answers }: Ended, isMeant: (word: Word) => boolean): number =>
  answers
    .filter(({ word }) => isMeant(word))
    .reduce((sum, answered) => sum + answered.sent - (isAccepted(answered) ? 0 : 1), 0);

/** Somebody asked for every cancellation that was told; null: of the job. One request cancels a clip at most once. */
export function wasCanceled(ended: Ended, clipIndex: number | null): boolean {
  const heard = mostHeard(
    ended,
    (word) =>
      word.kind === 'cancel' || (word.kind === 'cancel_clip' && word.clip_index === clipIndex),
  );
  const told = ended.log.filter((event) =>
    clipIndex === null
      ? event.type === 'job.canceled'
      : event.type === 'clip.canceled' &&
        event.clip_index === clipIndex &&
        event.clip.error?.kind === 'canceled',
  );
  return heard >= Math.max(1, told.length);
}
