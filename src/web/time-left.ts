/**
 * How long a job will still take: what its own finished clips took, else the model's usual time.
 * Pure, and a guess by nature; null rather than a guess out of nothing.
 */
import type { Clip, Job } from '../domain/job/job.schema.js';
import { isClipOver } from '../domain/job/progress.js';

export function secondsLeft(job: Job, usualTime: number | null, now: number): number | null {
  const perClip = median(finishedTimes(job)) ?? usualTime;
  if (perClip === null) return null;
  const open = job.clips.filter((clip) => !isClipOver(clip.status));
  const queued = open.filter((clip) => clip.status === 'queued').length;
  const running = open
    .filter((clip) => clip.status !== 'queued')
    .map((clip) => Math.max(1, perClip - elapsed(clip, now)));
  const current = running.length === 0 ? 0 : Math.max(...running);
  return current + Math.ceil(queued / Math.max(1, job.batch_size)) * perClip;
}

const finishedTimes = (job: Job): number[] =>
  job.clips.flatMap((clip) =>
    clip.status === 'succeeded' && clip.generation_time !== null ? [clip.generation_time] : [],
  );

const elapsed = (clip: Clip, now: number): number =>
  clip.started_at === null ? 0 : (now - Date.parse(clip.started_at)) / 1000;

function median(values: number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
