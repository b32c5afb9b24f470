/** An account on which others create all the time, in memory and by a clock that tests move: its list, and what it costs. */
import type { PageOutcome, ProviderPrediction, Replicate } from '../../src/adapters/replicate.js';
import { rendered } from '../activities/rendered.js';

export interface BusyOptions {
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

  /** Ids of those of others that run now, newest first. */
  running(count: number): { id: string; created_at: string }[] {
    return this.#others(-Infinity, Date.now())
      .filter(({ status }) => status === 'processing')
      .slice(0, count);
  }

  /** What the list shows now, newest first. */
  listed(after: number, before = Infinity): ProviderPrediction[] {
    const now = Date.now();
    const own = [...this.#own.values()].filter(({ created_at, listed_at }) => {
      const time = Date.parse(created_at);
      return listed_at <= now && time >= after && time < before;
    });
    const all = [...own, ...this.#others(after, Math.min(before, now))];
    return all.sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
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
        const found = (): ProviderPrediction | undefined =>
          this.#own.get(id) ?? this.#others(-Infinity, Infinity).find((one) => one.id === id);
        return answer(() => {
          const prediction = found();
          return prediction === undefined ? { type: 'missing' } : { type: 'found', prediction };
        });
      },
    } as Replicate;
  }

  #page(of: Parameters<Replicate['page']>[0]): PageOutcome {
    const query = 'next' in of ? (JSON.parse(of.next) as Query) : { ...of, past: null };
    const rest = this.listed(query.after, query.before ?? Infinity);
    const from = query.past === null ? 0 : rest.findIndex(({ id }) => id === query.past) + 1;
    const predictions = rest.slice(from, from + this.#options.page_size);
    const past = predictions.at(-1)?.id ?? null;
    const isLast = from + predictions.length >= rest.length;
    const next = isLast ? null : JSON.stringify({ ...query, past });
    return { type: 'page', predictions, odd: 0, next };
  }

  /** One each so many milliseconds since it began. */
  #others(after: number, before: number): ProviderPrediction[] {
    const every = 60_000 / this.#options.rate;
    const at = (time: number): number => Math.ceil((time - this.#began) / every);
    const [first, last] = [Math.max(0, at(after)), at(Math.min(before, Date.now()))];
    return Array.from({ length: Math.max(0, last - first) }, (_, index) => {
      const number = last - 1 - index;
      const time = this.#began + Math.round(number * every);
      const status = Date.now() - time < this.#options.runs ? 'processing' : 'succeeded';
      return {
        ...rendered(`other-${String(number)}`),
        status,
        input: { prompt: `other ${String(number)}` },
        created_at: new Date(time).toISOString(),
      };
    });
  }
}

interface Query {
  after: number;
  before: number | null;
  past: string | null;
}
