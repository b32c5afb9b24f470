/** One plan on every model: what it costs and takes, or why not; and what people compare models by. */
import { describe, expect, it } from 'vitest';
import { everyComparison, ranked } from '../../../src/domain/pricing/compare-models.js';
import type { Fit } from '../../../src/domain/pricing/estimate.schema.js';
import type { PlanContext } from '../../../src/domain/plan/check-plan.schema.js';
import { estimateOf } from '../../../src/domain/pricing/estimate.js';
import { FEATURES, factsOf } from '../../../src/domain/models/facts.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import type { Plan } from '../../../src/domain/plan/plan.schema.js';
import { resolve } from '../../../src/domain/plan/resolve.js';
import { clip, IMAGE, plan } from '../plan/bad-plans.js';
import { rowOf } from '../models/rows.js';

const context: PlanContext = {
  catalogue: CATALOGUE,
  default_model: 'prunaai/p-video',
  duration_buffer: 1.25,
};
const compared = (value: unknown) => ranked([...everyComparison(value as Plan, context)]);
const of = (value: unknown, id: string) => compared(value).find(({ model }) => model === id);

describe('a comparison', () => {
  it('has every model once, the cheapest first, and those that cannot make the plan last', () => {
    const all = compared(plan());
    expect(all.map(({ model }) => model).sort()).toEqual([...CATALOGUE.keys()].sort());
    const places = all.map((one) => (one.can_make ? (one.estimated_cost_usd ?? 1e9) : Infinity));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).toContain(Infinity);
  });

  it('has the figures that a job on the model would have', () => {
    const asked = plan(
      { settings: { resolution: '720p' }, batch_size: 2 },
      ...[3, 5.2, 8].map((duration, index) => clip(index, { duration })),
    ) as Plan;
    let checked = 0;
    for (const one of compared(asked)) {
      if (!one.can_make || one.without_settings.length > 0) continue;
      const { resolved, problems } = resolve({ ...asked, model: one.model }, context);
      if (resolved === null) throw new Error(JSON.stringify(problems));
      const { estimated_cost_usd, requested_duration, makespan } = estimateOf(resolved);
      expect(one).toMatchObject({ estimated_cost_usd, requested_duration, makespan });
      checked += 1;
    }
    expect(checked).toBeGreaterThan(3);
  });

  it.each([
    ['needs a picture', 'kwaivgi/kling-v2.1', {}, /^clip 0: expected /],
    ['has other ratios', 'google/veo-3.1', { aspect_ratio: '1:1' }, /^expected one of 16:9, 9:16/],
    ['is retired', 'bytedance/seedance-1-lite', {}, /^retired since 2026-05-13; its successor is /],
    ['cannot keep the cap', 'google/veo-3.1', { max_cost_usd: 0.5 }, /^expected at least 4.8/],
  ])('names why a model cannot make a plan: it %s', (_why, id, more, problem) => {
    expect(of(plan(more, clip(0), clip(1), clip(2)), id)).toEqual({
      model: id,
      can_make: false,
      problem: expect.stringMatching(problem) as string,
    });
  });

  it('leaves out settings that a model does not have, and names them', () => {
    const asked = plan({ settings: { resolution: '480p', camera_fixed: true } });
    const found = of(asked, 'google/veo-3.1') as Fit;
    expect(found.without_settings).toEqual(['settings.resolution', 'settings.camera_fixed']);
    expect((of(asked, 'bytedance/seedance-1-pro') as Fit).without_settings).toEqual([]);
  });

  it('counts the clips that a model makes shorter than planned', () => {
    const asked = plan({}, clip(0, { duration: 12 }), clip(1));
    expect(of(asked, 'kwaivgi/kling-v2.5-turbo-pro')).toMatchObject({ shorter_clips: 1 });
    expect(of(asked, 'prunaai/p-video')).toMatchObject({ shorter_clips: 0 });
  });

  it('finds the clip that does not fit, wherever it is', () => {
    const stills = Array.from({ length: 20 }, (_, index) =>
      clip(index, index === 17 ? {} : { scene_reference_url: IMAGE }),
    );
    expect(of(plan({}, ...stills), 'kwaivgi/kling-v2.1')).toMatchObject({
      problem: expect.stringMatching(/^clip 17: /) as string,
    });
  });
});

describe('the facts of a model', () => {
  it.each([...CATALOGUE.values()])('$id has words for every column', (row) => {
    const facts = factsOf(row);
    expect(facts.lengths).toMatch(/\d s$/);
    expect(facts.price).toMatch(/^(\$|unknown)/);
    expect(facts.usual_time).toBeGreaterThan(0);
    expect([...facts.takes].every((name) => Object.hasOwn(FEATURES, name))).toBe(true);
  });

  it('are those of its row', () => {
    expect(factsOf(rowOf('kwaivgi/kling-v2.1'))).toMatchObject({
      status: 'deprecated',
      lengths: '5 or 10 s',
      sizes: ['720p', '1080p'],
      images: 'start (needed), end',
      takes: new Set(['start', 'end']),
      is_retired: false,
    });
    const veo = factsOf(rowOf('google/veo-3.1'));
    expect(veo.images).toBe('start, end, 3 references');
    expect(veo.takes).toEqual(new Set(['text', 'start', 'end', 'references', 'sound', 'seed']));
    expect(veo.cheapest_second_usd).toBe(0.2);
  });

  it('have a price a second also where a clip or the run time is billed', () => {
    const second = (id: string) => factsOf(rowOf(id)).cheapest_second_usd;
    expect(second('minimax/hailuo-2.3-fast')).toBeCloseTo(0.019, 6);
    expect(second('lightricks/ltx-video')).toBeGreaterThan(0);
  });
});
