/**
 * The shape and the limits of a plan, strict, without the rules of any model. The same schema is the body of POST /v1/jobs
 * and the argument of the workflow. It fills in no defaults; resolve.ts does.
 *
 * PLAN-1 the parsed plan is what is checked, resolved, compared and sent: numbers rounded, texts well-formed, no nulls.
 */
import { z } from 'zod';
import {
  above0,
  anything,
  number,
  object,
  text,
  whole,
  words,
  type Given,
} from './coercions.schema.js';
import type { KnownFields, PlanProblem } from './plan-problems.schema.js';

/** Limit of a plan's JSON. */
export const MAX_PLAN_BYTES = 1024 * 1024;
export const MAX_CLIPS = 1000;
export const MAX_COST_USD = 1_000_000;
const MAX_PROMPT = 10_000;
export const MAX_LABEL = 50;
const MAX_LABELS = 10;
/** Every clip is planned on each of them before the job begins, and the result is stored with the job. */
const MAX_FALLBACKS = 3;
const MAX_METADATA_BYTES = 4096;
const MAX_REFERENCES = 20;
/** Of one kind; no model takes more. */
const MAX_FILES = 10;
/** Signed URLs are long: signature, session token, and a file name for the answer. */
const MAX_URL = 8192;

export const qualitySchema = z.enum(['draft', 'final']);
export type Quality = z.infer<typeof qualitySchema>;
export const dispatchSchema = z.enum(['batches', 'window']);

const isHttpUrl = (value: string): boolean => {
  if (!/^https?:\/\/\S+$/i.test(value) || !URL.canParse(value)) return false;
  const { username, password } = new URL(value);
  return username === '' && password === '';
};

const seconds = above0(60);
const urlOf = (what: string) =>
  text()
    .max(MAX_URL)
    .refine(isHttpUrl, { error: 'an http(s) URL without a user name' })
    .meta({ description: `An http(s) URL of ${what}.` });
const imageUrl = urlOf('an image');
const imageUrls = z.array(imageUrl).max(MAX_REFERENCES);

const metadata = anything(
  (value) => byteLength(value) <= MAX_METADATA_BYTES,
  `at most ${String(MAX_METADATA_BYTES)} bytes of JSON`,
).meta({ description: 'Anything; handed back with the clip.' });

export const byteLength = (value: unknown): number =>
  new TextEncoder().encode(JSON.stringify(value)).length;

/** The schema of each field. */
export const CLIP_FIELDS = {
  clip_index: whole()
    .min(0)
    .max(999_999)
    .meta({ description: 'Unique in the plan; gaps are fine.' }),
  prompt: text().min(1).max(MAX_PROMPT),
  negative_prompt: text().max(MAX_PROMPT).nullish(),
  duration: seconds.meta({ description: 'Target duration in seconds, above 0 and at most 60.' }),
  original_target_duration: seconds
    .nullish()
    .meta({ description: 'What was wanted before any compensation; defaults to duration.' }),
  scene_reference_url: imageUrl.nullish(),
  character_reference_urls: imageUrls.nullish(),
  object_reference_urls: imageUrls.nullish(),
  end_image_url: urlOf('the image that the clip ends with').nullish(),
  reference_video_urls: z.array(urlOf('a video of at most 20 MB')).max(MAX_FILES).nullish(),
  reference_audio_urls: z.array(urlOf('a sound of at most 20 MB')).max(MAX_FILES).nullish(),
  seed: whole().min(0).max(4_294_967_295).nullish(),
  metadata: metadata.nullish(),
};

const clipPromptSchema = object(CLIP_FIELDS);

const jobId = text().regex(/^[A-Za-z0-9_-]{1,64}$/, {
  error: '1 to 64 letters, digits, "_" or "-"',
});

const setting = z.union([text().max(10_000), number(), z.boolean()]);

