/**
 * A job_id that a person can read, tell and find again, for a plan that brings none: the day and four
 * letters. Pure; a plan that is no object is left as it is, for the API to refuse.
 */

/** No vowels and no look-alikes: never a word, never misread. */
const LETTERS = 'bcdfghjkmnpqrstvwxz23456789';

export const jobName = (day: Date, random: Uint8Array): string =>
  `${day.toISOString().slice(0, 10)}-${Array.from(random, (byte) => LETTERS[byte % LETTERS.length]).join('')}`;

/** The plan as it is sent: with a job_id, its own if it has one. */
export function named(plan: unknown, name: string): unknown {
  if (typeof plan !== 'object' || plan === null || Array.isArray(plan)) return plan;
  const isNamed = 'job_id' in plan && plan.job_id !== null;
  return isNamed ? plan : { ...plan, job_id: name };
}
