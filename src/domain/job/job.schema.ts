/**
 * The shapes everybody shares: job, clip, prediction, event. Plain JSON in snake_case, the same in workflow results,
 * query answers, HTTP bodies and SSE data. The schemas describe, they do not convert: what goes out is the job itself.
 * Seconds for durations, US dollars for money, RFC 3339 UTC for times. Code that may not load zod imports the types.
 */
import { z } from 'zod';
import { compensationSchema } from './compensation.schema.js';
import { FAILURE_KINDS } from './failure-kinds.js';
import type { FailureKind } from './failure-kinds.js';
import { dispatchSchema, qualitySchema } from '../plan/plan.schema.js';

const time = z.string().meta({ description: 'RFC 3339, UTC.', format: 'date-time' });
const usd = z.number().meta({ description: 'US dollars.' });
const percent = z.number().min(0).max(100);
const count = z.int().min(0);

export const bufferStrategySchema = z.enum(['maximum', 'percentage', 'none']);
export type BufferStrategy = z.infer<typeof bufferStrategySchema>;

const problemSchema = z
  .strictObject({
    kind: z.enum(FAILURE_KINDS as [FailureKind, ...FailureKind[]]),
    message: z.string(),
    retryable: z.boolean().meta({
      description:
        'Another prediction is tried without being asked for; never once the clip is over.',
    }),
  })
  .meta({ description: 'Why a clip or a job failed.' });
export type Problem = z.infer<typeof problemSchema>;

export const unitPriceSchema = z.strictObject({
  usd: z.number(),
  per: z.enum(['second', 'clip', 'run_second']),
  as_of: z.string().meta({ description: 'The day the price was read, YYYY-MM-DD.' }),
  source: z.string(),
  fee_usd: usd.exactOptional().meta({
    description:
      'Charged once in addition, for the files that it was given; absent where there is no such fee.',
  }),
});
export type UnitPrice = z.infer<typeof unitPriceSchema>;

const predictionStatusSchema = z
  .enum(['starting', 'processing', 'succeeded', 'failed', 'canceled', 'aborted'])
  .meta({ description: "Replicate's own words." });
export type PredictionStatus = z.infer<typeof predictionStatusSchema>;

/** One line of the ledger: a prediction that this clip has paid for, or may have. */
const predictionSchema = z.strictObject({
  id: z.string().meta({ description: "Replicate's own id." }),
  attempt: z.int().meta({ description: 'Counted from 1 within the clip, on each model anew.' }),
  model: z.string().exactOptional().meta({
    description: 'That made it, or was asked to; only in jobs whose plan names fallback_models.',
  }),
  status: predictionStatusSchema,
  url: z.string().meta({ description: 'Where a person looks at it.' }),
  created_at: time,
  completed_at: time.nullable(),
  predict_time: z.number().nullable().meta({
    description: 'Seconds of run time, as Replicate metered it.',
  }),
  requested_duration: z.number(),
  unit_price: unitPriceSchema.nullable(),
  cost_usd: usd.nullable().meta({
    description:
      'US dollars. Null while it runs; also after it, when no price is known, or no run time was metered of a model billed by it.',
  }),
  billed: z.boolean().nullable().meta({
    description: 'Null while it runs. `aborted` predictions never ran and are not billed.',
  }),
  adopted: z.boolean().meta({
    description:
      "Found again in Replicate's list after an unclear create, instead of created anew.",
  }),
});
export type Prediction = z.infer<typeof predictionSchema>;

const clipStatusSchema = z.enum([
  'queued',
  'running',
  'retrying',
  'storing',
  'succeeded',
  'failed',
  'canceled',
]);
export type ClipStatus = z.infer<typeof clipStatusSchema>;

/** Why a clip that is not over does not run. */
const waitSchema = z.enum(['worker', 'rate', 'turn', 'clip']);
export type Wait = z.infer<typeof waitSchema>;

