/**
 * What the account's list has shown lately, read once for all searches of a worker: each search reads on where the others
 * are, and asks for nothing that is known. The index does nothing by itself: it reads when a search or a reader asks it to.
 *
 * PREDICTION-INDEX-1 G1: `proves` says that everything created since a time, and listed by a moment, is known. What was older
 *    than LAG when it could be seen first is not read again; so it holds as far as the list lags by less than that.
 * PREDICTION-INDEX-2 Times of creation are compared with each other, not with a clock of ours: the age of the newest decides how
 *    far the next reading goes back. A time in the future is not believed.
 * PREDICTION-INDEX-3 It keeps only what predictions are told apart by, as far back as a search has looked within the last
 *    minutes.
 * PREDICTION-INDEX-4 However many ask, a page is asked for once. After an answer that could not be read nothing is asked for a
 *    second, or for as long as the provider wants.
 */
import type { PredictionStatus } from '../../domain/job/job.schema.js';
import { marksOf } from './input-fingerprint.js';
import type { Marks } from './input-fingerprint.js';
import { ListReading } from './list-reading.js';
import type { Step } from './list-reading.js';
import type { ProviderPrediction, Replicate, Span, Unreadable } from './replicate-client.js';

/** What is kept of a prediction. */
export interface Listed {
  id: string;
  model: string;
  created_at: number;
  /** As last seen. */
  status: PredictionStatus;
  /** The provider has removed its input; `marks` may still be known from before. */
  is_erased: boolean;
  marks: Marks;
}

/** `current`: nothing was asked, since the last reading, which began at `asked` (performance.now), is recent enough. */
type Progress = { type: 'read' } | { type: 'current'; asked: number } | Unreadable;

export const toListed = (prediction: ProviderPrediction): Listed => ({
  id: prediction.id,
  model: prediction.model,
  created_at: Date.parse(prediction.created_at),
  status: prediction.status,
  is_erased: prediction.data_removed && Object.keys(prediction.input).length === 0,
  marks: marksOf(prediction.input),
});

export interface PredictionIndex {
  /** Reads on, by a page or a few at once, towards all that was created since; times are the provider's. */
  advance(since: number): Promise<Progress>;
  /** Is everything known that was created since, as listed at `moment` (performance.now) or later? */
  proves(since: number, moment: number): boolean;
  /** Everything known that was created since. */
  since(since: number): Listed[];
  /** Asks for anything at all: each answer tells the provider's time. */
  ask(): Promise<void>;
  /** A reading of a part of the list, whether it is known or not. */
  review(span: Span): Review;
  /** Is told of every prediction that is read, as the list has it; the answer ends it. */
  watch(watcher: Watcher): () => void;
}

export interface Review {
  /** The next page, or the same one again. */
  step(): Promise<Step>;
  readonly isOver: boolean;
  /** Pages read, and pages that are left, as far as the ones read tell. */
  readonly pages: number;
  readonly left: number;
}

/** `asked`: performance.now() before it was asked for. */
type Watcher = (prediction: ProviderPrediction, asked: number) => void;

/** Milliseconds by which a prediction may be missing in the list at first. */
export const LAG = 15_000;
/** Milliseconds for which what was read is current, and for which nothing is asked after a failure. */
const SECOND = 1_000;
/** Milliseconds: how far back the first reading goes; what is older is read as the rest. */
const FIRST = 60_000;
/** The rest is read in so many parts at once, of at least so many pages each. */
const PARTS = 4;
const PAGES_A_PART = 2;
/** Milliseconds for which predictions are kept after a search that looked as far back. */
const KEPT = 600_000;
const KEPT_APART = 10_000;

const ODD: Unreadable = {
  type: 'unreadable',
  message: 'the list holds something that is no prediction, or has no order',
};

interface Known {
  since: number;
  /** What was created before this was in the list when the last reading began. */
  settled: number;
  /** performance.now() at which that reading began. */
  asked: number;
}

export function createPredictionIndex(
  replicate: Pick<Replicate, 'clock' | 'page'>,
): PredictionIndex {
  return new Index(replicate);
}

