/**
 * Keeps a job below Temporal's payload limit, step by step: first without what the plan has in full, then without what can
 * be computed again, at last without predictions that are over. States, money and what may still run are never touched, and
 * the answer counts what it lacks. Pure.
 */
import { isTerminal } from './prediction-status.js';
import type { Clip, Job, Truncated } from './job.schema.js';
import { shortened } from '../values/well-formed.js';

/** Bytes of an answer or a result of the workflow; Temporal takes 2 MiB a payload. */
export const ANSWER_LIMIT = 1.5 * 2 ** 20;
const SHORT_TEXT = 120;
const BARE_TEXT = 40;

/** Bytes of a value as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  const text = JSON.stringify(value);
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // A surrogate pair is two units and four bytes; other non-ASCII units are two or three.
    if (code >= 0x80) bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** A job with little in it needs no counting: what its plan says in full has at most 1 MiB, and is counted once more here. */
const isSmall = ({ clips }: Job): boolean =>
  clips.length < 20 && clips.every(({ predictions }) => predictions.length < 20);

/** The job as an answer of the workflow: whole where it fits, else with `truncated`. */
export const fitJob = (job: Job, limit = ANSWER_LIMIT): Job =>
  limit === ANSWER_LIMIT && isSmall(job) ? job : fitInto(limit, job);

/** As much of a job as there is room for, in bytes; more than that only where nothing is left to leave out. */
function fitInto(room: number, job: Job): Job {
  let fitted = job;
  for (const step of STEPS) {
    // With room for the counts themselves.
    if (jsonBytes(fitted) <= room - 200) return fitted;
    fitted = step(fitted);
    const truncated = lacking(job, fitted);
    if (Object.keys(truncated).length > 0) fitted = { ...fitted, truncated };
  }
  return fitted;
}

const eachClip =
  (change: (clip: Clip) => Partial<Clip>) =>
  (job: Job): Job => ({
    ...job,
    clips: job.clips.map((clip) => ({ ...clip, ...change(clip) })),
  });

const STEPS: readonly ((job: Job) => Job)[] = [
  eachClip(({ prompt }) => ({ prompt: shortened(prompt, SHORT_TEXT), metadata: {} })),
  eachClip(({ prompt, error }) => ({
    prompt: shortened(prompt, BARE_TEXT),
    duration_reason: '',
    error: error && { ...error, message: shortened(error.message, SHORT_TEXT) },
  })),
  ({ compensation, ...job }) => ({
    ...job,
    ...(compensation === undefined ? {} : { compensation: { ...compensation, clips: [] } }),
  }),
  // The newest says how the clip stands.
  eachClip(({ predictions }) => ({
    predictions: predictions.filter(
      ({ status }, place) => !isTerminal(status) || place === predictions.length - 1,
    ),
  })),
];

/** What the one has and the other lacks. */
function lacking(whole: Job, fitted: Job): Truncated {
  const differ = (what: (clip: Clip) => unknown): number =>
    whole.clips.filter((clip, place) => {
      const other = fitted.clips[place];
      return other === undefined || what(clip) !== what(other);
    }).length;
  const counts: Required<Truncated> = {
    prompts: differ(({ prompt }) => prompt),
    metadata: differ(({ metadata }) => Object.keys(metadata).length),
    reasons: differ(({ duration_reason }) => duration_reason),
    errors: differ(({ error }) => error?.message),
    predictions: linesIn(whole) - linesIn(fitted),
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

const linesIn = ({ clips }: Job): number =>
  clips.reduce((sum, { predictions }) => sum + predictions.length, 0);
