/**
 * When to look again at what renders, decision 42. Pure: times in, milliseconds out.
 *
 * A look costs about the same however many it is for, and what it costs to look too seldom grows with the renders that
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
/** A render is looked at after so much of its age, that a short one is not noticed late by its own measure. */
const OF_AGE = { young: 0.1, old: 1 / 80, early: 1 / 2 };
/** An end is expected around what another of its kind took: from so much of that up to this much. */
const AROUND = { from: 0.8, to: 1.5 };
const LEAST = 100;
const MOST = 1_000;
/** Of one that is not due. */
const EARLY = { least: 300, most: 3_000 };
/** Of one that takes so many times as long as is usual. */
const FAR_BEYOND = 3;
const SELDOM = 3_000;

const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

/** `new`: of a kind, or of an age, that was not seen. */
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
