/**
 * What a run of the job that was ended from outside has left at the provider. It is paid for already: the run that a
 * retry starts waits for it, fetches it or looks for it, before anything new is bought. Pure.
 */
import type { AttemptOver } from '../domain/activity.js';
import { MAX_ATTEMPTS } from '../domain/failure-kinds.js';
import type { Clip, Job, Prediction } from '../domain/job.js';
import { isTerminal, RETENTION } from '../domain/prediction.js';

/** What one clip goes on with. */
export interface Left {
  /** A prediction of its ledger that may still run, or whose file nobody has stored. */
  prediction: Prediction | null;
  /** When the clip was started in the run that was cut off: a create may have come through that no ledger has heard of. */
  since: string | null;
}

export class LeftBehind {
  readonly #clipTimeout: number;
  /** Clips that were under way at the end of a run that nobody asked to end, with when they were started. */
  readonly #cutOff: Map<number, string>;
  readonly #isRetried: boolean;

  /** Null for a job that is not a retried one: it has left nothing. */
  constructor(previous: Job | null, clipTimeout: number) {
    this.#isRetried = previous !== null;
    this.#clipTimeout = clipTimeout;
    this.#cutOff = new Map(
      previous?.clips.flatMap(({ clip_index, started_at, error }) =>
        error?.kind === 'internal' && started_at !== null ? [[clip_index, started_at]] : [],
      ),
    );
  }

  /** The prediction that a clip which is not under way goes on with: it needs no other to be bought. */
  of(clip: Clip): Prediction | null {
    return this.#running(clip) ?? (this.#cutOff.has(clip.clip_index) ? unstored(clip) : null);
  }

  /** The newest that may still run, unless it has had all the time that a clip has. */
  #running({ predictions }: Clip): Prediction | null {
    if (!this.#isRetried) return null;
    const since = Date.now() - this.#clipTimeout * 1000;
    const mayRun = ({ status, created_at }: Prediction): boolean =>
      !isTerminal(status) && Date.parse(created_at) > since;
    return predictions.findLast(mayRun) ?? null;
  }

  /** Told once: what a clip leaves later, it leaves to nobody. */
  take(clip: Clip): Left {
    const left = { prediction: this.of(clip), since: this.#cutOff.get(clip.clip_index) ?? null };
    this.#cutOff.delete(clip.clip_index);
    return left;
  }

  /** In the order of their start: first those that have left something, for that is alive (D1). */
  inOrder(queued: readonly Clip[]): number[] {
    const hasLeft = (clip: Clip): boolean =>
      this.#cutOff.has(clip.clip_index) || this.#running(clip) !== null;
    const first = queued.filter(hasLeft);
    const indexes = (clips: readonly Clip[]): number[] =>
      clips.map(({ clip_index }) => clip_index).sort((a, b) => a - b);
    return [...indexes(first), ...indexes(queued.filter((clip) => !first.includes(clip)))];
  }
}

/** Cut off while it was being stored. */
function unstored({ predictions }: Clip): Prediction | null {
  const last = predictions.at(-1);
  const isKept = Date.parse(last?.completed_at ?? '') > Date.now() - RETENTION * 1000;
  return last?.status === 'succeeded' && isKept ? last : null;
}

/** No further back than the provider keeps what a lost prediction is found by, and its file. */
export const lookedForSince = (cutOff: string): string =>
  new Date(Math.max(Date.parse(cutOff), Date.now() - RETENTION * 1000)).toISOString();

/** The provider's deadline of a prediction that was left, and its end by somebody else, do not count against this round. */
export function isOfEarlierTime(
  { prediction, error, attempt }: AttemptOver,
  since: string,
): boolean {
  const created = Date.parse(prediction?.created_at ?? since);
  const isEnded = error.kind === 'timed_out' || error.kind === 'canceled';
  return isEnded && created < Date.parse(since) && attempt < MAX_ATTEMPTS;
}
