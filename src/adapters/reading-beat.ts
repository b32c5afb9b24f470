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
  /** The shortest of its kind that was seen lately; null while none was. */
  shortest: number | null;
  /** What its model usually takes, by the catalogue: loosely known. */
  usual: number;
}

/** The pause between looks at a single render that may end at any moment, and the least for any number of them. */
const ALONE = 580;
const SHARED = 150;
/** A young render is looked at after so much of its age, that a short one is not noticed late by its own measure. */
const OF_AGE = 0.1;
/** An old one after this much. */
const OF_OLD_AGE = 1 / 80;
/** An end is not expected before so much of the shortest time that was seen. */
const OF_SHORTEST = 0.8;
const LEAST = 100;
const MOST = 1_000;
/** Of one that is not due, and one that takes far longer than usual. */
const SELDOM = 3_000;
const FAR_BEYOND = 3;

const clamp = (value: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, value));

const untilDue = ({ age, shortest }: Rendering): number => (shortest ?? 0) * OF_SHORTEST - age;

/** For each of those that render, how long after the last look at it the next is worth a request. */
export function pausesOf(renderings: readonly Rendering[]): number[] {
  const due = renderings.filter((one) => untilDue(one) <= 0).length;
  const shared = Math.max(SHARED, ALONE / Math.sqrt(Math.max(1, due)));
  return renderings.map((one) => {
    const { age, shortest, usual } = one;
    const early = untilDue(one);
    if (early > 0) return clamp(early, LEAST, SELDOM);
    if (age > usual * FAR_BEYOND && age > (shortest ?? 0) * FAR_BEYOND) {
      return clamp(age * OF_AGE, LEAST, SELDOM);
    }
    const young = clamp(age * OF_AGE, LEAST, MOST);
    // Where nothing was learned yet, the first ends teach, and may be noticed later.
    return shortest === null ? young : Math.min(young, clamp(age * OF_OLD_AGE, shared, MOST));
  });
}
