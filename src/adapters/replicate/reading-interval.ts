/**
 * When to read again what renders (decision 42). Pure: times in, milliseconds out.
 *
 * A look costs about the same for any number of renders, and what it costs to look too seldom grows with the renders that
 * may end meanwhile; so the best pause between two looks falls with the square root of their number.
 */

/** Milliseconds, all of them. */
export interface Rendering {
  /** Since it was created. */
  age: number;
  /** What the latest of its kind took. */
  seen: readonly number[];
  /** What its model usually takes, by the catalogue: loosely known. */
  usual: number;
}

/** The pause between looks at a single render that is due, and the least for any number of them. */
const ALONE = 540;
const SHARED = 150;
/** A render is looked at again after this share of its age, so that a short one is not noticed late by its own measure. */
const OF_AGE = { young: 0.1, old: 1 / 80, early: 1 / 2 };
/** An end is expected around what another of its kind took: from so much of that up to this much. */
const AROUND = { from: 0.8, to: 1.5 };
const LEAST = 100;
const MOST = 1_000;
/** The pauses of a render that is not due. */
const EARLY = { least: 300, most: 3_000 };
/** A render that takes so many times as long as is usual is looked at seldom. */
const FAR_BEYOND = 3;
const SELDOM = 3_000;

const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

/** `new`: no render of its kind has been seen, or none that took as long. */
type Due = 'new' | 'due' | { early: number };

function dueOf({ age, seen }: Rendering): Due {
  if (seen.some((time) => age >= time * AROUND.from && age <= time * AROUND.to)) return 'due';
  const next = Math.min(...seen.map((time) => time * AROUND.from).filter((time) => time > age));
  return next === Infinity ? 'new' : { early: next - age };
}

/** For each of those that render, how long after the last look at it the next is worth a request. */
export function pausesOf(renderings: readonly Rendering[]): number[] {
  const all = renderings.map((one) => ({ ...one, due: dueOf(one) }));
  const count = all.filter(({ due }) => due === 'due').length;
  const shared = Math.max(SHARED, ALONE / Math.sqrt(Math.max(1, count)));
  return all.map(({ age, seen, usual, due }) => {
    if (typeof due === 'object') {
      const early = clamp(age * OF_AGE.early, EARLY.least, EARLY.most);
      return Math.max(LEAST, Math.min(due.early, early));
    }
    if (age > Math.max(usual, ...seen) * FAR_BEYOND) {
      return clamp(age * OF_AGE.young, LEAST, SELDOM);
    }
    const young = clamp(age * OF_AGE.young, LEAST, MOST);
    return due === 'new' ? young : Math.min(young, clamp(age * OF_AGE.old, shared, MOST));
  });
}

/** Renders of a kind that count, and kinds that are kept: those seen last. Few: a model may be quicker today. */
const LATEST = 4;
const MAX_KINDS = 500;

/**
 * How long renders of each kind took lately, as this worker has seen them: an expectation that only the pauses depend on.
 * Kept in memory: a few renders teach it anew.
 */
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
