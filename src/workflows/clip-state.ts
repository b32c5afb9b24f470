/**
 * One clip as the job knows it: every prediction over all its rounds, the attempts of this round, the money that is reserved
 * for it, and what it carries over from a run that was ended from outside. What is shown of a clip is derived from here.
 * Bookkeeping in workflow state, without effects.
 *
 * CLIP-1 A settled prediction is never unsettled, and none is removed.
 * CLIP-2 A next attempt is granted once: its money is reserved when the attempt before has failed, or when the cap changes.
 * CLIP-3 A cost that is not known counts with its estimate, never as nothing. That goes for a prediction that still runs though
 *    its clip no longer waits for it, and for one that may exist and could not be looked for.
 */
import type { AttemptOver, CarriedClip } from '../contract/activities.js';
import type { ClipMemory } from '../contract/workflow.js';
import type { Clip, Prediction, Problem } from '../domain/job/job.schema.js';
import { isTerminal, RETENTION } from '../domain/job/prediction-status.js';
import { MAX_ATTEMPTS } from '../domain/job/retry-policy.js';
import { addUsd } from '../domain/values/decimal.js';

/** What a round resumes of a run that was ended from outside. It is paid for already. */
export interface CarriedOver {
  /** A prediction that may still run, or whose file is not stored. */
  prediction: Prediction | null;
  /** When that run had started the clip: a create of it may have come through that no ledger knows. */
  since: string | null;
}

export const NOTHING_CARRIED: CarriedOver = { prediction: null, since: null };

/** The attempts of one round. */
interface Round {
  failed_attempts: number;
  /** May the current attempt create a prediction? */
  granted: boolean;
  last_error: Problem | null;
  next_attempt_at: string | null;
}

const NEW_ROUND: Round = {
  failed_attempts: 0,
  granted: true,
  last_error: null,
  next_attempt_at: null,
};

/** US dollars that one prediction of the clip is expected to cost, by model; empty in a job with one model. */
export type Estimates = ReadonlyMap<string, number | null>;

export class ClipState {
  readonly index: number;
  readonly #estimates: Estimates;
  /** Of the dearest model: what a prediction counts for when its model is not known. */
  readonly #highestEstimate: number;
  /** The model that makes the clip, or will be the first to; undefined in a job with one model. */
  #model: string | undefined;
  #predictions: readonly Prediction[];
  /** How many of them are of earlier rounds, before `retryClip` or a retried job. */
  #earlier: number;
  #round: Round = NEW_ROUND;
  /** The predictions that existed when the money was reserved, which it does not cover; null when none is reserved. */
  #notCovered: ReadonlySet<string> | null = null;
  /** Creates that may have come through, and whose predictions could not be looked for. */
  #unknownCreates: number;
  #cutOff: string | null;
  readonly #cutOffOn: string | undefined;
  /** Seconds for which a prediction of an earlier run may still run; null in a job that was never retried. */
  readonly #carryOverFor: number | null;
  #isInRound = false;
  /** Computed when it is asked for; null after each change. */
  #spent: number | null = null;

  constructor(
    clip: Clip,
    carryOverFor: number | null,
    carried: Partial<CarriedClip> = {},
    estimates: Estimates = new Map(),
  ) {
    this.index = clip.clip_index;
    this.#estimates = estimates;
    this.#highestEstimate =
      estimates.size === 0
        ? (clip.estimated_cost_usd ?? 0)
        : Math.max(...[...estimates.values()].map((usd) => usd ?? 0));
    this.#predictions = clip.predictions;
    this.#earlier = clip.predictions.length;
    this.#carryOverFor = carryOverFor;
    this.#unknownCreates = carried.unknown ?? 0;
    this.#cutOff = carried.cut_off ?? null;
    this.#cutOffOn = carried.model;
    this.resetModel();
  }

  // Model

  get model(): string | undefined {
    return this.#model;
  }

