/**
 * Resolves one clip of a plan against its model's row: where its images go, its length, its input and its cost. Pure.
 * Problems have the clip's place in the plan as it was written.
 */
import { estimateCost, increasePercent, priceFor } from '../pricing/cost.js';
import {
  legalDurations,
  listed,
  planDuration,
  roundedTarget,
  type DurationRequest,
  type LegalDuration,
  type PlannedDuration,
} from './duration-planner.js';
import type { ModelRow, Scalar } from '../models/row.js';
import { missingImages, fieldProblems, ruleProblems } from './clip-problems.js';
import { brokenRules, effective, inputsOfRule } from '../models/rules.js';
import type { ClipPrompt, ReferenceMode } from './plan.schema.js';
import type { PlanProblem } from './plan-problems.schema.js';
import {
  hasStartImage,
  placeReferences,
  referencesOf,
  type PlacedReferences,
} from '../references/assign-references.js';
import type { ResolvedClip } from './resolved.js';

/** What every clip of the job has in common. */
export interface JobChoices {
  row: ModelRow;
  /** By the model's own inputs. */
  settings: Readonly<Record<string, Scalar>>;
  aspect_ratio: string | null;
  buffer: number;
  reference_mode: ReferenceMode;
  composites: boolean;
  /** May a clip be rendered without its references when they turn out bad? */
  text_only: boolean;
  check_rules: boolean;
  /** Every length the model makes with these settings. */
  lengths: readonly LegalDuration[];
}

/** Computed once for a job: a plan has up to a thousand clips. */
export const lengthsOf = (row: ModelRow, settings: Input): LegalDuration[] =>
  legalDurations(row.duration, frameRate(row, settings));

/** Frames per second, where the plan or the row sets them. */
function frameRate({ duration, sends }: ModelRow, settings: Input): number | undefined {
  return duration.unit === 'seconds'
    ? undefined
    : numberOf({ ...sends, ...settings }, duration.fps_input);
}

export interface ClipWork {
  clip: ResolvedClip;
  warnings: string[];
  problems: PlanProblem[];
}

export type Input = Record<string, unknown>;

const STANDARD_RATIO = '16:9';

/** The ratio that the model makes without being asked for one. */
function usualRatio(row: ModelRow): string {
  const { input, values } = row.aspect_ratio;
  const preset = input === null ? undefined : effective(row, {}, input);
  const known = [preset, ...values].find(
    (value) => typeof value === 'string' && /^\d+:\d+$/.test(value),
  );
  return typeof known === 'string' ? known : STANDARD_RATIO;
}

/** The input without the length, and the lengths that are possible with it. */
export interface Outline {
  references: PlacedReferences;
  ratio_warnings: string[];
  before: Input;
  lengths: Lengths;
}

export function outlineOf(asked: ClipPrompt, job: JobChoices): Outline {
  const { row } = job;
  const references = placeReferences(row, referencesOf(asked), {
    mode: job.reference_mode,
    ratio: job.aspect_ratio ?? usualRatio(row),
    composites: job.composites,
  });
  const ratio = ratioInput(job, references.inputs);
  const before: Input = {
    ...row.sends,
    ...job.settings,
    ...ratio.inputs,
    ...references.inputs,
    ...(row.seed !== null && asked.seed !== undefined ? { [row.seed]: asked.seed } : {}),
  };
  return { references, ratio_warnings: ratio.warnings, before, lengths: lengthsWith(job, before) };
}

export function resolveClip(asked: ClipPrompt, place: number, job: JobChoices): ClipWork {
  const { row } = job;
  const path = `clip_prompts.${String(place)}`;
  const { references, ratio_warnings, before, lengths } = outlineOf(asked, job);
  const length = planLength(job, lengths, asked.duration);
  const planned: ResolvedClip = {
    ...wanted(asked),
    ...(row.seed === null || asked.seed === undefined ? {} : { seed: asked.seed }),
    ...priced(row, before, length.planned),
  };
  return {
    clip: withImages(job, planned, references),
    warnings: [
      ...ratio_warnings,
      ...references.warnings,
      ...lengthWarnings(row, asked.duration, length),
      ...costWarnings(planned, length.planned.closest.seconds),
    ],
    problems: [
      ...missingImages(row, planned.input, path),
      ...fieldProblems(row, asked, path),
      ...(job.check_rules ? ruleProblems(row, planned.input, path) : []),
    ],
  };
}

/** What is copied from the plan. */
const wanted = (asked: ClipPrompt) => ({
  clip_index: asked.clip_index,
  prompt: asked.prompt,
  negative_prompt: asked.negative_prompt ?? '',
  metadata: asked.metadata ?? {},
  target_duration: asked.duration,
  original_target_duration: asked.original_target_duration ?? asked.duration,
});

function ratioInput(
  { row, aspect_ratio: asked }: JobChoices,
  images: Input,
): { inputs: Input; warnings: string[] } {
  const { input, values, follows_image, with_image } = row.aspect_ratio;
  const sent = (ratio: unknown): Input =>
    input === null || ratio === undefined ? {} : { [input]: ratio };
  if (follows_image && hasStartImage(row, images)) {
    const ignored = `the clip takes the ratio of its start image, not ${asked ?? ''}`;
    return { inputs: sent(with_image), warnings: asked === null ? [] : [ignored] };
  }
  const usual = input === null ? undefined : effective(row, {}, input);
  // A default that is legal only with a start image does not count without one.
  const isForImages = with_image !== undefined && usual === with_image;
  const ratio = asked ?? (isForImages ? values[0] : usual);
  return { inputs: sent(ratio), warnings: [] };
}

