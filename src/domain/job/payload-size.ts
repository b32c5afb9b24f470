/**
 * Keeps a job below Temporal's payload limit, step by step: texts that the plan has in full are shortened first, then
 * figures that can be computed again are left out, then finished predictions. States, money and predictions that may still
 * run are never touched, and `truncated` counts what is missing. Pure.
 */
import { isTerminal } from './prediction-status.js';
import type { Clip, Job, Truncated } from './job.schema.js';
import { shortened } from '../values/well-formed.js';

/** Bytes of an answer or a result of the workflow; Temporal takes 2 MiB a payload. */
const ANSWER_LIMIT = 1.5 * 2 ** 20;
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

/** A small job fits: its plan has at most 1 MiB, and appears in it once. */
const isSmall = ({ clips }: Job): boolean =>
  clips.length < 20 && clips.every(({ predictions }) => predictions.length < 20);

/** The job as an answer of the workflow: whole where it fits, otherwise with `truncated`. */
export const fitJob = (job: Job, limit = ANSWER_LIMIT): Job =>
  limit === ANSWER_LIMIT && isSmall(job) ? job : fitInto(limit, job);

/** The job in at most `limit` bytes; larger only when every step has been taken. */
function fitInto(limit: number, job: Job): Job {
  let fitted = job;
  for (const step of STEPS) {
    // 200 bytes are for the counts.
    if (jsonBytes(fitted) <= limit - 200) return fitted;
    fitted = step(fitted);
    const truncated = missingFrom(fitted, job);
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
  // The newest prediction shows the state of the clip.
  eachClip(({ predictions }) => ({
    predictions: predictions.filter(
      ({ status }, place) => !isTerminal(status) || place === predictions.length - 1,
    ),
  })),
];

/** Counts what `fitted` lacks of `whole`. */
function missingFrom(fitted: Job, whole: Job): Truncated {
  const differing = (field: (clip: Clip) => unknown): number =>
    whole.clips.filter((clip, place) => {
      const other = fitted.clips[place];
      return other === undefined || field(clip) !== field(other);
    }).length;
  const counts: Required<Truncated> = {
    prompts: differing(({ prompt }) => prompt),
    metadata: differing(({ metadata }) => Object.keys(metadata).length),
    reasons: differing(({ duration_reason }) => duration_reason),
    errors: differing(({ error }) => error?.message),
    predictions: predictionsIn(whole) - predictionsIn(fitted),
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

const predictionsIn = ({ clips }: Job): number =>
  clips.reduce((sum, { predictions }) => sum + predictions.length, 0);