  /** To the model that the next round begins with (MODELS-1). */
  resetModel(): void {
    const cutOffOn = this.#cutOff === null ? undefined : this.#cutOffOn;
    this.switchTo(this.carriedOver?.model ?? cutOffOn ?? [...this.#estimates.keys()][0]);
  }

  switchTo(model: string | undefined): void {
    this.#model = model;
    this.#spent = null;
  }

  // Rounds and attempts

  /** A new round of attempts. What is carried over is taken once: a later round of this run has nothing to take. */
  startRound(): CarriedOver {
    const carriedOver = { prediction: this.carriedOver, since: this.#cutOff };
    this.#cutOff = null;
    this.#isInRound = true;
    this.#earlier = this.#predictions.length;
    this.#round = NEW_ROUND;
    return carriedOver;
  }

  endRound(): void {
    this.#isInRound = false;
    this.release();
  }

  get failedAttempts(): number {
    return this.#round.failed_attempts;
  }

  get currentAttempt(): number {
    return this.#round.failed_attempts + 1;
  }

  get isGranted(): boolean {
    return this.#round.granted;
  }

  /** A repeated signal changes nothing. True when the failure is new. */
  failAttempt({
    attempt,
    error,
    delay,
  }: Pick<AttemptOver, 'attempt' | 'error' | 'delay'>): boolean {
    if (attempt <= this.failedAttempts) return false;
    this.#round = {
      failed_attempts: attempt,
      granted: false,
      last_error: error,
      next_attempt_at: new Date(Date.now() + delay * 1000).toISOString(),
    };
    return true;
  }

  /** CLIP-2: `reserve` reserves the money, if the cap allows it. True when the attempt is granted now. */
  grant(reserve: () => boolean): boolean {
    if (this.#round.granted || !reserve()) return false;
    this.#round = { ...this.#round, granted: true };
    return true;
  }

  /** What the clip shows while it waits for its next attempt. */
  get retrying(): Partial<Clip> {
    const { failed_attempts, last_error, next_attempt_at } = this.#round;
    return {
      status: 'retrying',
      attempt: failed_attempts,
      retry_count: failed_attempts,
      error: last_error,
      next_attempt_at,
    };
  }

  /** Answer of query `clipMemory`; `others`: ids of predictions of other clips. */
  memory(others: readonly string[]): Omit<ClipMemory, 'asked_at'> {
    return {
      ...(this.#model === undefined ? {} : { model: this.#model }),
      ...this.#round,
      predictions: [...this.roundPredictions],
      claimed: [...this.earlierPredictions.map(({ id }) => id), ...others],
    };
  }

  // Predictions

  get predictions(): readonly Prediction[] {
    return this.#predictions;
  }

  get earlierPredictions(): readonly Prediction[] {
    return this.#predictions.slice(0, this.#earlier);
  }

  /** Those of this round on its model. */
  get roundPredictions(): readonly Prediction[] {
    return this.#predictions.slice(this.#earlier).filter(({ model }) => model === this.#model);
  }

  /** Those that may still run at the provider. */
  get openPredictions(): Prediction[] {
    return this.#predictions.filter(({ status }) => !isTerminal(status));
  }

  isOpen(id: string): boolean {
    return this.openPredictions.some((prediction) => prediction.id === id);
  }

  /** The one that the current attempt may still run. */
  get currentPrediction(): Prediction | null {
    const { currentAttempt } = this;
    return (
      this.roundPredictions.findLast(
        ({ attempt, status }) => attempt === currentAttempt && !isTerminal(status),
      ) ?? null
    );
  }

  /** Adds or updates a prediction (CLIP-1); true when it is new. `model`: the one that was asked for it. */
  enter(prediction: Prediction, model = this.#model): boolean {
    this.#spent = null;
    const at = this.#predictions.findIndex(({ id }) => id === prediction.id);
    const before = this.#predictions[at];
    if (before === undefined) {
      const line = model === undefined ? prediction : { ...prediction, model };
      this.#predictions = [...this.#predictions, line];
      return true;
    }
    if (!isTerminal(before.status)) {
      const { created_at, model: asked } = before;
      this.#predictions = this.#predictions.with(at, {
        ...prediction,
        created_at,
        adopted: before.adopted || prediction.adopted,
        ...(asked === undefined ? {} : { model: asked }),
      });
    }
    return false;
  }

  /** Makes a running prediction of an earlier round the first attempt of this one; false when it has ended. */
  resume(id: string): boolean {
    const at = this.#predictions.findIndex((prediction) => prediction.id === id);
    const prediction = this.#predictions[at];
    if (prediction === undefined || isTerminal(prediction.status)) return false;
    this.#predictions = [...this.#predictions.toSpliced(at, 1), { ...prediction, attempt: 1 }];
    this.#earlier -= 1;
    return true;
  }

  // Money

  /** US dollars that one prediction is expected to cost; 0 where no price is known. */
  get estimate(): number {
    return this.#estimateOn(this.#model);
  }

  #estimateOn(model: string | undefined): number {
    const known = model === undefined ? undefined : this.#estimates.get(model);
    return known === undefined ? this.#highestEstimate : (known ?? 0);
  }

  /** The sum of the known costs; null as long as none is known. */
  get knownCost(): number | null {
    const known = this.#predictions.filter(({ cost_usd }) => cost_usd !== null);
    return known.length === 0 ? null : addUsd(...known.map(({ cost_usd }) => cost_usd));
  }

  get isCostKnown(): boolean {
    return (
      this.#unknownCreates === 0 && this.#predictions.every(({ cost_usd }) => cost_usd !== null)
    );
  }

  /** US dollars: the known, possible and still expected cost of the predictions (CLIP-3), without the reserved money. */
  get spent(): number {
    this.#spent ??= addUsd(
      this.#unknownCreates * this.#highestEstimate,
      ...this.#predictions.map(({ id, cost_usd, status, model }) => {
        const isCovered = !isTerminal(status) && this.#notCovered?.has(id) === false;
        return cost_usd ?? (isCovered ? 0 : this.#estimateOn(model));
      }),
    );
    return this.#spent;
  }

  get isReserved(): boolean {
    return this.#notCovered !== null;
  }

  /** Reserves the money of one prediction: a clip has at most one alive. It covers the one that is carried over. */
  reserve(): void {
    const carriedOver = this.carriedOver?.id;
    const ids = this.#predictions.map(({ id }) => id);
    this.#notCovered = new Set(ids.filter((id) => id !== carriedOver));
    this.#spent = null;
  }

  release(): void {
    this.#notCovered = null;
    this.#spent = null;
  }

  /** Whether a create came through cannot be found out: its estimate counts for good. */
  countUnknownCreate(): void {
    this.#unknownCreates += 1;
    this.#spent = null;
  }

  // What is carried over from a run that was ended from outside

  get carriesOver(): boolean {
    return this.#cutOff !== null || this.#stillRunning !== null;
  }

  /** The prediction that the clip's next round resumes, so that no new one has to be paid; null during a round. */
  get carriedOver(): Prediction | null {
    return this.#stillRunning ?? (this.#cutOff === null ? null : unstored(this.#predictions));
  }

  /** The newest that may still run, unless it has had all the time that a clip has. */
  get #stillRunning(): Prediction | null {
    if (this.#carryOverFor === null || this.#isInRound) return null;
    const since = Date.now() - this.#carryOverFor * 1000;
    const mayRun = ({ status, created_at }: Prediction): boolean =>
      !isTerminal(status) && Date.parse(created_at) > since;
    return this.#predictions.findLast(mayRun) ?? null;
  }

  /** For the next run of the chain: what the clip itself does not show; null when there is nothing. */
  get carried(): CarriedClip | null {
    const isBlank = this.#unknownCreates === 0 && this.#cutOff === null;
    return isBlank
      ? null
      : {
          clip_index: this.index,
          unknown: this.#unknownCreates,
          cut_off: this.#cutOff,
          ...(this.#cutOffOn === undefined ? {} : { model: this.#cutOffOn }),
        };
  }
}

