/**
 * One clip of a plan against its model's row: which images go where, how long, what is sent, what it costs.
 * Pure. Problems carry the clip's place in the plan as it was written.
 */
import { estimateCost, increasePercent, priceFor } from './cost.js';
import { legalDurations, listed, planDuration, type LegalDuration } from './duration.js';
import type { ModelRow, Scalar } from './models/row.js';
import { brokenRules, effective } from './models/rules.js';
import type { ClipPrompt } from './plan.schema.js';
import { placeReferences, referencesOf, type ReferenceMode } from './references.js';
import type { PlanProblem, ResolvedClip } from './resolved.js';

/** What holds for every clip of the job. */
export interface JobChoices {
  row: ModelRow;
  /** In the model's own words. */
  settings: Record<string, Scalar>;
  aspect_ratio: string | null;
  buffer: number;
  reference_mode: ReferenceMode;
  composites: boolean;
  check_rules: boolean;
}

export interface ClipWork {
  clip: ResolvedClip;
  warnings: string[];
  problems: PlanProblem[];
}

type Input = Record<string, unknown>;

const STANDARD_RATIO = '16:9';

export function resolveClip(asked: ClipPrompt, place: number, job: JobChoices): ClipWork {
  const { row } = job;
  const path = `clip_prompts.${String(place)}`;
  const references = placeReferences(row, referencesOf(asked), {
    mode: job.reference_mode,
    ratio: job.aspect_ratio ?? STANDARD_RATIO,
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
  const length = planLength(row, before, asked.duration, job.buffer);
  const input = withDuration(row, before, length.planned.chosen);
  const cost = costOf(row, input, withDuration(row, before, length.planned.closest), length);
  const clip: ResolvedClip = {
    clip_index: asked.clip_index,
    prompt: asked.prompt,
    negative_prompt: asked.negative_prompt ?? '',
    metadata: asked.metadata ?? {},
    target_duration: asked.duration,
    original_target_duration: asked.original_target_duration ?? asked.duration,
    requested_duration: length.planned.requested_duration,
    buffer_strategy: length.planned.buffer_strategy,
    duration_reason: length.planned.reason,
    input,
    ...(references.composite === null ? {} : { composite: references.composite }),
    ...cost,
    usual_time: row.usual_time,
  };
  return {
    clip,
    warnings: [
      ...ratio.warnings,
      ...references.warnings,
      ...lengthWarnings(row, asked.duration, length),
      ...costWarnings(clip, length.planned.closest.seconds),
    ],
    problems: [
      ...missingImages(row, input, path),
      ...promptProblems(row, asked, path),
      ...(job.check_rules ? ruleProblems(row, input, path) : []),
    ],
  };
}

function ratioInput(
  { row, aspect_ratio: asked }: JobChoices,
  images: Input,
): { inputs: Input; warnings: string[] } {
  const { input, follows_image } = row.aspect_ratio;
  const hasStart = row.start_image !== null && Object.hasOwn(images, row.start_image);
  if (follows_image && hasStart) {
    const ignored = `the clip takes the ratio of its start image, not ${asked ?? ''}`;
    return { inputs: {}, warnings: asked === null ? [] : [ignored] };
  }
  if (input === null) return { inputs: {}, warnings: [] };
  const ratio = asked ?? effective(row, {}, input);
  return { inputs: ratio === undefined ? {} : { [input]: ratio }, warnings: [] };
}

const withDuration = (row: ModelRow, input: Input, { value }: LegalDuration): Input =>
  row.duration.input === null ? { ...input } : { ...input, [row.duration.input]: value };

interface Length {
  planned: ReturnType<typeof planDuration>;
  /** What is possible with these inputs, and what would be without the rules between them. */
  possible: readonly LegalDuration[];
  all: readonly LegalDuration[];
  narrowed_by: string[];
}

/** Rules between inputs narrow the lengths (10 s needs 768p); where none is left, the rules are reported instead. */
function planLength(row: ModelRow, input: Input, target: number, buffer: number): Length {
  const { duration } = row;
  const fps = duration.unit === 'frames' ? numberOf(input, duration.fps_input) : undefined;
  const all = legalDurations(duration, fps);
  const possible = all.filter(
    (item) => brokenRules(row, withDuration(row, input, item)).length === 0,
  );
  const usable = possible.length > 0 ? possible : all;
  const narrowedBy = new Set(
    all.flatMap((item) => brokenRules(row, withDuration(row, input, item)).map(({ says }) => says)),
  );
  return {
    planned: planDuration(usable, { strategy: duration.strategy, target, buffer }),
    possible: usable,
    all,
    narrowed_by: possible.length > 0 ? [...narrowedBy] : [],
  };
}

function numberOf(input: Input, name: string | null): number | undefined {
  const value = name === null ? undefined : input[name];
  return typeof value === 'number' ? value : undefined;
}

function lengthWarnings(row: ModelRow, target: number, length: Length): string[] {
  const longest = length.possible.at(-1)?.seconds ?? 0;
  if (target <= longest) return [];
  const because = length.narrowed_by.length > 0 ? ` here (${length.narrowed_by.join('; ')})` : '';
  return [
    `${String(target)} s is longer than ${row.id} can make${because}: planned at ${String(longest)} s of ${listed(length.all)}`,
  ];
}

function costOf(row: ModelRow, input: Input, plainInput: Input, { planned }: Length) {
  const price = priceFor(row, input);
  const plainPrice = priceFor(row, plainInput);
  const { requested_duration: requested, closest } = planned;
  const cost = estimateCost(price, requested, row.usual_time);
  const plain = estimateCost(plainPrice, closest.seconds, row.usual_time);
  const increase =
    cost === null || plain === null
      ? increasePercent(requested, closest.seconds)
      : increasePercent(cost, plain);
  return {
    price,
    estimated_cost_usd: cost,
    unbuffered_cost_usd: plain,
    cost_increase_percent: increase,
  };
}

const WATCHED_PERCENT = 20;

const costWarnings = (clip: ResolvedClip, closest: number): string[] =>
  clip.cost_increase_percent > WATCHED_PERCENT
    ? [
        `${String(clip.requested_duration)} s cost ${String(clip.cost_increase_percent)} % more than the closest length, ${String(closest)} s`,
      ]
    : [];

function missingImages(row: ModelRow, input: Input, path: string): PlanProblem[] {
  const missing = Object.entries(row.inputs).filter(
    ([name, field]) =>
      field.required === true && field.type === 'uri' && !Object.hasOwn(input, name),
  );
  return missing.map(([name]) => ({
    path: `${path}.scene_reference_url`,
    message: `expected an image, because ${row.id} needs one (${name}), got nothing that fits`,
  }));
}

/** Limits of the texts are the model's own; the texts are not part of `input`. */
function promptProblems(row: ModelRow, asked: ClipPrompt, path: string): PlanProblem[] {
  const texts: [string, string | null, string][] = [
    ['prompt', row.prompt, asked.prompt],
    ['negative_prompt', row.negative_prompt, asked.negative_prompt ?? ''],
  ];
  return texts.flatMap(([name, input, text]) => {
    const field = input === null ? undefined : row.inputs[input];
    const most = field?.type === 'string' ? (field.max_length ?? Infinity) : Infinity;
    if (text.length <= most) return [];
    const message = `expected at most ${String(most)} characters with ${row.id}, got ${String(text.length)} characters`;
    return [{ path: `${path}.${name}`, message }];
  });
}

const ruleProblems = (row: ModelRow, input: Input, path: string): PlanProblem[] =>
  brokenRules(row, input).map(({ says, then }) => {
    const given = then
      .map(
        (condition) =>
          `${condition.input} ${JSON.stringify(effective(row, input, condition.input) ?? null)}`,
      )
      .join(' and ');
    return { path, message: `expected that ${says} (${row.id}), got ${given}` };
  });
