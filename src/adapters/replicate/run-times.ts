/**
 * How long renders took lately, of each kind, as this worker has seen them. Only an expectation: it says when readings
 * are worth their requests, and nothing else depends on it. Kept in memory: a few renders teach it anew.
 */

/** Renders of a kind that count, and kinds that are kept: those seen last. Few: a model may be quicker today. */
const LATEST = 4;
const MAX_KINDS = 500;

export class RunTimes {
  /** Milliseconds; the kind seen last is the last. */
  readonly #seen = new Map<string, number[]>();

  see(kind: string, milliseconds: number): void {
    if (!(milliseconds >= 0)) return;
    const latest = [...(this.#seen.get(kind) ?? []), milliseconds].slice(-LATEST);
    this.#seen.delete(kind);
    this.#seen.set(kind, latest);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_KINDS && oldest !== undefined) this.#seen.delete(oldest);
  }

  /** Milliseconds that the latest of a kind took. */
  of(kind: string): readonly number[] {
    return this.#seen.get(kind) ?? [];
  }
}
