/** A provider that renders, in memory and by a clock that tests move: what it was asked for, and how its list is worse. */
import type {
  ProviderPrediction,
  ReadOutcome,
  Replicate,
} from '../../src/adapters/replicate/replicate-client.js';
import { rendered } from '../activities/rendered.js';

export interface ProviderOptions {
  /** Milliseconds that a request takes. */
  takes?: number;
  /** Milliseconds by which the list is behind. */
  lag?: number;
  /** What the list says otherwise than a prediction itself. */
  listed?: (prediction: ProviderPrediction) => ProviderPrediction | null;
  /** Items a page, and how many of others were created after each of ours. */
  page_size?: number;
  others?: number;
}

interface Render {
  prediction: ProviderPrediction;
  ends: number;
}

export class RenderingProvider {
  readonly asked = { lists: [] as number[], gets: [] as string[] };
  /** Answers instead of the next, where there are any. */
  readonly instead: ReadOutcome[] = [];
  readonly #renders: Render[] = [];
  readonly #options: Required<ProviderOptions>;

  constructor(options: ProviderOptions = {}) {
    this.#options = { takes: 5, lag: 0, listed: (it) => it, page_size: 100, others: 0, ...options };
  }

  get requests(): number {
    return this.asked.lists.length + this.asked.gets.length;
  }

  /** One that renders for so many milliseconds. */
  create(milliseconds: number, change: Partial<ProviderPrediction> = {}): ProviderPrediction {
    const now = Date.now();
    const prediction = {
      ...rendered(`p${String(this.#renders.length)}`),
      created_at: new Date(now).toISOString(),
      completed_at: new Date(now + milliseconds).toISOString(),
      ...change,
    };
    this.#renders.unshift({ prediction, ends: now + milliseconds });
    return running(prediction);
  }

  get replicate(): Replicate {
    const answer = async <T>(make: () => T): Promise<T> => {
      await passes(this.#options.takes / 2);
      const made = make();
      await passes(this.#options.takes / 2);
      return made;
    };
    return {
      clock: { now: () => Date.now(), ahead: 0, error: 2_000 },
      get: (id: string) => {
        this.asked.gets.push(id);
        const render = this.#renders.find(({ prediction }) => prediction.id === id);
        return answer(
          () =>
            this.instead.shift() ??
            (render === undefined
              ? { type: 'missing' }
              : { type: 'found', prediction: asOf(render, Date.now()) }),
        );
      },
      page: (of: { after: number } | { next: string }) => {
        this.asked.lists.push('next' in of ? NaN : of.after);
        return answer(() => this.instead.shift() ?? this.#page(of));
      },
    } as unknown as Replicate;
  }

  #page(of: { after: number } | { next: string }) {
    const { after, from } = 'next' in of ? (JSON.parse(of.next) as Cursor) : { ...of, from: 0 };
    const { lag, listed, others, page_size } = this.#options;
    const all = this.#renders
      .filter(({ prediction }) => Date.parse(prediction.created_at) >= after)
      .flatMap((render) => {
        const item = listed(asOf(render, Date.now() - lag));
        const { id, created_at } = render.prediction;
        const unrelated = Array.from({ length: others }, (_, at) => ({
          ...rendered(`other-${id}-${String(at)}`),
          created_at,
        }));
        return [...unrelated, ...(item === null ? [] : [item])];
      });
    const end = from + page_size;
    const next = end < all.length ? JSON.stringify({ after, from: end }) : null;
    return { type: 'page', predictions: all.slice(from, end), odd: 0, next };
  }
}

interface Cursor {
  after: number;
  from: number;
}

export const passes = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const asOf = ({ prediction, ends }: Render, moment: number): ProviderPrediction =>
  moment >= ends ? prediction : running(prediction);

const running = (prediction: ProviderPrediction): ProviderPrediction => ({
  ...prediction,
  status: 'processing',
  output: { type: 'empty' },
  output_url: null,
  completed_at: null,
  predict_time: null,
});
