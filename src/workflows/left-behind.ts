/**
 * What an earlier round of a clip, or a run of its job that was ended from outside, has left at the provider. It is
 * paid for already: whoever goes on waits for it and looks for it, before anything new is bought. Pure.
 */
import type { Clip, Job, Prediction } from '../domain/job.js';
import { isTerminal } from '../domain/prediction.js';

/** The newest prediction that may still run, unless it has had all the time that a clip has. */
export const leftRunning = (
  predictions: readonly Prediction[],
  clipTimeout: number,
): Prediction | null =>
  predictions.findLast(
    ({ status, created_at }) =>
      !isTerminal(status) && Date.parse(created_at) > Date.now() - clipTimeout * 1000,
  ) ?? null;

export class LeftBehind {
  readonly #clipTimeout: number;
  /**
   * Clips that were under way when the run before this one was ended without being asked (terminated, timed out), each
   * with when it was started: a create of theirs may have come through that no ledger has heard of.
   */
  readonly #cutOff: Map<number, string>;

  constructor(previous: Job | null, clipTimeout: number) {
    this.#clipTimeout = clipTimeout;
    this.#cutOff = new Map(
      previous?.clips.flatMap(({ clip_index, started_at, error }) =>
        error?.kind === 'internal' && started_at !== null ? [[clip_index, started_at]] : [],
      ),
    );
  }

  /** Its id, of the predictions of a clip that is not under way. */
  running(predictions: readonly Prediction[]): string | null {
    return leftRunning(predictions, this.#clipTimeout)?.id ?? null;
  }

  /** When the clip was started in the run that was cut off, if it was under way there; told once. */
  cutOff(index: number): string | null {
    const at = this.#cutOff.get(index) ?? null;
    this.#cutOff.delete(index);
    return at;
  }

  /** In the order of their start: first those that have left something, for that is alive (D1). */
  inOrder(queued: readonly Clip[]): number[] {
    const hasLeft = ({ clip_index, predictions }: Clip): boolean =>
      this.#cutOff.has(clip_index) || this.running(predictions) !== null;
    const first = queued.filter(hasLeft);
    const indexes = (clips: readonly Clip[]): number[] =>
      clips.map(({ clip_index }) => clip_index).sort((a, b) => a - b);
    return [...indexes(first), ...indexes(queued.filter((clip) => !first.includes(clip)))];
  }
}
