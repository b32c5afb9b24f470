/** What a job came to: one row a clip, the totals, and where the files are. Pure. */
import { plural, spent, time, usd } from '../client/figures.js';
import { CLIP_WORDS, adviceFor } from '../client/words.js';
import type { Clip, Job } from '../client/wire.js';
import { unknownCosts } from '../domain/job/progress.js';
import { oneLine, table, truncate } from './format.js';
import { SIMULATOR_NOTICE } from './frame.js';
import { durations, problemText } from './sentences.js';

const HEADINGS = ['clip', 'state', 'duration', 'cost', 'attempts', 'file'] as const;
const FIGURES = new Set([0, 3, 4]);
const LONGEST_REASON = 100;

export interface Results {
  out: string;
  /** File names by clip_index. */
  files: ReadonlyMap<number, string>;
}

export function finalTable(job: Job, results: Results): string[] {
  const rows = job.clips.map((clip) => [
    String(clip.clip_index),
    CLIP_WORDS[clip.status],
    durations(clip),
    costOf(clip),
    String(clip.attempt),
    results.files.get(clip.clip_index) ?? reasonOf(clip),
  ]);
  return [...table([[...HEADINGS], ...rows], FIGURES), '', ...summary(job, results)];
}

/** A clip without a prediction has cost nothing. */
function costOf(clip: Clip): string {
  const unknown = unknownCosts(clip);
  return spent(unknown > 0 ? clip.cost_usd : (clip.cost_usd ?? 0), unknown);
}

const reasonOf = (clip: Clip): string =>
  clip.error === null ? '' : truncate(problemText(clip.error), LONGEST_REASON);

function summary(job: Job, { out, files }: Results): string[] {
  const lines = [
    `${job.job_id}: ${job.status}, ${String(job.successful_clips)} of ${plural(job.total_clips, 'clip')}` +
      ` (at least ${String(job.min_successful_clips)} needed), ${spent(job.total_cost_usd, job.unknown_costs)} of estimated ${usd(job.estimated_cost_usd)}` +
      (job.total_generation_time === null ? '' : `, ${time(job.total_generation_time)}`),
  ];
  if (job.unknown_costs > 0) {
    lines.push(
      `The cost of ${plural(job.unknown_costs, 'prediction')} is not known; the provider's bill has it.`,
    );
  }
  if (job.simulated) lines.push(SIMULATOR_NOTICE);
  if (job.error !== null && job.status !== 'canceled') {
    lines.push(`${oneLine(job.error.message).replace(/[.!]?$/, '.')} ${adviceFor(job.error.kind)}`);
  }
  if (job.quality === 'draft' && job.successful_clips > 0) {
    const cost = job.final_cost_usd == null ? '' : `, about ${usd(job.final_cost_usd)} for all`;
    lines.push(`These are drafts. Their finals${cost}: npm run generate -- --final ${job.job_id}`);
  }
  lines.push(
    files.size === 0
      ? `No clips; the job is in ${out}/result.json`
      : `${plural(files.size, 'clip')}, thumbnails and result.json are in ${out}/`,
  );
  return lines;
}
