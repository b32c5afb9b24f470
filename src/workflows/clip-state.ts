/**
 * One clip as the job knows it: every prediction over all its rounds, the attempts of this round, the money that is held for
 * it, and what a run that was cut off has left of it. What is shown of a clip is told from here. Pure bookkeeping in workflow
 * state.
 *
 * K1 A settled prediction is never unsettled, and none is removed.
 * K2 A next attempt is granted once: its money is held when the one before is over, or when the cap changes.
 * K3 What nobody knows the cost of counts with its estimate, never as nothing: a prediction that still runs though nobody
 *    waits for it, and one that may have been created and could not be looked for.
 */
import type { AttemptOver, CarriedClip } from '../contract/activities.js';
import { addUsd } from '../domain/values/decimal.js';
import type { Problem, Clip, Prediction } from '../domain/job/job.schema.js';
import { isTerminal, RETENTION } from '../domain/job/prediction-status.js';
import { MAX_ATTEMPTS } from '../domain/job/retry-policy.js';
import type { ClipMemory } from '../contract/workflow.js';

/** What a round goes on with of a run that was ended from outside. It is paid for already. */
export interface Left {
  /** A prediction that may still run, or whose file nobody has stored. */
  prediction: Prediction | null;
  /** When the clip was started in the run that was cut off: a create may have come through that no ledger has heard of. */
  since: string | null;
  /** The model that makes the clip then, in a job that has several. */
  model: string | undefined;
}

/** The attempts of one round. */
interface Round {
  over: number;
  granted: boolean;
  last_error: Problem | null;
  next_attempt_at: string | null;
}

const FIRST: Round = { over: 0, granted: true, last_error: null, next_attempt_at: null };

/** By the models of a job that has several: US dollars that one prediction of the clip is expected to cost. */
export type Estimates = ReadonlyMap<string, number | null>;

export class ClipBook {
  readonly index: number;
  /** Of a job that has several models; else empty. */
  readonly #estimates: Estimates;
  /** What a prediction may cost when its model is not named: the dearest. */
  readonly #most: number;
  /** That the clip is made on, or begins with; undefined where there is but one. */
  #model: string | undefined;
  #lines: readonly Prediction[];
  /** How many lines are of earlier rounds, before `retryClip` or a retried job. */
  #before: number;
  #round: Round = FIRST;
  /** Predictions that there were when the money was held, and that it does not stand for; null when none is held. */
  #held: ReadonlySet<string> | null = null;
  /** Predictions that may exist and could not be looked for. */
  #unknown: number;
  #cutOff: string | null;
  readonly #cutOffOn: string | undefined;
  /** Seconds for which what an earlier run has left may still run; null in a job that was never retried: it left nothing. */
  readonly #leftFor: number | null;
  #isUnderWay = false;
  #spent: number | null = null;

  constructor(
    clip: Clip,
    leftFor: number | null,
    carried: Partial<CarriedClip> = {},
    estimates: Estimates = new Map(),
  ) {
    this.index = clip.clip_index;
    this.#estimates = estimates;
    this.#most =
      estimates.size === 0
        ? (clip.estimated_cost_usd ?? 0)
        : Math.max(...[...estimates.values()].map((usd) => usd ?? 0));
    this.#lines = clip.predictions;
    this.#before = clip.predictions.length;
    this.#leftFor = leftFor;
    this.#unknown = carried.unknown ?? 0;
    this.#cutOff = carried.cut_off ?? null;
    this.#cutOffOn = carried.model;
    this.reset();
  }

