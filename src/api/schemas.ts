/** What routes take and answer beside the job itself; they check what comes in and describe what goes out. */
import { z } from 'zod';
import {
  clipSchema,
  eventSchema,
  JOB_STATUSES,
  jobSchema,
  snapshotSchema,
} from '../domain/job.schema.js';
import { planFieldsSchema } from '../domain/plan.schema.js';

export const Clip = clipSchema.meta({ id: 'Clip' });
export const Job = jobSchema.meta({ id: 'Job' });
export const Snapshot = snapshotSchema.meta({ id: 'JobSnapshot' });
export const Event = eventSchema.meta({ id: 'JobEvent' });
export const Plan = planFieldsSchema.meta({ id: 'Plan' });

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })),
  })
  .meta({ id: 'Problem', description: 'RFC 9457; errors lists every mistake with its path.' });

/** Answers that every job route may give. */
export const PROBLEMS = { '4xx': Problem, '5xx': Problem };

// A workflow started elsewhere may have any id.
export const JobPath = z.object({ job_id: z.string().min(1).max(1000) });
export const ClipPath = JobPath.extend({
  clip_index: z
    .string()
    .regex(/^\d{1,9}$/, { error: 'expected a clip_index, a whole number' })
    .transform(Number),
});

const limit = z
  .string()
  .regex(/^\d{1,3}$/, { error: 'expected a whole number from 1 to 100' })
  .transform(Number)
  .refine((value) => value >= 1 && value <= 100, {
    error: 'expected a whole number from 1 to 100',
  });

export const ListQuery = z.object({
  status: z.enum(JOB_STATUSES).optional(),
  limit: limit.optional().meta({ description: '1 to 100, default 20.' }),
  cursor: z.string().min(1).max(2000).optional().meta({ description: 'next_cursor of a page.' }),
});

export const JobList = z.object({
  jobs: z.array(Snapshot),
  next_cursor: z.string().nullable(),
});

export const Estimate = z
  .looseObject({
    clips: z.array(
      z.looseObject({
        clip_index: z.int(),
        target_duration: z.number(),
        requested_duration: z.number(),
        buffer_strategy: z.enum(['maximum', 'percentage', 'none']),
        estimated_cost_usd: z.number().nullable(),
        cost_increase_percent: z.number(),
      }),
    ),
    estimated_cost_usd: z.number().nullable(),
    cost_increase_percent: z.number(),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Estimate' });

export const MaxCost = z.strictObject({ max_cost_usd: z.number().gt(0).max(1_000_000) });

export const EventsQuery = z.object({
  after: z.string().optional().meta({ description: 'Exactly the events after this seq.' }),
  follow: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`false`: the answer ends with what there is now.' }),
  api_key: z.string().optional(),
});

export const ModelList = z.object({ models: z.array(z.looseObject({ id: z.string() })) });

export const Readiness = z.object({
  ready: z.boolean(),
  api: z.literal('durable-clip-generator'),
  version: z.string(),
  temporal: z.boolean(),
  workers: z.int(),
  simulated: z.boolean(),
  namespace: z.string(),
  ui_url: z.string().nullable(),
});
