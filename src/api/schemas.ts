/** What routes take and answer, other than the job; they check what comes in and describe what goes out. */
import { z } from 'zod';
import { clipProgressSchema } from '../domain/job/clip-progress.schema.js';
import {
  clipSchema,
  eventSchema,
  jobSchema,
  jobStatusSchema,
  jobSummarySchema,
  snapshotSchema,
} from '../domain/job/job.schema.js';
import { above0 } from '../domain/plan/coercions.schema.js';
import { planProblemSchema } from '../domain/plan/plan-problems.schema.js';
import {
  finalRequestSchema,
  MAX_COST_USD,
  MAX_LABEL,
  planFieldsSchema,
} from '../domain/plan/plan.schema.js';
import { comparisonSchema, estimateSchema } from '../domain/pricing/estimate.schema.js';
import { lifeCycleSchema } from '../domain/models/row.schema.js';
import type { LifeCycle, ModelRow } from '../domain/models/row.js';

// A component of its own in the description of the API.
clipSchema.meta({ id: 'Clip' });
export const Job = jobSchema.meta({ id: 'Job' });
export const Snapshot = snapshotSchema.meta({ id: 'JobSnapshot' });
const JobSummary = jobSummarySchema.meta({
  id: 'JobSummary',
  description:
    'A job without its clips and warnings. Its error message has at most 300 characters.',
});
export const Event = eventSchema.meta({ id: 'JobEvent' });
export const Plan = planFieldsSchema.meta({ id: 'Plan' });

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z
      .string()
      .optional()
      .meta({ description: 'The path asked for; absent where none could be read.' }),
    errors: z.array(planProblemSchema),
  })
  .meta({ id: 'Problem', description: 'RFC 9457; errors lists every mistake with its path.' });

export type HttpProblem = z.infer<typeof Problem>;

const answer = <T extends z.ZodType>(type: string, schema: T, description: string) => ({
  description,
  content: { [type]: { schema } },
});

/** Answers that every route may give. */
export const PROBLEMS = {
  429: answer(
    'application/problem+json',
    Problem,
    'Asked too often; `Retry-After` says when again.',
  ),
  '4xx': answer('application/problem+json', Problem, 'Refused; `detail` says why.'),
  '5xx': answer('application/problem+json', Problem, 'Not possible now.'),
};

export const nothing = (description: string) => z.null().meta({ description });

/** Protobuf's JSON of Temporal's `Payloads`. */
export const CodecPayloads = z.object({
  payloads: z
    .array(
      z.looseObject({
        metadata: z.record(z.string(), z.string()).optional(),
        data: z.string().optional(),
      }),
    )
    .max(10_000),
});

export const text = (description: string) => answer('text/plain', z.string(), description);

/** A file, whole or in ranges, or where it is. */
export function fileOf(type: string) {
  const bytes = z.string().meta({ contentMediaType: type });
  return {
    200: answer(type, bytes, 'The file.'),
    206: answer(type, bytes, 'The range asked for.'),
    302: nothing('With STORAGE_REDIRECTS: the file is at `Location`, for some minutes.'),
    304: nothing('The file is still the one of `If-None-Match`.'),
    ...PROBLEMS,
  };
}

// A workflow started elsewhere may have any id.
export const JobPath = z.object({ job_id: z.string().min(1).max(1000) });
/** A number as it stands in a path or a query; described as the number it is. */
const wholeNumber = (minimum: number, maximum: number, error: string) =>
  z
    .string()
    .regex(/^\d+$/, { error })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, { error })
    .meta({ type: 'integer', minimum, maximum, pattern: undefined });

export const FileQuery = z.object({
  redirect: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`false`: the file itself, also with STORAGE_REDIRECTS.' }),
});

export const MediaToken = z.object({
  token: z.string().nullable().meta({ description: 'Null where no keys are set: none is needed.' }),
  expires_at: z.string().nullable(),
});
export type MediaToken = z.infer<typeof MediaToken>;

export const ClipPath = JobPath.extend({
  clip_index: wholeNumber(0, 999_999_999, 'expected a clip_index, a whole number'),
});

export const ListQuery = z.object({
  status: jobStatusSchema.optional(),
  model: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: "Exactly this model, as the plan's own; fallback models do not count." }),
  label: z.string().min(1).max(MAX_LABEL).optional().meta({ description: 'Exactly this label.' }),
  q: z.string().min(1).max(200).optional().meta({
    description:
      'Words that all have to occur, in upper or lower case, in the job_id, the model, the labels, or the first 100 characters of the first three prompts.',
  }),
  limit: wholeNumber(1, 100, 'expected a whole number from 1 to 100')
    .optional()
    .meta({ description: 'Default 20.' }),
  cursor: z.string().min(1).max(2000).optional().meta({ description: 'next_cursor of a page.' }),
});

export type JobQuery = z.infer<typeof ListQuery>;

export const JobList = z.object({
  jobs: z.array(JobSummary),
  next_cursor: z.string().nullable(),
});
export type JobPage = z.infer<typeof JobList>;

export const Estimate = estimateSchema.meta({ id: 'Estimate' });
export const Final = finalRequestSchema;
export const ModelComparison = z
  .object({ models: z.array(comparisonSchema) })
  .meta({ id: 'ModelComparison' });

export const MaxCost = z.strictObject({ max_cost_usd: above0(MAX_COST_USD) });

const SEQ = 'expected the seq of an event, a whole number from 0';

export const EventsQuery = z.object({
  after: wholeNumber(0, 999_999_999_999_999, SEQ)
    .optional()
    .meta({ description: 'Exactly the events after this seq.' }),
  follow: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`false`: the answer ends with what there is now.' }),
});

export const EventsHeaders = z.looseObject({
  'last-event-id': z
    .string()
    .regex(/^\d{0,15}$/, { error: SEQ })
    .optional()
    .meta({ description: 'As `after`, which it outranks; browsers send it by themselves.' }),
});

export const LiveProgress = clipProgressSchema.meta({
  id: 'ClipProgress',
  description: 'What a clip does right now, as Temporal knows it; neither durable nor repeated.',
});

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

/** One frame of the stream, as clients of server-sent events read it. */
const EventFrame = z
  .looseObject({
    id: z.string().optional().meta({ description: 'The seq; only of durable events.' }),
    event: z.string().meta({
      description: 'The type of the event; or `snapshot`, or `clip.progress`, which have no id.',
    }),
    data: z.string().meta({
      contentMediaType: 'application/json',
      contentSchema: {
        anyOf: [reference('JobEvent'), reference('JobSnapshot'), reference('ClipProgress'), {}],
      },
    }),
  })
  .meta({ id: 'EventFrame' });

export const Events = {
  200: answer('text/event-stream', EventFrame, 'Frames, until the job is over.'),
  204: nothing('The job is over, and this was its last event.'),
  ...PROBLEMS,
};

const lifeCycle = lifeCycleSchema.meta({ id: 'LifeCycle' });

export const ModelList = z.object({
  models: z.array(z.looseObject({ id: z.string(), life_cycle: lifeCycle })),
});
/** Rows are typed by themselves (row.ts): what is described of them here is the little that clients need. */
export type ModelPage = { models: (ModelRow & { life_cycle: LifeCycle })[] };

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

export type Readiness = z.infer<typeof Readiness>;

export const Health = z.object({ status: z.literal('ok') });
