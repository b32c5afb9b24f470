/** Clips and predictions as a job has them, of which a test says what it is about. */
import { initialClip } from '../../src/domain/job/initial-job.js';
import type { Clip, Prediction } from '../../src/domain/job/job.schema.js';
import type { ResolvedClip } from '../../src/domain/plan/resolved.js';

/** Before it starts. */
export const queuedClip = (clip_index: number, more: Partial<ResolvedClip> = {}): Clip =>
  initialClip({
    clip_index,
    prompt: 'a heron',
    negative_prompt: '',
    metadata: {},
    target_duration: 5,
    original_target_duration: 5,
    requested_duration: 5,
    buffer_strategy: 'none',
    duration_reason: '',
    input: {},
    price: null,
    estimated_cost_usd: 0.4,
    cost_increase_percent: 0,
    usual_time: 60,
    ...more,
  });

/** Of a model without a price, billed. */
export const predictionWith = (more: Partial<Prediction> = {}): Prediction => ({
  id: 'p',
  attempt: 1,
  status: 'succeeded',
  url: 'https://replicate.com/p/p',
  created_at: '2026-11-28T10:00:00.000Z',
  completed_at: null,
  predict_time: null,
  requested_duration: 5,
  unit_price: null,
  cost_usd: null,
  billed: true,
  adopted: false,
  ...more,
});
