/** What Temporal lists of a job without querying it: memo and search attributes. Pure. */
import type { Job, JobSummary } from './job.schema.js';
import { beginningsOf, summaryOf } from './job-summary.js';

export interface Memo {
  job: JobSummary;
  /** The beginnings of the first prompts (job-summary.ts). */
  beginnings: string[];
}

export const memoOf = (job: Job): Memo => ({
  job: summaryOf(job),
  beginnings: beginningsOf(job.clips),
});

/** Name and type of each, in Temporal's words. */
export const SEARCH_ATTRIBUTES = {
  ClipModel: 'Keyword',
  ClipStatus: 'Keyword',
  ClipSimulated: 'Bool',
  ClipLabels: 'KeywordList',
} as const;

type Shown = Pick<JobSummary, 'model' | 'status' | 'simulated' | 'labels'>;

/** In the form that the SDK takes in clients and workflows. */
export const attributesOf = ({ model, status, simulated, labels }: Shown) => [
  { key: { name: 'ClipModel', type: 'KEYWORD' as const }, value: model },
  { key: STATUS_ATTRIBUTE, value: status },
  { key: { name: 'ClipSimulated', type: 'BOOL' as const }, value: simulated },
  { key: { name: 'ClipLabels', type: 'KEYWORD_LIST' as const }, value: labels },
];

/** A job that has any of the attributes has this one. */
export const STATUS_ATTRIBUTE = { name: 'ClipStatus', type: 'KEYWORD' as const };