class Index implements PredictionIndex {
  readonly #replicate: Pick<Replicate, 'clock' | 'page'>;
  readonly #listed = new Map<string, Listed>();
  #known: Known | null = null;
  /** From now back to what is settled. */
  #fresh: ListReading | null = null;
  /** What is older than all that is known, in parts; `since`: what is known when all of them are read. */
  #rest: { since: number; parts: ListReading[] } | null = null;
  readonly #watchers = new Set<Watcher>();
  #flight: Promise<Progress> | null = null;
  #asking: Promise<void> | null = null;
  #refusal: { until: number; answer: Unreadable } | null = null;
  /** How far back searches have looked, and when; each goes less far back than the one before. */
  #wants: { since: number; at: number }[] = [];

  constructor(replicate: Pick<Replicate, 'clock' | 'page'>) {
    this.#replicate = replicate;
  }

  advance(since: number): Promise<Progress> {
    this.#flight ??= this.#step(since).finally(() => {
      this.#flight = null;
    });
    return this.#flight;
  }

  proves(since: number, moment: number): boolean {
    return this.#known !== null && this.#known.since <= since && this.#known.asked >= moment;
  }

  since(since: number): Listed[] {
    return [...this.#listed.values()].filter(({ created_at }) => created_at >= since);
  }

  ask(): Promise<void> {
    const now = this.#replicate.clock.now();
    this.#asking ??= this.#replicate.page({ after: now, before: null }).then(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  review(span: Span): Review {
    const reading = new ListReading(this.#replicate, span);
    return {
      step: () => this.#stepOfReview(reading),
      get isOver() {
        return reading.isOver;
      },
      get pages() {
        return reading.pages;
      },
      get left() {
        return reading.left;
      },
    };
  }

  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  async #step(since: number): Promise<Progress> {
    this.#want(since);
    const refused = this.#refused();
    const readings = refused === null ? this.#plan(since) : [];
    const progress: Progress =
      refused === null && readings.length === 0
        ? { type: 'current', asked: this.#known?.asked ?? -Infinity }
        : await this.#read(readings);
    this.#conclude();
    return progress;
  }

  async #stepOfReview(review: ListReading): Promise<Step> {
    const step = await this.#read([review]);
    const known = this.#known;
    const { after, before } = review.span;
    const isNewer = known !== null && before === null && review.asked > known.asked;
    if (isNewer && review.isWhole && after <= known.settled) this.#know(review);
    this.#forget();
    return step;
  }

  /** A page of each reading that is planned. */
  async #read(readings: readonly ListReading[]): Promise<Step> {
    const refused = this.#refused();
    if (refused !== null) return refused;
    const asked = performance.now();
    const steps = await Promise.all(readings.map((reading) => reading.step()));
    for (const step of steps) if (step.type === 'read') this.#take(step.predictions, asked);
    const failed = steps.filter((step) => step.type === 'unreadable');
    const [first] = failed.toSorted((a, b) => (b.retry_after ?? 0) - (a.retry_after ?? 0));
    if (first === undefined) {
      const read = steps.filter((step) => step.type === 'read');
      return { type: 'read', predictions: read.flatMap(({ predictions }) => predictions) };
    }
    this.#refuse(first, Math.max(SECOND, (first.retry_after ?? 0) * 1000));
    return first;
  }

  /** PREDICTION-INDEX-4 */
  #refused(): Unreadable | null {
    if (this.#refusal === null) return null;
    const { until, answer } = this.#refusal;
    const left = until - performance.now();
    if (left > 0)
      return answer.retry_after === undefined ? answer : { ...answer, retry_after: left / 1000 };
    this.#refusal = null;
    return null;
  }

  /** The readings that are due. */
  #plan(since: number): ListReading[] {
    // Reading all that was created since the last search would take longer than to begin anew.
    if (this.#known !== null && this.#known.settled < since - FIRST && this.#fresh === null) {
      this.#known = null;
      this.#rest = null;
      this.#listed.clear();
    }
    const isCurrent = this.#known !== null && performance.now() - this.#known.asked < SECOND;
    if (this.#fresh === null && !isCurrent) {
      const after = this.#known?.settled ?? this.#recently();
      this.#fresh = new ListReading(this.#replicate, { after, before: null });
    }
    if (this.#known !== null && this.#rest === null && since < this.#known.since) {
      const rest = { after: since, before: this.#known.since };
      this.#rest = { since, parts: [new ListReading(this.#replicate, rest)] };
    }
    this.#divide();
    const parts = this.#rest?.parts.filter(({ isOver }) => !isOver) ?? [];
    return [...(this.#fresh === null ? [] : [this.#fresh]), ...parts];
  }

  /** So far back that the rest, which is read once, no longer changes, however wrong the clocks are (PREDICTION-INDEX-1). */
  #recently(): number {
    const { clock } = this.#replicate;
    return clock.now() - FIRST - (Number.isFinite(clock.error) ? clock.error : 0);
  }

  /** A long rest is read in parts. */
  #divide(): void {
    const [only, ...others] = this.#rest?.parts ?? [];
    if (this.#rest === null || only === undefined || others.length > 0 || only.pages !== 1) return;
    const parts = Math.min(PARTS, Math.floor(only.left / PAGES_A_PART));
    this.#rest.parts = [only, ...only.split(parts)];
  }

  #take(predictions: readonly ProviderPrediction[], asked: number): void {
    for (const prediction of predictions) {
      // Nothing is kept that no search looks through.
      if (this.#known !== null || this.#fresh !== null) this.#keep(prediction);
      for (const watcher of this.#watchers) watcher(prediction, asked);
    }
  }

  #keep(prediction: ProviderPrediction): void {
    const listed = toListed(prediction);
    const before = this.#listed.get(listed.id);
    const wasKnown = listed.is_erased && before !== undefined;
    this.#listed.set(listed.id, wasKnown ? { ...listed, marks: before.marks } : listed);
  }

  #conclude(): void {
    if (this.#fresh?.isOver === true) {
      if (this.#fresh.isWhole) this.#know(this.#fresh);
      // A list that cannot be read is asked for again, but not at once.
      else this.#refuse(ODD, 5 * SECOND);
      this.#fresh = null;
    }
    const rest = this.#rest;
    if (rest?.parts.every(({ isOver }) => isOver) === true) {
      const isWhole = rest.parts.every((part) => part.isWhole);
      if (isWhole && this.#known !== null)
        this.#known.since = Math.min(rest.since, this.#known.since);
      if (!isWhole) this.#refuse(ODD, 5 * SECOND);
      this.#rest = null;
    }
    this.#forget();
  }

  #refuse(answer: Unreadable, patience: number): void {
    this.#refusal = { until: performance.now() + patience, answer };
  }

  /** PREDICTION-INDEX-2 */
  #know({ asked, span }: ListReading): void {
    const { clock } = this.#replicate;
    const most = Number.isFinite(clock.error) ? clock.now() + clock.error : Infinity;
    let newest = -Infinity;
    for (const { created_at } of this.#listed.values()) {
      if (created_at <= most) newest = Math.max(newest, created_at);
    }
    const settled = Math.max(this.#known?.settled ?? span.after, newest - LAG);
    this.#known = { since: this.#known?.since ?? span.after, settled, asked };
  }

  #want(wanted: number): void {
    const want = { since: Math.floor(wanted / KEPT_APART) * KEPT_APART, at: performance.now() };
    const stays = ({ since, at }: typeof want): boolean =>
      since < want.since && want.at - at < KEPT;
    this.#wants = [...this.#wants.filter(stays), want];
  }

  /** PREDICTION-INDEX-3 */
  #forget(): void {
    const now = performance.now();
    this.#wants = this.#wants.filter(({ at }) => now - at < KEPT);
    if (this.#wants.length === 0) {
      this.#known = this.#fresh = this.#rest = null;
      this.#listed.clear();
    }
    if (this.#fresh !== null || this.#rest !== null || this.#known === null) return;
    const deepest = Math.min(...this.#wants.map(({ since }) => since));
    if (this.#known.since >= deepest) return;
    this.#known.since = Math.min(deepest, this.#known.settled);
    for (const [id, { created_at }] of this.#listed) {
      if (created_at < this.#known.since) this.#listed.delete(id);
    }
  }
}
