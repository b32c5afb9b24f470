/**
 * The shapes of job.ts as schemas, for the API's description and for tests of real answers. They describe,
 * they do not convert: what goes out is the job itself. A test holds them equal to the types.
 */
import { z } from 'zod';
import { VERDICTS } from './compensation.js';
import { FAILURE_KINDS } from './failure-kinds.js';
import type { FailureKind } from './failure-kinds.js';
import { TRUNCATIONS, WAITS } from './job.js';
import { QUALITIES } from '../plan/quality.js';

const time = z.string().meta({ description: 'RFC 3339, UTC.', format: 'date-time' });
const usd = z.number().meta({ description: 'US dollars.' });
const percent = z.number().min(0).max(100);
const count = z.int().min(0);

export const problemSchema = z.strictObject({
  kind: z.enum(FAILURE_KINDS as [FailureKind, ...FailureKind[]]),
  message: z.string(),
  retryable: z.boolean(),
});

export const unitPriceSchema = z.strictObject({
  usd: z.number(),
  per: z.enum(['second', 'clip', 'run_second']),
  as_of: z.string().meta({ description: 'The day the price was read.' }),
  source: z.string(),
  fee_usd: usd.exactOptional().meta({
    description: 'Charged once in addition, for the files that it was given.',
  }),
});

export const predictionSchema = z.strictObject({
  id: z.string().meta({ description: "Replicate's own id." }),
  attempt: z.int(),
  model: z.string().exactOptional().meta({
    description: 'Only in jobs whose plan names fallback_models.',
  }),
  status: z.enum(['starting', 'processing', 'succeeded', 'failed', 'canceled', 'aborted']),
  url: z.string(),
  created_at: time,
  completed_at: time.nullable(),
  predict_time: z.number().nullable(),
  requested_duration: z.number(),
  unit_price: unitPriceSchema.nullable(),
  cost_usd: usd.nullable(),
  billed: z.boolean().nullable(),
  adopted: z.boolean(),
});

export const clipSchema = z.strictObject({
  clip_index: z.int().min(0),
  model: z.string().exactOptional().meta({
    description: 'That makes it, or made it; only in jobs whose plan names fallback_models.',
  }),
  status: z.enum(['queued', 'running', 'retrying', 'storing', 'succeeded', 'failed', 'canceled']),
  waits_for: z.enum(WAITS).exactOptional().meta({
    description:
      'Only while queued. worker: no worker has taken it; rate: the creates are limited; turn: clips before it come first; clip: it needs what another clip makes.',
  }),
  attempt: count,
  max_attempts: count,
  next_attempt_at: time.nullable(),
  prompt: z.string(),
  target_duration: z.number(),
  original_target_duration: z.number(),
  seed: z.int().exactOptional().meta({
    description: 'As it is sent to the model; absent where none is.',
  }),
  requested_duration: z.number(),
  buffer_strategy: z.enum(['maximum', 'percentage', 'none']),
  duration_reason: z.string(),
  actual_duration: z.number().nullable(),
  duration_diff: z.number().nullable(),
  video_url: z.string().nullable(),
  thumbnail_url: z.string().nullable(),
  composite_url: z.string().exactOptional().meta({
    description:
      "Only of clips whose references are made into one image. It is there from the clip's first start on.",
  }),
  estimated_cost_usd: usd.nullable(),
  cost_usd: usd.nullable(),
  cost_increase_percent: z.number(),
  retry_count: count,
  started_at: time.nullable(),
  completed_at: time.nullable(),
  generation_time: z.number().nullable(),
  percent,
  predictions: z.array(predictionSchema),
  error: problemSchema.nullable(),
  metadata: z.record(z.string(), z.unknown()),
});

const seconds = z.number().meta({ description: 'Seconds.' });

export const compensationSchema = z.strictObject({
  total_target_duration: seconds,
  total_actual_duration: seconds,
  total_shortfall: seconds.meta({ description: 'Seconds missing after the last clip.' }),
  shortfall_percent: z.number(),
  verdict: z.enum(VERDICTS).meta({
    description:
      'Below 10 % accept, up to 20 % warn, above extend the last good clip, above 50 % fail.',
  }),
  extension: z
    .strictObject({
      clip_index: z.int().min(0),
      method: z.enum(['freeze', 'loop']),
      seconds,
      remaining_shortfall: seconds,
    })
    .nullable(),
  clips: z.array(
    z.strictObject({
      clip_index: z.int().min(0),
      original_target_duration: seconds,
      extended_target_duration: seconds.meta({
        description: 'Its own target and what the clips before it lack.',
      }),
      actual_duration: seconds.nullable(),
      compensation_taken: seconds.meta({ description: 'What it makes up for clips before it.' }),
      shortfall_after: seconds,
      hole: z.boolean().meta({ description: 'It failed or was canceled.' }),
    }),
  ),
});

