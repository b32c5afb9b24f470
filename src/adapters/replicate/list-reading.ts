/**
 * One reading of a span of the account's list, page by page. It continues where it was: a page that cannot be read is asked
 * for again, not the pages before it. The caller decides when, and how often.
 *
 * LIST-1 `isWhole` means (for G1): everything of the span that the provider listed when the first page was asked for has been
 *    handed out. What is created meanwhile is listed before what was read already, so pages move, and lose nothing.
 */
import type { ProviderPrediction, Replicate, Span, Unreadable } from './replicate-client.js';

export type Step = { type: 'read'; predictions: ProviderPrediction[] } | Unreadable;

/** A page is asked for so often before the reading begins anew: the cursor may be invalid by now. */
const TRIES = 5;

export class ListReading {
  readonly #replicate: Pick<Replicate, 'page'>;
  readonly span: Span;
  /** performance.now() at which the first page was asked for. */
  asked = Infinity;
  pages = 0;
  #next: string | null = null;
  #failures = 0;
  #isOver = false;
  #isDoubtful = false;
  /** Times of creation of the latest and the oldest that were read. */
  #latest = -Infinity;
  #oldest = Infinity;
  /** The page before: the latest on it, and all of them. */
  #newest = Infinity;
  #ids: ReadonlySet<string> = new Set();

  /** Whole milliseconds, as the provider takes them: what lies between two spans is in one of them. */
  constructor(replicate: Pick<Replicate, 'page'>, { after, before }: Span) {
    this.#replicate = replicate;
    this.span = { after: Math.floor(after), before: before === null ? null : Math.ceil(before) };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** LIST-1; false where something could not be read, or the list is in no order. */
  get isWhole(): boolean {
    return this.#isOver && !this.#isDoubtful;
  }

  /** The rest of the span, in so many parts of equal length; this reading then ends with what it has read. */
  split(parts: number): ListReading[] {
    const { after } = this.span;
    const before = Math.min(this.span.before ?? Infinity, this.#oldest + 1);
    if (parts < 2 || !Number.isFinite(before)) return [];
    this.#isOver = true;
    const edge = (part: number): number => Math.round(before - ((before - after) * part) / parts);
    return Array.from(
      { length: parts },
      (_, part) => new ListReading(this.#replicate, { after: edge(part + 1), before: edge(part) }),
    );
  }

  /** Pages that are left, as far as the ones read tell. */
  get left(): number {
    const read = this.#latest - this.#oldest;
    return this.#isOver || !(read > 0) ? 0 : this.pages * ((this.#oldest - this.span.after) / read);
  }

  /** One request at most: the next page, or the same one again. Hands out what is in the span. */
  async step(): Promise<Step> {
    if (this.#isOver) return { type: 'read', predictions: [] };
    if (this.#next === null) this.asked = performance.now();
    const answer = await this.#replicate.page(
      this.#next === null ? this.span : { next: this.#next },
    );
    if (answer.type !== 'page') {
      if (answer.retry_after === undefined && ++this.#failures >= TRIES) this.#beginAnew();
      return answer;
    }
    this.#failures = 0;
    this.pages += 1;
    const { predictions, next } = answer;
    const times = predictions.map(({ created_at }) => Date.parse(created_at));
    // A list that runs in circles would be read for ever.
    const advances =
      predictions.some(({ id }) => !this.#ids.has(id)) && Math.max(...times) <= this.#newest;
    if (answer.odd > 0 || (next !== null && !advances)) this.#isDoubtful = true;
    this.#newest = Math.max(...times);
    this.#latest = Math.max(this.#latest, this.#newest);
    this.#oldest = Math.min(this.#oldest, ...times);
    this.#ids = new Set(predictions.map(({ id }) => id));
    this.#next = next;
    // A provider that ignores the filter must not make the reading go through the account's whole past.
    this.#isOver = next === null || !advances || this.#oldest < this.span.after;
    const { after, before } = this.span;
    return {
      type: 'read',
      predictions: predictions.filter((_, at) => {
        const time = times[at] ?? NaN;
        return time >= after && (before === null || time < before);
      }),
    };
  }

  #beginAnew(): void {
    this.#next = null;
    this.#failures = 0;
    this.#isDoubtful = false;
    this.#newest = Infinity;
    this.#ids = new Set();
    this.pages = 0;
  }
}