  /** Back to the model that a clip which is not under way begins with: where something may be left of it, to that one. */
  reset(): void {
    const cutOffOn = this.#cutOff === null ? undefined : this.#cutOffOn;
    this.use(this.left?.model ?? cutOffOn ?? [...this.#estimates.keys()][0]);
  }

  /** The model that the clip is made on from now on. */
  use(model: string | undefined): void {
    this.#model = model;
    this.#spent = null;
  }

  get model(): string | undefined {
    return this.#model;
  }

  /** US dollars that one prediction is expected to cost; 0 where no price is known. */
  get estimate(): number {
    return this.#estimateOn(this.#model);
  }

  #estimateOn(model: string | undefined): number {
    const known = model === undefined ? undefined : this.#estimates.get(model);
    return known === undefined ? this.#most : (known ?? 0);
  }

  /** What the next run of the chain cannot tell from the clip itself; null when that is nothing. */
  get carried(): CarriedClip | null {
    const isBlank = this.#unknown === 0 && this.#cutOff === null;
    return isBlank
      ? null
      : {
          clip_index: this.index,
          unknown: this.#unknown,
          cut_off: this.#cutOff,
          ...(this.#cutOffOn === undefined ? {} : { model: this.#cutOffOn }),
        };
  }

  /** A new round of attempts begins. What a run that was cut off has left is told once: what a clip leaves later, it leaves to nobody. */
  begin(): Left {
    const left = { prediction: this.left, since: this.#cutOff, model: this.#model };
    this.#cutOff = null;
    this.#isUnderWay = true;
    this.#before = this.#lines.length;
    this.#round = FIRST;
    return left;
  }

  /** The round is over, and no money is held for it any more. */
  finish(): void {
    this.#isUnderWay = false;
    this.release();
  }

  // Predictions

  get all(): readonly Prediction[] {
    return this.#lines;
  }

  get earlier(): readonly Prediction[] {
    return this.#lines.slice(0, this.#before);
  }

  /** Of this round of attempts. */
  get round(): readonly Prediction[] {
    return this.#lines.slice(this.#before).filter(({ model }) => model === this.#model);
  }

  /** Those that may still run at the provider. */
  get open(): Prediction[] {
    return this.#lines.filter(({ status }) => !isTerminal(status));
  }

  isOpen(id: string): boolean {
    return this.open.some((line) => line.id === id);
  }

  /** The one that the attempt under way may still run. */
  get current(): Prediction | null {
    const attempt = this.#round.over + 1;
    return (
      this.round.findLast((line) => line.attempt === attempt && !isTerminal(line.status)) ?? null
    );
  }

  /** Null as long as nothing is settled. */
  get knownCost(): number | null {
    const known = this.#lines.filter(({ cost_usd }) => cost_usd !== null);
    return known.length === 0 ? null : addUsd(...known.map(({ cost_usd }) => cost_usd));
  }

  /** Adds or updates a line (K1); true when it is new. `model`: that was asked for it. */
  enter(prediction: Prediction, model = this.#model): boolean {
    this.#spent = null;
    const at = this.#lines.findIndex(({ id }) => id === prediction.id);
    const before = this.#lines[at];
    if (before === undefined) {
      this.#lines = [...this.#lines, model === undefined ? prediction : { ...prediction, model }];
      return true;
    }
    if (!isTerminal(before.status)) {
      const { created_at, model: asked } = before;
      const adopted = before.adopted || prediction.adopted;
      this.#lines = this.#lines.with(at, {
        ...prediction,
        created_at,
        adopted,
        ...(asked === undefined ? {} : { model: asked }),
      });
    }
    return false;
  }

  /** One of an earlier round that still runs is the first attempt of this round; false when it has ended. */
  goOnWith(id: string): boolean {
    const at = this.#lines.findIndex((line) => line.id === id);
    const line = this.#lines[at];
    if (line === undefined || isTerminal(line.status)) return false;
    this.#lines = [...this.#lines.toSpliced(at, 1), { ...line, attempt: 1 }];
    this.#before -= 1;
    return true;
  }

  // Attempts

  /** Attempts of this round that are over. */
  get over(): number {
    return this.#round.over;
  }

  get isGranted(): boolean {
    return this.#round.granted;
  }

  /** What the clip shows while it waits for its next attempt. */
  get retrying(): Partial<Clip> {
    const { over, last_error, next_attempt_at } = this.#round;
    return {
      status: 'retrying',
      attempt: over,
      retry_count: over,
      error: last_error,
      next_attempt_at,
    };
  }

  /** For an execution of the activity that has lost its own memory; `others`: ids of other clips. */
  memory(others: readonly string[]): Omit<ClipMemory, 'asked_at'> {
    const { over, granted, last_error, next_attempt_at } = this.#round;
    return {
      ...(this.#model === undefined ? {} : { model: this.#model }),
      failed_attempts: over,
      granted,
      last_error,
      next_attempt_at,
      predictions: [...this.round],
      claimed: [...this.earlier.map(({ id }) => id), ...others],
    };
  }

  /** Of what is told twice, the second says nothing new. True when it is news. */
  end({ attempt, error, delay }: Pick<AttemptOver, 'attempt' | 'error' | 'delay'>): boolean {
    if (attempt <= this.#round.over) return false;
    this.#round = {
      over: attempt,
      granted: false,
      last_error: error,
      next_attempt_at: new Date(Date.now() + delay * 1000).toISOString(),
    };
    return true;
  }

  /** K2: `hold` takes the money, if the cap allows it. True when there is a next attempt that was not granted before. */
  grant(hold: () => boolean): boolean {
    if (this.#round.granted || !hold()) return false;
    this.#round = { ...this.#round, granted: true };
    return true;
  }

  // Money

  /** US dollars that the predictions have cost, may have, or may yet (K3). */
  get spent(): number {
    this.#spent ??= addUsd(
      this.#unknown * this.#most,
      ...this.#lines.map(({ id, cost_usd, status, model }) => {
        const isCovered = !isTerminal(status) && this.#held?.has(id) === false;
        return cost_usd ?? (isCovered ? 0 : this.#estimateOn(model));
      }),
    );
    return this.#spent;
  }

  get isCostKnown(): boolean {
    return this.#unknown === 0 && this.#lines.every(({ cost_usd }) => cost_usd !== null);
  }

  get isHeld(): boolean {
    return this.#held !== null;
  }

  /** Money of one prediction: a clip has at most one alive. */
  hold(): void {
    const left = this.left?.id;
    this.#held = new Set(this.#lines.map(({ id }) => id).filter((id) => id !== left));
    this.#spent = null;
  }

  release(): void {
    this.#held = null;
    this.#spent = null;
  }

  /** A create may have come through, and nobody could find out: it counts for good. */
  countUnknown(): void {
    this.#unknown += 1;
    this.#spent = null;
  }

  // What a run that was cut off has left

  get hasLeft(): boolean {
    return this.#cutOff !== null || this.#running !== null;
  }

  /** The prediction that a clip which is not under way goes on with: it needs no other to be bought. */
  get left(): Prediction | null {
    return this.#running ?? (this.#cutOff === null ? null : unstored(this.#lines));
  }

  /** The newest that may still run, unless it has had all the time that a clip has. */
  get #running(): Prediction | null {
    if (this.#leftFor === null || this.#isUnderWay) return null;
    const since = Date.now() - this.#leftFor * 1000;
    const mayRun = ({ status, created_at }: Prediction): boolean =>
      !isTerminal(status) && Date.parse(created_at) > since;
    return this.#lines.findLast(mayRun) ?? null;
  }
}

/** Cut off while it was being stored. */
function unstored(lines: readonly Prediction[]): Prediction | null {
  const last = lines.at(-1);
  const isKept = Date.parse(last?.completed_at ?? '') > Date.now() - RETENTION * 1000;
  return last?.status === 'succeeded' && isKept ? last : null;
}

/** Clips that were under way at the end of a run that nobody asked to end, with when they were started. */
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
