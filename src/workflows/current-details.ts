/** The job as Temporal Web UI shows it above the history: a line of totals and a table of clips. Markdown. */
import { markdownLine } from '../domain/values/foreign-text.js';
import type { Clip, Job } from '../domain/job/job.schema.js';
import { unknownCosts } from '../domain/job/progress.js';

const MAX_ROWS = 60;

/** Running and failed clips first where there are too many to show. */
const URGENCY: Record<Clip['status'], number> = {
  running: 0,
  retrying: 0,
  storing: 0,
  failed: 1,
  canceled: 2,
  queued: 3,
  succeeded: 4,
};

const money = (usd: number | null): string => (usd === null ? '–' : `$${usd.toFixed(2)}`);
/** A sum with unknown parts is at least the sum of its known parts. */
const spent = (usd: number | null, unknown: number): string =>
  unknown === 0 ? money(usd) : usd === null ? 'unknown' : `at least ${money(usd)}`;
const seconds = (value: number | null): string => (value === null ? '–' : `${String(value)} s`);
const cell = (text: string): string => markdownLine(text, 60);

function rowOf(clip: Clip, model: string): string {
  const on = clip.model === undefined || clip.model === model ? '' : `on ${clip.model}: `;
  const cells = [
    String(clip.clip_index),
    clip.status,
    `${String(clip.attempt)}/${String(clip.max_attempts)}`,
    seconds(clip.requested_duration),
    seconds(clip.actual_duration),
    spent(clip.cost_usd, unknownCosts(clip)),
    cell(`${on}${clip.error === null ? clip.prompt : `${clip.error.kind}: ${clip.error.message}`}`),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** `before`: the run that this one continues, where it is not the first. */
export function describeJob(job: Job, before?: string): string {
  const shown =
    job.clips.length <= MAX_ROWS
      ? job.clips
      : job.clips.toSorted((a, b) => URGENCY[a.status] - URGENCY[b.status]).slice(0, MAX_ROWS);
  const hidden = job.clips.length - shown.length;
  return [
    `**${job.status}** · ${cell(job.model)}${job.simulated ? ' (simulator, nothing is paid)' : ''}`,
    '',
    `${String(job.successful_clips)} succeeded, ${String(job.failed_clips)} failed, ${String(job.canceled_clips)} canceled of ${String(job.total_clips)} (${String(job.min_successful_clips)} needed) · ${spent(job.total_cost_usd, job.unknown_costs)} of ${money(job.estimated_cost_usd)} estimated`,
    '',
    '| clip | status | attempt | requested | actual | cost | |',
    '|---|---|---|---|---|---|---|',
    ...shown.map((clip) => rowOf(clip, job.model)),
    ...(hidden > 0 ? ['', `… and ${String(hidden)} more`] : []),
    ...(job.warnings.length > 0
      ? ['', ...job.warnings.slice(-5).map((text) => `- ${cell(text)}`)]
      : []),
    ...(before === undefined
      ? []
      : ['', `A long job is a chain of runs with one log; this one continues run \`${before}\`.`]),
  ].join('\n');
}
