/** Keeps a job below Temporal's payload limit by shortening prompts, which the plan has in full. Pure. */
import type { Job } from '../domain/job.js';

const LIMIT = 1_800_000;
const SHORT_PROMPT = 120;

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

export function fitJob(job: Job): Job {
  // Cheap first: small jobs need no counting.
  if (job.clips.length < 20 || jsonBytes(job) <= LIMIT) return job;
  return {
    ...job,
    clips: job.clips.map((clip) => ({
      ...clip,
      prompt:
        clip.prompt.length > SHORT_PROMPT
          ? `${clip.prompt.slice(0, SHORT_PROMPT - 1)}…`
          : clip.prompt,
      metadata: {},
    })),
  };
}