const without = (input: Input, names: readonly string[]): Input =>
  Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name)));

/** Adds what the images may become later: a composite in place of the scene, or no image at all. */
function withImages(
  job: JobChoices,
  clip: ResolvedClip,
  { inputs, media, composite }: PlacedReferences,
): ResolvedClip {
  const textOnly = job.text_only ? withoutImages(job, clip, inputs) : {};
  return {
    ...clip,
    // The scene is sent only within the composite, and a thousand scenes must not be stored twice.
    ...(composite === null ? {} : { composite, input: without(clip.input, [composite.input]) }),
    ...(media === undefined ? {} : { media }),
    ...textOnly,
  };
}

type TextOnly = Pick<ResolvedClip, 'text_only' | 'text_only_price'>;

/**
 * The input for when the clip's images turn out bad, with the planned length; absent where the model needs images, or where
 * it would cost more than is reserved for the clip.
 */
function withoutImages(job: JobChoices, clip: ResolvedClip, images: Input): TextOnly {
  const { row } = job;
  if (Object.keys(images).length === 0) return {};
  const input = { ...without(clip.input, Object.keys(images)), ...ratioInput(job, {}).inputs };
  if (missingImages(row, input, '').length + brokenRules(row, input).length > 0) return {};
  const price = priceFor(row, input);
  const cost = estimateCost(price, clip.requested_duration, row.usual_time);
  if (cost === clip.estimated_cost_usd) return { text_only: input };
  const isDearer = cost === null || cost > (clip.estimated_cost_usd ?? Infinity);
  return isDearer ? {} : { text_only: input, text_only_price: price };
}

export const withDuration = (row: ModelRow, input: Input, { value }: LegalDuration): Input =>
  row.duration.input === null ? { ...input } : { ...input, [row.duration.input]: value };

/** The lengths that are possible with an input, and those without the rules between inputs. */
interface Lengths {
  possible: readonly LegalDuration[];
  all: readonly LegalDuration[];
  narrowed_by: string[];
}

interface Length extends Lengths {
  /** Rounded like the lengths. */
  target: number;
  planned: PlannedDuration;
}

/** Rules between inputs narrow the lengths (10 s needs 768p); where no length remains, the rules are reported instead. */
function lengthsWith({ row, lengths: all }: JobChoices, input: Input): Lengths {
  const name = row.duration.input;
  if (name === null || !isRuled(row, name)) return { possible: all, all, narrowed_by: [] };
  const judged = all.map((item) => ({
    item,
    broken: brokenRules(row, withDuration(row, input, item)),
  }));
  const free = judged.filter(({ broken }) => broken.length === 0).map(({ item }) => item);
  const says = new Set(judged.flatMap(({ broken }) => broken.map((rule) => rule.says)));
  return free.length > 0
    ? { possible: free, all, narrowed_by: [...says] }
    : { possible: all, all, narrowed_by: [] };
}

export const isRuled = ({ rules }: ModelRow, name: string): boolean =>
  rules.some((rule) => inputsOfRule(rule).includes(name));

function planLength(job: JobChoices, lengths: Lengths, asked: number): Length {
  const request = durationRequest(job, asked);
  return { ...lengths, target: request.target, planned: planDuration(lengths.possible, request) };
}

export const durationRequest = (
  { row, settings, buffer }: JobChoices,
  asked: number,
): DurationRequest => ({
  strategy: row.duration.strategy,
  target: roundedTarget(row.duration, asked, frameRate(row, settings)),
  buffer,
});

function numberOf(input: Input, name: string | null): number | undefined {
  const value = name === null ? undefined : input[name];
  return typeof value === 'number' ? value : undefined;
}

function lengthWarnings(row: ModelRow, target: number, length: Length): string[] {
  const longest = length.possible.at(-1);
  if (longest === undefined || longest.seconds >= length.target) return [];
  const because = length.narrowed_by.length > 0 ? ` here (${length.narrowed_by.join('; ')})` : '';
  return [
    `${String(target)} s is longer than ${row.id} can make${because}: planned at ${String(longest.seconds)} s of ${listed(length.all)}`,
  ];
}

/** The input with the planned length, and its cost compared with the closest length. */
function priced(row: ModelRow, before: Input, planned: PlannedDuration) {
  const { requested_duration: requested, closest } = planned;
  const input = withDuration(row, before, planned.chosen);
  const price = priceFor(row, input);
  const cost = estimateCost(price, requested, row.usual_time);
  const plainPrice = priceFor(row, withDuration(row, before, closest));
  const plain = estimateCost(plainPrice, closest.seconds, row.usual_time);
  return {
    requested_duration: requested,
    buffer_strategy: planned.buffer_strategy,
    duration_reason: planned.reason,
    input,
    price,
    estimated_cost_usd: cost,
    unbuffered_cost_usd: plain,
    cost_increase_percent:
      cost === null || plain === null
        ? increasePercent(requested, closest.seconds)
        : increasePercent(cost, plain),
    usual_time: row.usual_time,
  };
}

const WATCHED_PERCENT = 20;

const costWarnings = (clip: ResolvedClip, closest: number): string[] =>
  clip.cost_increase_percent > WATCHED_PERCENT
    ? [
        `${String(clip.requested_duration)} s cost ${String(clip.cost_increase_percent)} % more than the closest length, ${String(closest)} s`,
      ]
    : [];