/** The newest prediction, where it has succeeded and the provider still has its file. */
function unstored(predictions: readonly Prediction[]): Prediction | null {
  const last = predictions.at(-1);
  const isKept = Date.parse(last?.completed_at ?? '') > Date.now() - RETENTION * 1000;
  return last?.status === 'succeeded' && isKept ? last : null;
}

/** The clips that were under way when a run was ended from outside, each with the time when it had been started. */
export const cutOffIn = (clips: readonly Clip[]): CarriedClip[] =>
  clips.flatMap(({ clip_index, started_at, error, model }) =>
    error?.kind === 'internal' && started_at !== null
      ? [
          {
            clip_index,
            unknown: 0,
            cut_off: started_at,
            ...(model === undefined ? {} : { model }),
          },
        ]
      : [],
  );

/** No further back than the provider keeps the inputs that a lost prediction is found by, and its file. */
export const lookedForSince = (cutOff: string): string =>
  new Date(Math.max(Date.parse(cutOff), Date.now() - RETENTION * 1000)).toISOString();

/** A prediction of an earlier run that its deadline or another program has ended does not count against this round. */
export function isOfEarlierTime(
  { prediction, error, attempt }: AttemptOver,
  since: string,
): boolean {
  const created = Date.parse(prediction?.created_at ?? since);
  const isEnded = error.kind === 'timed_out' || error.kind === 'canceled';
  return isEnded && created < Date.parse(since) && attempt < MAX_ATTEMPTS;
}