export const clipSchema = z.strictObject({
  clip_index: z.int().min(0),
  model: z.string().exactOptional().meta({
    description: 'That makes it, or made it; only in jobs whose plan names fallback_models.',
  }),
  status: clipStatusSchema,
  waits_for: waitSchema.exactOptional().meta({
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
  buffer_strategy: bufferStrategySchema,
  duration_reason: z.string().meta({
    description: 'Why this duration is requested, in a sentence.',
  }),
  actual_duration: z.number().nullable(),
  duration_diff: z.number().nullable().meta({ description: 'Actual − requested.' }),
  video_url: z.string().nullable(),
  video_sha256: z.string().exactOptional().meta({
    description:
      'Hex, of the whole video as it came from the provider. Absent until it is stored, and in clips that older releases stored.',
  }),
  video_bytes: count.exactOptional().meta({ description: 'Of the video; absent as its hash is.' }),
  thumbnail_url: z.string().nullable(),
  composite_url: z.string().exactOptional().meta({
    description:
      "Only of clips whose references are made into one image. It is there from the clip's first start on.",
  }),
  estimated_cost_usd: usd.nullable(),
  cost_usd: usd.nullable().meta({
    description: 'US dollars: the sum of what is known of its predictions; null while nothing is.',
  }),
  cost_increase_percent: z.number(),
  retry_count: count,
  started_at: time.nullable(),
  completed_at: time.nullable(),
  generation_time: z.number().nullable().meta({
    description: 'Seconds from the first submission to the stored file.',
  }),
  percent,
  predictions: z.array(predictionSchema).meta({
    description: 'In events of a clip with more than 20: the newest, and those that have changed.',
  }),
  error: problemSchema.nullable(),
  metadata: z.record(z.string(), z.unknown()),
});
export type Clip = z.infer<typeof clipSchema>;

export const jobStatusSchema = z.enum([
  'queued',
  'running',
  'paused',
  'succeeded',
  'failed',
  'canceled',
]);
export type JobStatus = z.infer<typeof jobStatusSchema>;

/** By what is missing: how many clips (of `predictions`: how many of them) lack it or have it shortened. */
const truncatedSchema = z.partialRecord(
  z.enum(['prompts', 'metadata', 'reasons', 'errors', 'predictions']),
  count,
);
export type Truncated = z.infer<typeof truncatedSchema>;

export const jobSchema = z.strictObject({
  job_id: z.string(),
  run_id: z.string(),
  status: jobStatusSchema,
  model: z.string(),
  quality: qualitySchema.exactOptional().meta({
    description: 'As the plan has it; absent where it says nothing.',
  }),
  draft_of: z.string().exactOptional().meta({ description: 'The job whose finals these are.' }),
  final_cost_usd: usd.nullable().exactOptional().meta({
    description: 'Only of a draft: what its finals are expected to cost, in US dollars.',
  }),
  labels: z.array(z.string()).meta({ description: 'As the plan has them.' }),
  simulated: z.boolean().meta({
    description: 'The local simulator rendered this job: nothing in it was paid.',
  }),
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
  seq: count.meta({ description: 'Of the last event in this snapshot; 0 before the first.' }),
  batch_size: count,
  dispatch: dispatchSchema,
  warnings: z.array(z.string()).meta({ description: 'The newest 50; events have all.' }),
  warnings_total: count.meta({ description: 'How many there have been.' }),
  error: problemSchema.nullable(),
  truncated: truncatedSchema.exactOptional().meta({
    description:
      "Only in answers of the workflow itself: how many of what were left out or shortened to fit Temporal's limits. GET /v1/jobs/{job_id} is whole.",
  }),
  compensation: compensationSchema.exactOptional().meta({
    description:
      'For the composer that follows: what is missing in length, and what to do about it. Once the job is over.',
  }),
  clips: z.array(clipSchema),
});
export type Job = z.infer<typeof jobSchema>;

/** A job as a list has it. */
export const jobSummarySchema = jobSchema.omit({
  warnings: true,
  truncated: true,
  compensation: true,
  clips: true,
});
export type JobSummary = z.infer<typeof jobSummarySchema>;

const snapshotSourceSchema = z.enum(['memory', 'history', 'archive']);

/** A job as the API answers it. */
export const snapshotSchema = jobSchema.extend({
  stale: z.literal(true).exactOptional().meta({ description: 'No worker could be asked.' }),
  source: snapshotSourceSchema.exactOptional().meta({
    description: 'Where the job was read instead.',
  }),
});
export type JobSnapshot = z.infer<typeof snapshotSchema>;

const progressSchema = z.strictObject({
  total: count,
  succeeded: count,
  failed: count,
  canceled: count,
  percent,
});
export type Progress = z.infer<typeof progressSchema>;

/** What every event carries. */
const base = {
  job_id: z.string(),
  seq: z.int().min(1).meta({ description: 'Counted from 1 within the job, without gaps.' }),
  at: time,
  progress: progressSchema,
};

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
    clip: clipSchema.meta({ description: 'The whole clip, as it is after the event.' }),
  }),
  z.strictObject({ ...base, type: z.literal('job.paused') }),
  z.strictObject({ ...base, type: z.literal('job.resumed') }),
  z.strictObject({
    ...base,
    type: z.literal('job.warning'),
    message: z.string(),
    clip_index: z.int().exactOptional(),
    waits_for: waitSchema.exactOptional().meta({
      description: 'The clip of `clip_index`, still queued, waits for this now.',
    }),
    max_cost_usd: usd.exactOptional(),
  }),
  z.strictObject({
    ...base,
    type: z.enum(['job.completed', 'job.failed', 'job.canceled']),
    error: problemSchema.nullable(),
    total_cost_usd: usd,
    unknown_costs: z.int().min(1).exactOptional().meta({
      description:
        'As in the job; only where there are any, and total_cost_usd is the least it can be.',
    }),
  }),
]);
export type JobEvent = z.infer<typeof eventSchema>;

type WithoutBase<Event> = Event extends unknown
  ? { [Key in keyof Event as Exclude<Key, keyof typeof base>]: Event[Key] }
  : never;

/** What an event says, before it is numbered. */
export type JobFact = WithoutBase<JobEvent>;
export type EventType = JobEvent['type'];
export type ClipEventType = Extract<EventType, `clip.${string}`>;
export type TerminalEventType = Extract<JobFact, { error: unknown }>['type'];
/** What the event that ends a job says of it. */
export type JobEnd = Omit<Extract<JobFact, { error: unknown }>, 'type'>;
