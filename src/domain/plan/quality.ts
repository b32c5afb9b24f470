/**
 * Drafts: the same clips, rendered faster and for less, to be reviewed before their finals are paid. Pure.
 *
 * DRAFT-1 A draft differs from its final only in the inputs of the row's `draft`.
 * DRAFT-2 A draft without a seed gets one derived from job and clip, so that its final can repeat it.
 */
import type { Job } from '../job/job.schema.js';
import type { PlanProblem } from './plan-problems.schema.js';
import type { Catalogue, ModelRow, Scalar } from '../models/row.js';
import { effective } from '../models/rules.js';
import type { ClipPrompt, FinalRequest, Plan, Quality } from './plan.schema.js';
import type { PlannedClip, ResolvedModel, ResolvedPlan } from './resolved.js';
import type { AppliedSettings } from './model-settings.js';

const told = (inputs: Readonly<Record<string, unknown>>): string =>
  Object.entries(inputs)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');

/** The settings that are sent at the plan's quality (DRAFT-1). */
export function atQuality(
  row: ModelRow,
  quality: Quality | undefined,
  settings: AppliedSettings,
  catalogue: Catalogue,
): AppliedSettings {
  if (quality !== 'draft') return settings;
  const { draft } = row;
  if (draft === undefined)
    return { ...settings, problems: [...settings.problems, noDraft(row, catalogue)] };
  const final = { ...row.sends, ...settings.inputs };
  const isSame = Object.entries(draft).every(
    ([name, value]) => effective(row, final, name) === value,
  );
  const problems = isSame ? [sameAsFinal(draft)] : [];
  return {
    inputs: { ...settings.inputs, ...draft },
    warnings: [...settings.warnings, ...overridden(settings.inputs, draft)],
    problems: [...settings.problems, ...problems],
  };
}

function noDraft(row: ModelRow, catalogue: Catalogue): PlanProblem {
  const others = [...catalogue.values()]
    .filter(({ draft }) => draft !== undefined)
    .map(({ id }) => id);
  const hint = others.length === 0 ? '' : ` (of ${others.join(', ')} there are drafts)`;
  return {
    path: 'quality',
    message: `expected "final" or nothing, because ${row.id} makes no drafts${hint}, got "draft"`,
  };
}

const sameAsFinal = (draft: Readonly<Record<string, Scalar>>): PlanProblem => ({
  path: 'quality',
  message: `expected settings that differ from those of a draft (${told(draft)}), for its final would be the same, got "draft"`,
});

/** A warning for settings of the plan that only the final has. */
function overridden(
  asked: Readonly<Record<string, Scalar>>,
  draft: Readonly<Record<string, Scalar>>,
): string[] {
  const other = Object.entries(draft).filter(
    ([name, value]) => Object.hasOwn(asked, name) && asked[name] !== value,
  );
  if (other.length === 0) return [];
  const wished = Object.fromEntries(other.map(([name]) => [name, asked[name]]));
  return [
    `a draft is made with ${told(Object.fromEntries(other))}; its final, with ${told(wished)}`,
  ];
}

/** 31 bits: every model with a seed takes them, unless its row has a smaller maximum. */
export const MAX_SEED = 2 ** 31 - 1;

/** DRAFT-2: FNV-1a, and its bits mixed once more, because neighbours differ in the last character only. */
export function seedOf(jobId: string, clipIndex: number, most = MAX_SEED): number {
  let hash = 0x811c9dc5;
  for (const character of `${jobId}/${String(clipIndex)}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return 1 + (((hash ^ (hash >>> 16)) >>> 0) % most);
}

/** The plan as the job `jobId` sends it: every clip of a draft has a seed (DRAFT-2). */
export function seeded(resolved: ResolvedPlan, jobId: string): ResolvedPlan {
  const { quality, model, clips, fallbacks } = resolved;
  if (quality !== 'draft') return resolved;
  return {
    ...resolved,
    clips: clips.map((clip) => withSeed(clip, model, jobId)),
    ...(fallbacks === undefined
      ? {}
      : {
          fallbacks: fallbacks.map((other) => ({
            ...other,
            clips: other.clips.map((clip) => withSeed(clip, other.model, jobId)),
          })),
        }),
  };
}

function withSeed<C extends PlannedClip>(clip: C, { seed }: ResolvedModel, jobId: string): C {
  if (seed === undefined || clip.seed !== undefined) return clip;
  const value = seedOf(jobId, clip.clip_index, seed.most);
  const { text_only: without } = clip;
  return {
    ...clip,
    seed: value,
    input: { ...clip.input, [seed.input]: value },
    ...(without === undefined ? {} : { text_only: { ...without, [seed.input]: value } }),
  };
}

type Finals =
  | { ok: true; plan: Plan }
  /** `path`: within the request; null where the job itself has no finals (now). */
  | { ok: false; path: string | null; message: string };

const refused = (path: string | null, message: string): Finals => ({ ok: false, path, message });

/** The plan for the finals of a draft: same prompts, same seeds, on the model that made the draft. */
export function finalsOf(plan: Plan, draft: Job, request: FinalRequest): Finals {
  const { job_id } = draft;
  if (draft.quality !== 'draft') {
    return refused(null, `expected a job of quality "draft", "${job_id}" is none`);
  }
  const made = new Map(
    draft.clips
      .filter(({ status }) => status === 'succeeded')
      .map((clip) => [clip.clip_index, clip]),
  );
  const chosen = request.clips ?? [...made.keys()];
  if (chosen.length === 0) return refused(null, `the draft "${job_id}" has no clip that succeeded`);
  const place = chosen.findIndex((index) => !made.has(index));
  if (place >= 0) {
    const got = String(chosen[place]);
    return refused(
      `clips.${String(place)}`,
      `expected a clip of "${job_id}" that succeeded, got ${got}`,
    );
  }
  const models = new Map(chosen.map((index) => [made.get(index)?.model ?? draft.model, index]));
  const [model = draft.model, ...others] = models.keys();
  if (others.length > 0) {
    const each = [...models].map(([id, index]) => `clip ${String(index)} on ${id}`).join(', ');
    return refused('clips', `expected clips whose drafts one model has made, got ${each}`);
  }
  const isChosen = new Set(chosen);
  const clip_prompts = plan.clip_prompts
    .filter(({ clip_index }) => isChosen.has(clip_index))
    .map((clip): ClipPrompt => {
      const seed = made.get(clip.clip_index)?.seed ?? clip.seed;
      return { ...clip, ...(seed === undefined ? {} : { seed }) };
    });
  const { job_id: _id, total_clips: _total, min_successful_clips: least, ...asked } = plan;
  const { fallback_models: names = [], ...rest } = asked;
  const fallback_models = names.slice(names.indexOf(model) + 1);
  return {
    ok: true,
    plan: {
      ...rest,
      model,
      ...(fallback_models.length === 0 ? {} : { fallback_models }),
      quality: 'final',
      draft_of: job_id,
      clip_prompts,
      ...(least === undefined
        ? {}
        : { min_successful_clips: Math.min(least, clip_prompts.length) }),
      ...(request.job_id === undefined ? {} : { job_id: request.job_id }),
      ...(request.max_cost_usd === undefined ? {} : { max_cost_usd: request.max_cost_usd }),
    },
  };
}
