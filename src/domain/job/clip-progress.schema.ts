/** What a clip does right now, as the stream tells it in frames `clip.progress`: neither durable nor numbered. */
import { z } from 'zod';

const livePhaseSchema = z.enum([
  'waiting_for_worker',
  'waiting_for_rate',
  'backoff',
  'creating',
  'waiting',
  'reconciling',
  'rendering',
  'storing',
]);
export type LivePhase = z.infer<typeof livePhaseSchema>;

export const clipProgressSchema = z.object({
  job_id: z.string(),
  clip_index: z.int(),
  attempt: z.int(),
  percent: z.number().nullable().meta({ description: 'Of the render, 0 to 100.' }),
  phase: livePhaseSchema.meta({
    description:
      'waiting_for_worker: no worker takes clips; waiting_for_rate: creates are limited, and its turn has not come; waiting: the provider lets it wait until `until`; backoff: it is tried again at `next_attempt_at`.',
  }),
  next_attempt_at: z.string().exactOptional(),
  until: z.string().exactOptional().meta({
    description: 'When a wait inside the attempt ends.',
  }),
  last_error: z.string().exactOptional(),
  message: z.string().exactOptional(),
  prediction_id: z.string().exactOptional(),
  estimated: z.boolean().meta({
    description: "The percentage comes from the model's usual time, not from its own log.",
  }),
  stale: z.literal(true).exactOptional().meta({
    description: 'No worker answers right now; this is what Temporal knows without one.',
  }),
});
export type ClipProgress = z.infer<typeof clipProgressSchema>;
