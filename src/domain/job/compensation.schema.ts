/** How the lengths of a finished job differ from its targets, for a later composing step; compensation.ts computes it. */
import { z } from 'zod';

const seconds = z.number().meta({ description: 'Seconds.' });
const clipIndex = z.int().min(0);

const clipCompensationSchema = z.strictObject({
  clip_index: clipIndex,
  original_target_duration: seconds,
  extended_target_duration: seconds.meta({
    description: 'Its own target plus the seconds missing before it.',
  }),
  actual_duration: seconds.nullable(),
  compensation_taken: seconds.meta({
    description: 'Seconds of it that compensate for earlier clips.',
  }),
  shortfall_after: seconds.meta({ description: 'Seconds missing after this clip.' }),
  hole: z.boolean().meta({ description: 'It failed or was canceled.' }),
});
export type ClipCompensation = z.infer<typeof clipCompensationSchema>;

const extensionSchema = z.strictObject({
  clip_index: clipIndex,
  method: z.enum(['freeze', 'loop']),
  seconds,
  remaining_shortfall: seconds.meta({ description: 'Seconds missing even then.' }),
});
export type Extension = z.infer<typeof extensionSchema>;

const verdictSchema = z.enum(['accept', 'warn', 'extend', 'fail']);
export type CompensationVerdict = z.infer<typeof verdictSchema>;

export const compensationSchema = z.strictObject({
  total_target_duration: seconds,
  total_actual_duration: seconds,
  total_shortfall: seconds.meta({ description: 'Seconds missing after the last clip.' }),
  shortfall_percent: z.number(),
  verdict: verdictSchema.meta({
    description:
      'Below 10 % accept, up to 20 % warn, above extend the last good clip, above 50 % fail.',
  }),
  extension: extensionSchema.nullable().meta({ description: 'For the verdict `extend` only.' }),
  clips: z.array(clipCompensationSchema),
});
export type Compensation = z.infer<typeof compensationSchema>;
