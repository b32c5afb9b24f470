/** What estimates and comparisons of models answer: POST /v1/jobs/estimate and POST /v1/models/compare. */
import { z } from 'zod';
import { bufferStrategySchema } from '../job/job.schema.js';
import { dispatchSchema } from '../plan/plan.schema.js';
import { compositeSchema } from '../references/composite.schema.js';

const usd = z.number().nullable().meta({ description: 'US dollars; null: no price is known.' });
const seconds = z.number().meta({ description: 'Seconds.' });

const clipEstimateSchema = z.object({
  clip_index: z.int(),
  target_duration: seconds,
  original_target_duration: seconds,
  requested_duration: seconds,
  buffer_strategy: bufferStrategySchema,
  duration_reason: z.string(),
  estimated_cost_usd: usd,
  cost_increase_percent: z.number(),
  usual_time: seconds.meta({ description: 'Seconds a prediction usually takes.' }),
  input: z.record(z.string(), z.unknown()).meta({
    description: 'What is sent to the model, apart from the texts.',
  }),
  composite: compositeSchema.nullable(),
});
export type ClipEstimate = z.infer<typeof clipEstimateSchema>;

const makespanSchema = z.object({ batches: seconds, window: seconds }).meta({
  description:
    'Seconds, with each dispatch, when every clip takes its usual time and its first attempt is good.',
});
export type Makespan = z.infer<typeof makespanSchema>;

const alternativeSchema = z.object({
  model: z.string(),
  estimated_cost_usd: z.number(),
  requested_duration: seconds,
  saves_percent: z.number(),
  message: z.string(),
  says: z.string().meta({ description: 'As `message`.', deprecated: true }),
});
export type Alternative = z.infer<typeof alternativeSchema>;

export const estimateSchema = z.object({
  model: z.string(),
  total_clips: z.int(),
  min_successful_clips: z.int(),
  target_duration: seconds,
  requested_duration: seconds,
  estimated_cost_usd: usd,
  unbuffered_cost_usd: usd,
  draft_cost_usd: usd.exactOptional().meta({
    description: 'What the plan costs as a draft; only where the model makes drafts.',
  }),
  final_cost_usd: usd.exactOptional().meta({ description: 'What it costs as a final, there.' }),
  cost_increase_percent: z.number(),
  max_cost_usd: z.number().nullable(),
  dispatch: dispatchSchema,
  batch_size: z.int(),
  makespan: makespanSchema,
  fallbacks: z
    .array(z.object({ model: z.string(), estimated_cost_usd: usd }))
    .exactOptional()
    .meta({
      description: 'The whole plan on each of its fallback_models, in the order of the plan.',
    }),
  alternatives: z.array(alternativeSchema).meta({
    description: 'Other models that could do the same for less.',
  }),
  warnings: z.array(z.string()),
  clips: z.array(clipEstimateSchema),
});
export type Estimate = z.infer<typeof estimateSchema>;

const fitSchema = z.object({
  model: z.string(),
  can_make: z.literal(true),
  estimated_cost_usd: usd,
  requested_duration: seconds,
  makespan: makespanSchema,
  shorter_clips: z
    .int()
    .meta({ description: 'Clips that cannot be had as long as they are wanted.' }),
  without_settings: z
    .array(z.string())
    .meta({ description: 'Settings of the plan that this model does not have.' }),
});
export type Fit = z.infer<typeof fitSchema>;

const unfitSchema = z.object({
  model: z.string(),
  can_make: z.literal(false),
  problem: z.string(),
});
export type Unfit = z.infer<typeof unfitSchema>;

export const comparisonSchema = z.discriminatedUnion('can_make', [fitSchema, unfitSchema]);
export type Comparison = z.infer<typeof comparisonSchema>;
