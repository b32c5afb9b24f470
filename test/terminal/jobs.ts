/** Jobs for drawing: real shapes, built by the code that builds them. */
import { emptyJob, initialClip } from '../../src/domain/job/initial-job.js';
import { withTotals } from '../../src/domain/job/progress.js';
import type { Clip, Job, JobEvent } from '../../src/domain/job/job.schema.js';
import type { ResolvedClip } from '../../src/domain/plan/resolved.js';
import { predictionWith } from '../support/clips.js';

export const AT = '2026-11-23T10:00:00.000Z';

const RESOLVED: Omit<ResolvedClip, 'clip_index'> = {
  prompt: 'a quiet harbour',
  negative_prompt: '',
  metadata: {},
  target_duration: 4,
  original_target_duration: 4,
  requested_duration: 5,
  buffer_strategy: 'maximum',
  duration_reason: 'the smallest that covers 4 s',
  input: { duration: 5 },
  price: null,
  estimated_cost_usd: 0.35,
  cost_increase_percent: 0,
  usual_time: 90,
};

export const clipOf = (clip_index: number, more: Partial<Clip> = {}): Clip => ({
  ...initialClip({ ...RESOLVED, clip_index }),
  ...more,
});

export const jobOf = (clips: Clip[], more: Partial<Job> = {}): Job => ({
  ...withTotals({
    ...emptyJob({ job_id: 'harbour', run_id: 'run', created_at: AT, simulated: false }),
    status: 'running',
    model: 'kwaivgi/kling-v2.5-turbo-pro',
    started_at: AT,
    total_clips: clips.length,
    min_successful_clips: Math.min(3, clips.length),
    estimated_cost_usd: 0.35 * clips.length,
    clips,
  }),
  ...more,
});

export const doneClip = (clip_index: number): Clip =>
  clipOf(clip_index, {
    status: 'succeeded',
    attempt: 1,
    percent: 100,
    actual_duration: 5.04,
    cost_usd: 0.35,
    video_url: `/v1/jobs/harbour/clips/${String(clip_index)}/video`,
    thumbnail_url: `/v1/jobs/harbour/clips/${String(clip_index)}/thumbnail`,
  });

/** Of a model billed by its run time, which is not known. */
export const UNKNOWN_LINE = predictionWith({ id: 'unmetered', completed_at: AT });

const PROGRESS = { total: 1, succeeded: 0, failed: 0, canceled: 0, percent: 0 };

export const eventOf = (seq: number, more: Record<string, unknown> = {}): JobEvent => ({
  job_id: 'harbour',
  seq,
  at: AT,
  progress: PROGRESS,
  type: 'job.warning',
  message: `event ${String(seq)}`,
  ...more,
});
