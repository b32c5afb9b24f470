/** An account on which others create all the time, in memory and by a clock that tests move: its list, and what it costs. */
import type {
  PageOutcome,
  ProviderPrediction,
  Replicate,
} from '../../src/adapters/replicate/replicate-client.js';
import { rendered } from '../activities/rendered.js';

interface BusyOptions {
  /** Creates a minute, evenly. */
  rate: number;
  /** Milliseconds that a request takes. */
  takes?: number;
  page_size?: number;
  /** Milliseconds that a prediction runs. */
  runs?: number;
  /** Milliseconds before now at which the account began. */
  since?: number;
}

export class BusyAccount {
  readonly asked = { pages: 0, gets: 0 };
  /** Answers instead of the next pages, where there are any. */
  readonly instead: PageOutcome[] = [];
  readonly #options: Required<BusyOptions>;
  readonly #began: number;
  readonly #own = new Map<string, ProviderPrediction & { listed_at: number }>();

  constructor(options: BusyOptions) {
    this.#options = { takes: 300, page_size: 100, runs: 60_000, since: 3_600_000, ...options };
    this.#began = Date.now() - this.#options.since;
  }

  get requests(): number {
    return this.asked.pages + this.asked.gets;
  }

  /** One that the list shows after so many milliseconds. */
  add(id: string, change: Partial<ProviderPrediction> = {}, lag = 0): void {
    const created_at = change.created_at ?? new Date().toISOString();
    const one = { ...rendered(id), ...change, created_at };
    this.#own.set(id, { ...one, listed_at: Date.parse(created_at) + lag });
  }

  /** Those of others that run now, newest first. */
  running(): ProviderPrediction[] {
    return this.listed(Date.now() - this.#options.runs);
  }

  /** What the list shows now, newest first. */
  listed(after: number, before = Infinity): ProviderPrediction[] {
    return [...this.#newestFirst(after, before)];
  }

  get replicate(): Replicate {
    const now = (): number => Date.now();
    const answer = async <T>(make: () => T): Promise<T> => {
      await new Promise((resolve) => setTimeout(resolve, this.#options.takes));
      return make();
    };
    return {
      clock: { now, ahead: 0, error: 2_000 },
      page: (of) => {
        this.asked.pages += 1;
        const odd = this.instead.shift();
        return answer(() => odd ?? this.#page(of));
      },
      get: (id: string) => {
        this.asked.gets += 1;
        return answer(() => {
          const number = /^other-(\d+)$/.exec(id)?.[1];
          const prediction =
            this.#own.get(id) ?? (number ? this.#other(Number(number)) : undefined);
          return prediction === undefined ? { type: 'missing' } : { type: 'found', prediction };
        });
      },
    } as Replicate;
  }

  #page(of: Parameters<Replicate['page']>[0]): PageOutcome {
    const query = 'next' in of ? (JSON.parse(of.next) as Query) : { ...of, past: null };
    const predictions: ProviderPrediction[] = [];
    let isOn = query.past === null;
    for (const one of this.#newestFirst(query.after, query.before ?? Infinity, query.past?.time)) {
      if (predictions.length === this.#options.page_size) {
        const last = predictions.at(-1);
        const past = last && { id: last.id, time: Date.parse(last.created_at) };
        return { type: 'page', predictions, odd: 0, next: JSON.stringify({ ...query, past }) };
      }
      if (isOn) predictions.push(one);
      isOn ||= one.id === query.past?.id;
    }
    return { type: 'page', predictions, odd: 0, next: null };
  }

  /** From `from` back, where that is given. */
  *#newestFirst(after: number, before: number, from = Infinity): Generator<ProviderPrediction> {
    const now = Date.now();
    const isIn = (time: number): boolean => time >= after && time < before && time <= from;
    const own = [...this.#own.values()]
      .filter((one) => one.listed_at <= now && isIn(Date.parse(one.created_at)))
      .sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
    const latest = Math.min(now, before, from);
    for (let number = this.#numberAt(latest); number >= 0; number--) {
      const time = this.#timeOf(number);
      if (time < after) break;
      while (own[0] !== undefined && Date.parse(own[0].created_at) > time)
        yield own.shift() as never;
      if (isIn(time) && time <= now) yield this.#other(number);
    }
    yield* own;
  }

  get #every(): number {
    return 60_000 / this.#options.rate;
  }
  #numberAt(time: number): number {
    return Math.ceil((time - this.#began) / this.#every);
  }
  #timeOf(number: number): number {
    return this.#began + Math.round(number * this.#every);
  }

  #other(number: number): ProviderPrediction {
    const time = this.#timeOf(number);
    return {
      ...rendered(`other-${String(number)}`),
      status: Date.now() - time < this.#options.runs ? 'processing' : 'succeeded',
      input: { prompt: `other ${String(number)}` },
      created_at: new Date(time).toISOString(),
    };
  }
}

interface Query {
  after: number;
  before: number | null;
  past: { id: string; time: number } | null;
}
