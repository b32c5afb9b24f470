/**
 * A job as an entry of a list: without its clips, its warnings and what is computed from them. The same in Temporal's memo,
 * in the index of finished jobs and in answers. Also the filter of lists. Pure.
 */
import type { Clip, Job, JobStatus, JobSummary } from './job.schema.js';
import { beginningOf, shortened } from '../values/well-formed.js';

const MAX_MESSAGE = 300;
const MAX_PROMPTS = 3;
const MAX_PROMPT = 100;

export function summaryOf(job: Job): JobSummary {
  const {
    warnings: _warnings,
    truncated: _truncated,
    compensation: _compensation,
    clips: _,
    ...summary
  } = job;
  const { error } = summary;
  return {
    ...summary,
    error: error && { ...error, message: shortened(error.message, MAX_MESSAGE) },
  };
}

/** The beginnings of the first prompts: a job can be found by their words. */
export const beginningsOf = (clips: readonly Pick<Clip, 'prompt'>[]): string[] =>
  clips.slice(0, MAX_PROMPTS).map(({ prompt }) => beginningOf(prompt, MAX_PROMPT));

/** Null: no filter. */
export interface JobFilter {
  status: JobStatus | null;
  model: string | null;
  label: string | null;
  /** Words that all have to occur, in upper or lower case, in id, model, labels or the beginnings of prompts. */
  q: string | null;
}

export const textOf = (
  { job_id, model, labels }: Pick<JobSummary, 'job_id' | 'model' | 'labels'>,
  beginnings: readonly string[],
): string => [job_id, model, ...labels, ...beginnings].join('\n').toLowerCase();

/** Does a job pass the filter? `text` is its `textOf`. */
export function matching({
  status,
  model,
  label,
  q,
}: JobFilter): (job: JobSummary, text: string) => boolean {
  const words = (q ?? '').toLowerCase().split(/\s+/);
  return (job, text) =>
    (status === null || job.status === status) &&
    (model === null || job.model === model) &&
    (label === null || job.labels.includes(label)) &&
    words.every((word) => text.includes(word));
}