export const PLAN_FIELDS = {
  job_id: jobId.nullish().meta({ description: 'Generated when absent.' }),
  model: text().min(1).max(200).nullish().meta({ description: 'An id of the catalogue.' }),
  fallback_models: z.array(text().min(1).max(200)).max(MAX_FALLBACKS).nullish().meta({
    description:
      'Ids of the catalogue. A clip that the model cannot make, because it is retired, not available, or fails all its attempts for reasons of the provider, is planned anew on the next of them.',
  }),
  labels: z.array(text().min(1).max(MAX_LABEL)).max(MAX_LABELS).nullish().meta({
    description: 'Words to find the job again by; each once. They change nothing else.',
  }),
  aspect_ratio: text().min(1).max(20).nullish().meta({ description: "One of the model's." }),
  settings: words(setting).nullish().meta({
    description: 'resolution, fps, steps, motion, audio, or inputs of the model by name.',
  }),
  quality: qualitySchema.nullish().meta({
    description:
      'draft: quicker and for less, where the model makes drafts; POST /v1/jobs/{job_id}/final makes the finals.',
  }),
  draft_of: jobId.nullish().meta({ description: 'The job whose finals these are.' }),
  batch_size: whole().min(1).max(100).nullish().meta({ description: 'Default 5.' }),
  dispatch: dispatchSchema.nullish().meta({ description: 'Default batches.' }),
  min_successful_clips: whole().min(1).max(MAX_CLIPS).nullish(),
  max_cost_usd: above0(MAX_COST_USD).nullish(),
  duration_buffer: number().min(1).max(2).nullish(),
  clip_timeout: number().min(10).max(86_400).nullish().meta({
    description: 'Seconds; default 900.',
  }),
  stop_when_unreachable: z.boolean().nullish(),
  reference_mode: z.enum(['auto', 'native', 'composite', 'scene', 'character']).nullish(),
  on_bad_reference: z.enum(['fail', 'text_only']).nullish(),
  clip_prompts: z.array(clipPromptSchema).min(1).max(MAX_CLIPS),
  total_clips: whole().min(0).nullish().meta({ description: 'Must equal the number of clips.' }),
  generation_time: z
    .union([number(), text().max(200)])
    .nullish()
    .meta({ description: 'Accepted as planners write it; not used.' }),
};

export const planFieldsSchema = object(PLAN_FIELDS).meta({
  description:
    'Numbers are rounded to six decimals before they are checked, half surrogate pairs in texts become U+FFFD, and null in an optional field is the same as an absent one.',
});

/** A parsed plan: optional fields may be absent, and are never null. */
export type Plan = Given<z.infer<typeof planFieldsSchema>>;
export type ClipPrompt = Plan['clip_prompts'][number];
export type ReferenceMode = NonNullable<Plan['reference_mode']>;

/** The request for the finals of a draft: the body of POST /v1/jobs/{job_id}/final. */
export const finalRequestSchema = object({
  clips: z.array(whole().min(0)).min(1).max(MAX_CLIPS).nullish().meta({
    description: 'Of the draft, by clip_index; all that have succeeded when absent.',
  }),
  job_id: jobId.nullish().meta({ description: 'Of the new job; generated when absent.' }),
  max_cost_usd: above0(MAX_COST_USD).nullish().meta({
    description: "Of the new job; the draft's when absent.",
  }),
});
export type FinalRequest = Given<z.infer<typeof finalRequestSchema>>;

/** Rules between fields; each problem has the path of the field that breaks it. */
export function crossFieldProblems(plan: Plan): PlanProblem[] {
  const clips = plan.clip_prompts;
  const count = clips.length;
  const problems = [
    ...repeated(plan.labels ?? [], 'a label', (place) => `labels.${place}`),
    ...repeated(plan.fallback_models ?? [], 'a model', (place) => `fallback_models.${place}`),
    ...repeated(
      clips.map(({ clip_index }) => clip_index),
      'a clip_index',
      (place) => `clip_prompts.${place}.clip_index`,
    ),
  ];
  if (plan.total_clips !== undefined && plan.total_clips !== count) {
    problems.push({
      path: 'total_clips',
      message: `expected ${String(count)}, the number of clip_prompts, got ${String(plan.total_clips)}`,
    });
  }
  const wanted = plan.min_successful_clips;
  if (wanted !== undefined && wanted > count) {
    problems.push({
      path: 'min_successful_clips',
      message: `expected 1 to ${String(count)}, the number of clip_prompts, got ${String(wanted)}`,
    });
  }
  return problems;
}

function repeated(
  values: readonly (string | number)[],
  what: string,
  pathOf: (place: string) => string,
): PlanProblem[] {
  const first = new Map<string | number, number>();
  return values.flatMap((value, place) => {
    const before = first.get(value);
    if (before === undefined) {
      first.set(value, place);
      return [];
    }
    const path = pathOf(String(place));
    const earlier = pathOf(String(before));
    return [{ path, message: `expected ${what} used once, got ${String(value)} as in ${earlier}` }];
  });
}

export const KNOWN_FIELDS: KnownFields = {
  '': { name: 'a plan', fields: Object.keys(PLAN_FIELDS) },
  clip_prompts: { name: 'a clip', fields: Object.keys(CLIP_FIELDS) },
};
