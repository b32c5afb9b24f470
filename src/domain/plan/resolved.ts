/**
 * A checked plan: model, durations, provider inputs and prices are frozen as data, so that later edits of catalogue or
 * environment never change a running job.
 */
import type { Plan } from './plan.schema.js';
import type { BufferStrategy, UnitPrice } from '../job/job.schema.js';
import type { Quality } from './plan.schema.js';
import type { PlanProblem } from './plan-problems.schema.js';
import type { MediaKind } from '../references/assign-references.js';
import type { CompositeReference } from '../references/composite.schema.js';

export interface ResolvedModel {
  /** owner/name */
  id: string;
  /** Null for official models (POST /models/…/predictions); otherwise the pinned 64-hex version (POST /predictions). */
  version: string | null;
  /** Names of the model's text inputs; null where it has none. The texts themselves stay in the plan's clips. */
  prompt_input: string | null;
  negative_prompt_input: string | null;
  /** False when the catalogue row says that failed and canceled predictions are free. */
  bills_failed: boolean;
  /** The input for the seed, and its maximum; absent where there is none. */
  seed?: { input: string; most: number };
}

export interface ResolvedClip {
  clip_index: number;
  prompt: string;
  negative_prompt: string;
  metadata: Record<string, unknown>;
  target_duration: number;
  original_target_duration: number;
  /** The seed that is sent. */
  seed?: number;
  requested_duration: number;
  buffer_strategy: BufferStrategy;
  duration_reason: string;
  /** Everything sent to the model except its texts; see `providerInput`. */
  input: Record<string, unknown>;
  /** An image that is built and uploaded later, and sent as one more input. */
  composite?: CompositeReference;
  /** The inputs whose files are videos or sounds. */
  media?: Record<string, MediaKind>;
  /** `input` without reference images, where plan and model allow that. */
  text_only?: Record<string, unknown>;
  /** The price of `text_only`, where it differs from `price`. */
  text_only_price?: UnitPrice | null;
  price: UnitPrice | null;
  estimated_cost_usd: number | null;
  cost_increase_percent: number;
  /** The cost of the closest legal duration, without a buffer. */
  unbuffered_cost_usd?: number | null;
  /** Seconds a prediction usually takes. */
  usual_time: number;
}

/** The fields of a clip that depend on its model; the others are in the clip of the plan's own model. */
export type PlannedClip = Omit<
  ResolvedClip,
  'prompt' | 'negative_prompt' | 'metadata' | 'target_duration' | 'original_target_duration'
>;

/** The plan on one of its fallback models. */
export interface ResolvedFallback {
  model: ResolvedModel;
  /** Ascending by clip_index. */
  clips: PlannedClip[];
  estimated_cost_usd: number | null;
}

export interface ResolvedPlan {
  model: ResolvedModel;
  /** The fallback models, in the plan's order; absent where the plan names none. */
  fallbacks?: ResolvedFallback[];
  labels: string[];
  batch_size: number;
  dispatch: 'batches' | 'window';
  min_successful_clips: number;
  max_cost_usd: number | null;
  clip_timeout: number;
  stop_when_unreachable: boolean;
  on_bad_reference: 'fail' | 'text_only';
  /** As the plan has it. */
  quality?: Quality;
  /** The job whose finals these are. */
  draft_of?: string;
  /** The cost at each quality, where the model makes drafts. */
  draft_cost_usd?: number | null;
  final_cost_usd?: number | null;
  /** Ascending by clip_index. */
  clips: ResolvedClip[];
  estimated_cost_usd: number | null;
  cost_increase_percent: number;
  warnings: string[];
}

/** The exact `input` of a clip's predictions. It is sent, and a lost prediction is found again by it. */
export function providerInput(model: ResolvedModel, clip: ResolvedClip): Record<string, unknown> {
  const input: Record<string, unknown> = { ...clip.input };
  if (model.prompt_input !== null) input[model.prompt_input] = clip.prompt;
  if (model.negative_prompt_input !== null && clip.negative_prompt !== '') {
    input[model.negative_prompt_input] = clip.negative_prompt;
  }
  return input;
}

/** The result of resolving a plan; `resolved` is null where the catalogue has no such model. */
export interface Resolution {
  resolved: ResolvedPlan | null;
  problems: PlanProblem[];
}

export type Checked =
  { ok: true; plan: Plan; resolved: ResolvedPlan } | { ok: false; problems: PlanProblem[] };
