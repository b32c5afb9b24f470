/** Models that take over: planned before anything is paid, each for the whole plan, or refused. */
import { describe, expect, it } from 'vitest';
import type { PlanContext } from '../../../src/domain/plan/check-plan.schema.js';
import { estimateOf } from '../../../src/domain/pricing/estimate.js';
import { FAILURE_KINDS, problem } from '../../../src/domain/job/failures.js';
import { clipsOn, allowsFallback } from '../../../src/domain/job/fallbacks.js';
import { seeded, seedOf } from '../../../src/domain/plan/quality.js';
import { resolvePlan } from '../plan/resolve-plan.js';
import { clip, IMAGE, plan } from '../plan/bad-plans.js';
import { accepted, ALIVE_CONTEXT, problemsOf } from '../../support/checked-plans.js';
import { ALIVE, rowOf } from '../models/rows.js';

const PRO = 'bytedance/seedance-1-pro';
const P_VIDEO = 'prunaai/p-video';
const KLING = 'kwaivgi/kling-v2.5-turbo-pro';
const context: PlanContext = { ...ALIVE_CONTEXT, duration_buffer: 1 };

const check = (value: unknown) => accepted(value, context);
const problems = (value: unknown) => problemsOf(value, context);

describe('fallback_models', () => {
  const asked = plan(
    { model: PRO, fallback_models: [KLING, P_VIDEO] },
    clip(3, { duration: 6, negative_prompt: 'fog' }),
    clip(0),
  );

  it('are planned for every clip as if the plan had named them', () => {
    const { plan: parsed, resolved } = check(asked);
    expect(resolved.fallbacks?.map(({ model }) => model.id)).toEqual([KLING, P_VIDEO]);
    for (const other of resolved.fallbacks ?? []) {
      const { fallback_models: _, ...alone } = { ...parsed, model: other.model.id };
      const { model, clips } = resolvePlan(alone, context);
      expect(other.model).toEqual(model);
      expect(clipsOn(resolved.clips, other.clips)).toEqual(clips);
    }
    expect(JSON.stringify(resolved.fallbacks)).not.toContain('fog');
  });

  it('are in the estimate with their prices, and in its warnings with their differences', () => {
    const { resolved } = check(asked);
    const estimate = estimateOf(resolved);
    expect(estimate).toMatchObject({
      model: PRO,
      estimated_cost_usd: 1.65,
      fallbacks: [
        { model: KLING, estimated_cost_usd: 1.05 },
        { model: P_VIDEO, estimated_cost_usd: 0.22 },
      ],
    });
    expect(estimate.warnings).toContain(
      `if ${P_VIDEO} takes over: ${P_VIDEO} takes no negative prompt: it is not sent`,
    );
    expect(estimateOf(check(plan()).resolved)).not.toHaveProperty('fallbacks');
  });

  it('have drafts where the plan wants drafts, with seeds of their own', () => {
    const drafts = check(
      plan({ model: PRO, fallback_models: [P_VIDEO], quality: 'draft' }, clip(0)),
    );
    const [other] = seeded(drafts.resolved, 'a').fallbacks ?? [];
    expect(other?.clips[0]?.input).toMatchObject({ draft: true, seed: seedOf('a', 0) });
    const [found] = problems(plan({ model: PRO, fallback_models: [KLING], quality: 'draft' }));
    expect(found?.message).toContain('makes no drafts');
  });

  it.each([
    ['an unknown model', { fallback_models: ['a/b'] }, 0, /^expected one of .*, got "a\/b"/],
    ['the model of the plan', { fallback_models: [KLING] }, 0, /another model than the plan's own/],
    ['one model twice', { fallback_models: [PRO, PRO] }, 1, /a model used once/],
    [
      'a ratio that it has not',
      { model: PRO, aspect_ratio: '21:9', fallback_models: [KLING] },
      0,
      /^expected a model that can make this plan, got "kwaivgi\/kling-v2.5-turbo-pro" \(aspect_ratio: expected one of 16:9/,
    ],
    [
      'a setting that it has not, and another',
      {
        model: PRO,
        settings: { resolution: '480p', camera_fixed: true },
        fallback_models: [KLING],
      },
      0,
      /\(settings.resolution: .*, and 1 more\)$/,
    ],
    [
      'no image, where it needs one',
      { fallback_models: ['kwaivgi/kling-v2.1'] },
      0,
      /clip_prompts.0.scene_reference_url: expected an image/,
    ],
    [
      'a cap below what a success costs there',
      { model: P_VIDEO, max_cost_usd: 0.6, fallback_models: [KLING] },
      0,
      /max_cost_usd: expected at least 1.05/,
    ],
  ])('are refused in one sentence: %s', (_, more, place, message) => {
    const found = problems(plan(more));
    expect(found).toHaveLength(1);
    expect(found[0]?.path).toBe(`fallback_models.${String(place)}`);
    expect(found[0]?.message).toMatch(message);
  });

  it('are at most three', () => {
    const four = [PRO, P_VIDEO, 'google/veo-3.1', 'google/veo-3.1-fast'];
    expect(problems(plan({ fallback_models: four }))).toMatchObject([{ path: 'fallback_models' }]);
  });

  it('have their images checked like those of the plan', () => {
    const images = clip(0, { scene_reference_url: IMAGE });
    const { resolved } = check(plan({ model: PRO, fallback_models: [KLING] }, images));
    expect(resolved.fallbacks?.[0]?.clips[0]?.input).toMatchObject({ start_image: IMAGE });
  });
});

describe('a retired model', () => {
  const retired = {
    ...rowOf(PRO),
    life_cycle: { status: 'retired', since: null, until: null, successor: null, source: 'x' },
  } as const;
  const catalogue = new Map([...ALIVE, [PRO, retired]]);
  const later: PlanContext = { ...context, catalogue };

  it('is replaced by its first fallback from the start, with a warning', () => {
    const { model, fallbacks, warnings } = accepted(
      plan({ model: PRO, fallback_models: [KLING, P_VIDEO] }),
      later,
    ).resolved;
    expect([model.id, fallbacks?.map((other) => other.model.id)]).toEqual([KLING, [P_VIDEO]]);
    expect(warnings[0]).toBe(
      `${PRO} is retired: ${KLING} makes the clips, as fallback_models says`,
    );
    const alone = accepted(plan({ model: PRO, fallback_models: [KLING] }), later);
    expect(alone.resolved.model.id).toBe(KLING);
  });

  it('is no fallback itself, and problems have the path of the fallback that causes them', () => {
    const paths = (more: object) => {
      return problemsOf(plan(more), later).map(({ path }) => path);
    };
    expect(paths({ fallback_models: [PRO] })).toEqual(['fallback_models.0']);
    expect(paths({ model: PRO, fallback_models: ['a/b'] })).toEqual(['fallback_models.0']);
    expect(paths({ model: PRO, fallback_models: [KLING, 'a/b'] })).toEqual(['fallback_models.1']);
  });
});

describe('a failure that allows a fallback', () => {
  it('is a failure of the provider or of the model', () => {
    const kinds = FAILURE_KINDS.filter((kind) => allowsFallback(problem(kind, 'said')));
    expect(kinds).toEqual(['provider_error', 'no_output', 'wrong_duration']);
    expect(allowsFallback(problem('invalid_input', 'model_unavailable: HTTP 404: gone'))).toBe(
      true,
    );
    expect(allowsFallback(problem('flagged', 'model_unavailable'))).toBe(false);
  });
});
