/**
 * What a checked plan becomes: model, durations, provider inputs and prices frozen as data, so that
 * later edits of catalogue or environment never change a running job. Types only.
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
  /** Null for official models (POST /models/…/predictions); else the pinned 64-hex version (POST /predictions). */
  version: string | null;
  /** Names of the model's text inputs; null where it has none. The texts themselves stay in the plan's clips. */
  prompt_input: string | null;
  negative_prompt_input: string | null;
  /** False when the catalogue row says that failed and canceled predictions are free. */
  bills_failed: boolean;
  /** The input that takes a seed, and the greatest that it takes; absent where there is none. */
  seed?: { input: string; most: number };
}

export interface ResolvedClip {
  clip_index: number;
  prompt: string;
  negative_prompt: string;
  metadata: Record<string, unknown>;
  target_duration: number;
  original_target_duration: number;
  /** As it is sent. */
  seed?: number;
  requested_duration: number;
  buffer_strategy: BufferStrategy;
  duration_reason: string;
  /** Everything sent to the model but its texts; see `providerInput`. */
  input: Record<string, unknown>;
  /** An image that is to be built, uploaded and sent as one more input. */
  composite?: CompositeReference;
  /** The inputs whose files are no images. */
  media?: Record<string, MediaKind>;
  /** `input` without any reference image, where the plan allows that and the model can do without. */
  text_only?: Record<string, unknown>;
  /** What that costs, where it is not the price with images. */
  text_only_price?: UnitPrice | null;
  price: UnitPrice | null;
  estimated_cost_usd: number | null;
  cost_increase_percent: number;
  /** Cost without a buffer: of the closest legal duration. */
  unbuffered_cost_usd?: number | null;
  /** Seconds a prediction usually takes. */
  usual_time: number;
}

/** Of a clip, what depends on the model that makes it; the rest stands in the plan's own clip. */
export type PlannedClip = Omit<
  ResolvedClip,
  'prompt' | 'negative_prompt' | 'metadata' | 'target_duration' | 'original_target_duration'
>;

/** The plan on another model than its own. */
export interface ResolvedFallback {
  model: ResolvedModel;
  /** Ascending by clip_index. */
  clips: PlannedClip[];
  estimated_cost_usd: number | null;
}

export interface ResolvedPlan {
  model: ResolvedModel;
  /** What takes over where the model cannot make a clip, in this order; absent where the plan names none. */
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
  /** What the plan costs at each quality, where the model makes drafts. */
  draft_cost_usd?: number | null;
  final_cost_usd?: number | null;
  /** Ascending by clip_index. */
  clips: ResolvedClip[];
  estimated_cost_usd: number | null;
  cost_increase_percent: number;
  warnings: string[];
}

/** The exact `input` object of a clip's predictions: what is sent, and what a lost one is found again by. */
export function providerInput(model: ResolvedModel, clip: ResolvedClip): Record<string, unknown> {
  const input: Record<string, unknown> = { ...clip.input };
  if (model.prompt_input !== null) input[model.prompt_input] = clip.prompt;
  if (model.negative_prompt_input !== null && clip.negative_prompt !== '') {
    input[model.negative_prompt_input] = clip.negative_prompt;
  }
  return input;
}

/** A plan held against its model: null where the catalogue has no such model. */
export interface Resolution {
  resolved: ResolvedPlan | null;
  problems: PlanProblem[];
}

export type Checked =
  { ok: true; plan: Plan; resolved: ResolvedPlan } | { ok: false; problems: PlanProblem[] };
