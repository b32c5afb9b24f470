/**
 * Reads the predictions that a worker follows, with few requests: one look at the account's list answers for all of them. The
 * worker looks at all of them together, with pauses that follow from what renders (reading-interval.ts); a hint makes one
 * prediction be read at once.
 *
 * READER-1 An end is believed when the prediction itself says so, or when the list tells everything of a success that reading
 *    the prediction could: the list may lag, or leave things out.
 * READER-2 All times are the provider's own: a prediction of which only the id is known is read by itself until its
 *    `created_at` is known.
 * READER-3 A look reads page after page of the list, or each prediction by itself, whichever takes fewer requests. There are
 *    never two looks at a time, and the pause after one grows with its requests and with how long the provider took.
 * READER-4 A list that has shown an end late, or whose items are large, is used only for many predictions.
 * READER-5 While the provider asks to wait nothing is asked; after an answer that could not be read, nothing for a second.
 */
import { isTerminal } from './replicate-client.js';
import type { ProviderPrediction, ReadOutcome, Replicate } from './replicate-client.js';
import type { PredictionIndex, Review } from './prediction-index.js';
import { pausesOf, RunTimes } from './reading-interval.js';
import type { Rendering } from './reading-interval.js';

export interface PredictionReader {
  /** Begins to read a prediction; disposal ends it. */
  open(followed: Followed): OpenReading;
}

export interface Followed {
  id: string;
  /** By the provider's clock; null: only the id is known, and it is read at once. */
  created_at: string | null;
  /** Predictions of one kind take about as long as each other. */
  kind: string;
  /** Milliseconds that the model usually takes. */
  usual: number;
}

export interface OpenReading extends Disposable {
  /** The next answer that says something new, or that could not be read; null when the signal is aborted first. */
  next(signal: AbortSignal): Promise<ReadOutcome | null>;
  /** A hint, such as a webhook, says that it has changed: it is read at once. */
  hurry(): void;
}

export interface ReaderOptions {
  /** Milliseconds between looks at each; the default when absent. */
  pauses?: (renderings: readonly Rendering[]) => number[];
}

/** Milliseconds after which a prediction that is missing in the list is read by itself. */
const PATIENCE = 5_000;
/** Milliseconds by which the list reaches further back than needed, in case the provider rounds. */
const MARGIN = 2_000;
/** Milliseconds for each request of a look that needs several: 400 a minute leave room for the rest. */
const A_REQUEST = 150;
/** From its beginning, a look and the pause after it take at least so many times as long as the look. */
const REST = 2;
/** READER-5 */
const SECOND = 1_000;
/** READER-4: for so many predictions the list is used although it is late or large; and milliseconds for which it counts as such. */
const MANY = 9;
const REMEMBERED = 60_000;

interface Open extends Followed {
  /** performance.now() when it was created, as far as that is known. */
  born: number;
  /** performance.now() before it was last asked for, by itself or in the list. */
  looked: number;
  /** performance.now() before the last request that told of it: what the list leaves out is read by itself. */
  heard: number;
  /** By the provider's clock: the last list that showed it running was asked for then. */
  listed_running: number;
  /** What the follower was told last. */
  told: string | null;
  /** An answer that no `next` has taken yet. */
  pending: ReadOutcome | null;
  answer: ((outcome: ReadOutcome) => void) | null;
  flight: Promise<void> | null;
  /** A hint came while it was being read. */
  isHurried: boolean;
  readonly closed: AbortController;
}

export function createPredictionReader(
  replicate: Pick<Replicate, 'get' | 'clock'>,
  index: Pick<PredictionIndex, 'review' | 'watch'>,
  options: ReaderOptions = {},
): PredictionReader {
  return new Reader(replicate, index, options);
}

class Reader implements PredictionReader {
  readonly #replicate: Pick<Replicate, 'get' | 'clock'>;
  readonly #index: Pick<PredictionIndex, 'review' | 'watch'>;
  readonly #pauses: NonNullable<ReaderOptions['pauses']>;
  readonly #times = new RunTimes();
  readonly #open = new Set<Open>();
  /** Several executions may read one prediction. */
  readonly #byId = new Map<string, Set<Open>>();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  /** performance.now() before which nothing is asked (READER-5), and before which no look begins (READER-3). */
  #quietUntil = -Infinity;
  #restsUntil = -Infinity;
  /** Requests that a look at the list takes, and when that was seen. */
  #list = { pages: 1, seen: -Infinity };
  /** READER-4: performance.now() until which it is remembered. */
  #badUntil = -Infinity;
  #review: Review | null = null;

