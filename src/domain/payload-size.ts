/**
 * Keeps a job below Temporal's payload limit: first without what the plan has in full, then without what can be
 * computed again or read elsewhere. States, money and predictions are never touched. Pure.
 */
import type { Clip, Job } from './job.js';
import { shortened } from './well-formed.js';

/** Bytes of a job as an answer or a result; Temporal takes 2 MiB a payload. */
const LIMIT = 1_800_000;
/** Bytes of a job and the plan that it goes on with; Temporal takes 2 MiB for all arguments of a start together. */
export const ARGUMENTS_LIMIT = 2_000_000;
const SHORT_PROMPT = 120;
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

/** Small jobs need no counting: a plan has at most 1 MiB. */
export const fitJob = (job: Job): Job => (job.clips.length < 20 ? job : fitInto(LIMIT, job));

/** As much of a job as there is room for, in bytes; more than that only where nothing is left to leave out. */
export function fitInto(room: number, job: Job): Job {
  if (jsonBytes(job) <= room) return job;
  const short = { ...job, clips: job.clips.map(withoutPlan) };
  return jsonBytes(short) <= room ? short : bare(short);
}

const withoutPlan = (clip: Clip): Clip => ({
  ...clip,
  prompt: shortened(clip.prompt, SHORT_PROMPT),
  metadata: {},
});

/** The events of the clips, and the plan, still have all of it. */
function bare(job: Job): Job {
  const { compensation } = job;
  return {
    ...job,
    ...(compensation === undefined ? {} : { compensation: { ...compensation, clips: [] } }),
    clips: job.clips.map((clip) => ({
      ...clip,
      prompt: shortened(clip.prompt, BARE_TEXT),
      duration_reason: '',
      error: clip.error && { ...clip.error, message: shortened(clip.error.message, SHORT_PROMPT) },
    })),
  };
}