export const JOB_STATUSES = [
  'queued',
  'running',
  'paused',
  'succeeded',
  'failed',
  'canceled',
] as const;

export const jobSchema = z.strictObject({
  job_id: z.string(),
  run_id: z.string(),
  status: z.enum(JOB_STATUSES),
  model: z.string(),
  quality: z.enum(QUALITIES).exactOptional().meta({
    description: 'As the plan has it; absent where it says nothing.',
  }),
  draft_of: z.string().exactOptional().meta({ description: 'The job whose finals these are.' }),
  final_cost_usd: usd.nullable().exactOptional().meta({
    description: 'Only of a draft: what its finals are expected to cost, in US dollars.',
  }),
  labels: z.array(z.string()).meta({ description: 'As the plan has them.' }),
  simulated: z.boolean(),
  created_at: time,
  started_at: time.nullable(),
  completed_at: time.nullable(),
  total_clips: count,
  successful_clips: count,
  failed_clips: count,
  canceled_clips: count,
  min_successful_clips: count,
  percent,
  estimated_cost_usd: usd.nullable(),
  total_cost_usd: usd.meta({
    description:
      'US dollars: what is known to be spent. The least it can be while unknown_costs is above 0.',
  }),
  unknown_costs: count.meta({
    description: 'Predictions that were billed, or may have been, at a cost that is not known.',
  }),
  max_cost_usd: usd.nullable(),
  cost_increase_percent: z.number(),
  total_generation_time: z.number().nullable(),
  seq: count.meta({ description: 'Of the last event in this snapshot.' }),
  batch_size: count,
  dispatch: z.enum(['batches', 'window']),
  warnings: z.array(z.string()).meta({ description: 'The newest 50.' }),
  warnings_total: count.meta({ description: 'How many there have been.' }),
  error: problemSchema.nullable(),
  truncated: z.partialRecord(z.enum(TRUNCATIONS), count).exactOptional().meta({
    description:
      "Only in answers of the workflow itself: how many of what were left out or shortened to fit Temporal's limits. GET /v1/jobs/{job_id} is whole.",
  }),
  compensation: compensationSchema.exactOptional(),
  clips: z.array(clipSchema),
});

/** A job as a list has it. */
export const jobSummarySchema = jobSchema.omit({
  warnings: true,
  truncated: true,
  compensation: true,
  clips: true,
});

/** A job as the API answers it: marked when no worker could be asked. */
export const snapshotSchema = jobSchema.extend({
  stale: z.literal(true).optional(),
  source: z.enum(['memory', 'history', 'archive']).optional(),
});

export const progressSchema = z.strictObject({
  total: count,
  succeeded: count,
  failed: count,
  canceled: count,
  percent,
});

const base = { job_id: z.string(), seq: z.int().min(1), at: time, progress: progressSchema };

export const eventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...base,
    type: z.literal('job.started'),
    run_id: z.string(),
    total_clips: count,
    model: z.string(),
    estimated_cost_usd: usd.nullable(),
  }),
  z.strictObject({
    ...base,
    type: z.literal('batch.started'),
    batch: z.int(),
    batches: z.int(),
    clip_indexes: z.array(z.int()),
  }),
  z.strictObject({
    ...base,
    type: z.enum([
      'clip.started',
      'clip.submitted',
      'clip.retrying',
      'clip.storing',
      'clip.completed',
      'clip.failed',
      'clip.canceled',
    ]),
    clip_index: z.int(),
    clip: clipSchema,
  }),
  z.strictObject({ ...base, type: z.literal('job.paused') }),
  z.strictObject({ ...base, type: z.literal('job.resumed') }),
  z.strictObject({
    ...base,
    type: z.literal('job.warning'),
    message: z.string(),
    clip_index: z.int().exactOptional(),
    waits_for: z.enum(WAITS).exactOptional(),
    max_cost_usd: usd.exactOptional(),
  }),
  z.strictObject({
    ...base,
    type: z.enum(['job.completed', 'job.failed', 'job.canceled']),
    error: problemSchema.nullable(),
    total_cost_usd: usd,
    unknown_costs: z.int().min(1).exactOptional().meta({
      description: 'As in the job; only where there are any.',
    }),
  }),
]);