  constructor(
    replicate: Pick<Replicate, 'get' | 'clock'>,
    index: Pick<PredictionIndex, 'review' | 'watch'>,
    { pauses = pausesOf }: ReaderOptions,
  ) {
    this.#replicate = replicate;
    this.#index = index;
    this.#pauses = pauses;
    index.watch((prediction, asked) => {
      if (prediction.output.type === 'inline') this.#badUntil = performance.now() + REMEMBERED;
      for (const one of this.#byId.get(prediction.id) ?? []) this.#listed(one, prediction, asked);
    });
  }

  open(followed: Followed): OpenReading {
    const now = performance.now();
    const one: Open = {
      ...followed,
      born: now - this.#ageOf(followed.created_at),
      looked: now,
      heard: now,
      listed_running: -Infinity,
      told: null,
      pending: null,
      answer: null,
      flight: null,
      isHurried: false,
      closed: new AbortController(),
    };
    this.#open.add(one);
    this.#byId.set(one.id, (this.#byId.get(one.id) ?? new Set()).add(one));
    if (one.created_at === null) void this.#alone(one); // READER-2
    this.#plan();
    return {
      next: (signal) => next(one, signal),
      hurry: () => {
        one.isHurried = one.flight !== null;
        void this.#alone(one);
      },
      [Symbol.dispose]: () => {
        one.closed.abort();
        this.#open.delete(one);
        const same = this.#byId.get(one.id);
        same?.delete(one);
        if (same?.size === 0) this.#byId.delete(one.id);
        if (this.#open.size === 0) this.#plan();
      },
    };
  }

  /** The least that it can be: the clocks may be off by as much as is known of them. */
  #ageOf(createdAt: string | null): number {
    const { clock } = this.#replicate;
    if (createdAt === null || !Number.isFinite(clock.error)) return 0;
    return Math.max(0, clock.now() - Date.parse(createdAt) - clock.error);
  }

  #plan(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isLooking || this.#open.size === 0) return;
    const now = performance.now();
    const open = [...this.#open];
    const pauses = this.#pauses(
      open.map(({ born, kind, usual }) => ({
        age: now - born,
        seen: this.#times.of(kind),
        usual,
      })),
    );
    const due = Math.min(...open.map(({ looked }, at) => looked + (pauses[at] ?? 0)));
    const at = Math.max(due, this.#restsUntil, this.#quietUntil);
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, at - now));
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      await this.#lookAtAll(performance.now());
    } finally {
      this.#isLooking = false;
      this.#plan();
    }
  }

  async #lookAtAll(asked: number): Promise<void> {
    const open = [...this.#open];
    const unknown = open.filter(({ created_at }) => created_at === null);
    const others = open.filter(({ created_at }) => created_at !== null);
    const isListed = others.length > 1 && this.#costOfList(asked) <= others.length;
    const [requests] = await Promise.all([
      isListed ? this.#readList(others, asked) : this.#readEach(others),
      this.#readEach(unknown),
    ]);
    const took = performance.now() - asked;
    const all = requests + unknown.length;
    const rest = Math.max(REST * took, all > 1 ? all * A_REQUEST : 0);
    this.#restsUntil = Math.max(this.#restsUntil, asked + rest);
  }

  /** In requests. The length of the list is measured again after a while (READER-3). */
  #costOfList(now: number): number {
    const { pages, seen } = this.#list;
    const length = now - seen < REMEMBERED ? pages : 1;
    return now < this.#badUntil ? Math.max(MANY, length) : length;
  }

  async #readEach(readings: readonly Open[]): Promise<number> {
    await Promise.all(readings.map((one) => this.#alone(one)));
    return readings.length;
  }

  /** Answers with the number of requests. Followers are told of ends while the list is read (`#listed`). */
  async #readList(readings: readonly Open[], asked: number): Promise<number> {
    for (const one of readings) one.looked = asked;
    const oldest = Math.min(...readings.map(({ created_at }) => Date.parse(created_at ?? '')));
    const unfinished = this.#review?.isOver === false ? this.#review : null;
    const review = (this.#review =
      unfinished ?? this.#index.review({ after: oldest - MARGIN, before: null }));
    for (let requests = 1; ; requests += 1) {
      const step = await review.step();
      if (step.type === 'unreadable') {
        this.#failed(step.retry_after);
        for (const one of readings) if (one.heard < asked) this.#tell(one, step);
        return requests;
      }
      const pages = review.pages + review.left;
      if (!review.isOver && pages <= readings.length) continue;
      this.#list = { pages, seen: performance.now() };
      if (!review.isOver) this.#review = null;
      const now = performance.now();
      const missing = readings.filter(({ heard }) =>
        review.isOver ? heard < now - PATIENCE : heard < asked,
      );
      return requests + (await this.#readEach(missing));
    }
  }

  #listed(one: Open, prediction: ProviderPrediction, asked: number): void {
    one.created_at ??= prediction.created_at;
    one.heard = Math.max(one.heard, asked);
    if (!isTerminal(prediction.status)) {
      const { clock } = this.#replicate;
      one.listed_running = clock.now() - (performance.now() - asked);
      this.#found(one, prediction);
    } else if (tellsAll(prediction)) this.#found(one, prediction);
    else void this.#alone(one); // READER-1
  }

  /** One request at a time; a hint that comes meanwhile causes another one. */
  #alone(one: Open): Promise<void> {
    one.flight ??= this.#ask(one).finally(() => {
      one.flight = null;
      const isAgain = one.isHurried && !one.closed.signal.aborted;
      one.isHurried = false;
      if (isAgain) void this.#alone(one);
    });
    return one.flight;
  }

  async #ask(one: Open): Promise<void> {
    const asked = performance.now();
    if (asked < this.#quietUntil) return; // READER-5
    one.looked = asked;
    const answer = await this.#replicate.get(one.id, one.closed.signal);
    if (one.closed.signal.aborted) return;
    one.heard = asked;
    if (answer.type === 'found') {
      if (one.created_at === null) {
        one.created_at = answer.prediction.created_at;
        one.born = Math.min(one.born, performance.now() - this.#ageOf(one.created_at));
      }
      this.#found(one, answer.prediction);
    } else {
      if (answer.type === 'unreadable') this.#failed(answer.retry_after);
      this.#tell(one, answer);
    }
  }

  /** READER-5 */
  #failed(seconds = 0): void {
    const until = performance.now() + Math.max(SECOND, seconds * 1000);
    if (seconds > 0) this.#quietUntil = Math.max(this.#quietUntil, until);
    else this.#restsUntil = Math.max(this.#restsUntil, until);
  }

  #found(one: Open, prediction: ProviderPrediction): void {
    if (isTerminal(prediction.status)) this.#learn(one, prediction);
    const { status, logs } = prediction;
    const told = `${status} ${logs}`;
    if (!isTerminal(status) && one.told === told) return;
    this.#tell(one, { type: 'found', prediction });
    one.told = told;
  }

  #learn(one: Open, { status, created_at, completed_at }: ProviderPrediction): void {
    if (completed_at === null) return;
    const ended = Date.parse(completed_at);
    // READER-4, by the provider's own times.
    if (one.listed_running - this.#replicate.clock.error > ended)
      this.#badUntil = performance.now() + REMEMBERED;
    // A render may fail at any time.
    if (status === 'succeeded') this.#times.see(one.kind, ended - Date.parse(created_at));
  }

  #tell(one: Open, outcome: ReadOutcome): void {
    one.told = null;
    const { answer } = one;
    one.answer = null;
    if (answer === null) one.pending = outcome;
    else answer(outcome);
  }
}

function next(one: Open, signal: AbortSignal): Promise<ReadOutcome | null> {
  const { pending } = one;
  one.pending = null;
  if (pending !== null || signal.aborted) return Promise.resolve(pending);
  return new Promise((resolve) => {
    const leave = (): void => {
      one.answer = null;
      resolve(null);
    };
    signal.addEventListener('abort', leave, { once: true });
    one.answer = (answer) => {
      signal.removeEventListener('abort', leave);
      resolve(answer);
    };
  });
}

/** READER-1: reading this success by itself would tell nothing more. */
const tellsAll = (prediction: ProviderPrediction): boolean =>
  prediction.status === 'succeeded' &&
  prediction.output.type === 'file' &&
  prediction.completed_at !== null &&
  prediction.predict_time !== null &&
  !prediction.data_removed;
