/** What Temporal shows of a job in its lists, with no question to the job: memo and search attributes. Pure. */
import type { Job, JobSummary } from './job.schema.js';
import { beginningsOf, summaryOf } from './job-summary.js';

export interface Memo {
  job: JobSummary;
  /** Of the prompts (job-summary.ts). */
  beginnings: string[];
}

export const memoOf = (job: Job): Memo => ({
  job: summaryOf(job),
  beginnings: beginningsOf(job.clips),
});

/** By name; types as Temporal calls them. */
export const SEARCH_ATTRIBUTES = {
  ClipModel: 'Keyword',
  ClipStatus: 'Keyword',
  ClipSimulated: 'Bool',
  ClipLabels: 'KeywordList',
} as const;

type Shown = Pick<JobSummary, 'model' | 'status' | 'simulated' | 'labels'>;

/** As the SDK takes them, in clients and workflows alike. */
export const attributesOf = ({ model, status, simulated, labels }: Shown) => [
  { key: { name: 'ClipModel', type: 'KEYWORD' as const }, value: model },
  { key: STATUS_ATTRIBUTE, value: status },
  { key: { name: 'ClipSimulated', type: 'BOOL' as const }, value: simulated },
  { key: { name: 'ClipLabels', type: 'KEYWORD_LIST' as const }, value: labels },
];

/** Every job that has any of them has this one. */
export const STATUS_ATTRIBUTE = { name: 'ClipStatus', type: 'KEYWORD' as const };
