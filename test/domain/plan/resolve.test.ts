/** What a plan becomes: defaults, lengths, costs, and what is said about differences. */
import { describe, expect, it } from 'vitest';
import { checkPlan, type PlanContext } from '../../../src/domain/plan/check-plan.schema.js';
import { resolvePlan } from './resolve-plan.js';
import type { ResolvedPlan } from '../../../src/domain/plan/resolved.js';
import { clip, plan } from './bad-plans.js';
import { accepted, ALIVE_CONTEXT } from '../../support/checked-plans.js';
import { rowOf } from '../models/rows.js';

const resolved = (value: unknown, more: Partial<PlanContext> = {}): ResolvedPlan =>
  accepted(value, { ...ALIVE_CONTEXT, ...more }).resolved;

describe('resolvePlan', () => {
  it('fills in defaults and puts clips in ascending order', () => {
    const { clips, ...job } = resolved(plan({}, clip(7), clip(2)));
    expect(clips.map((item) => item.clip_index)).toEqual([2, 7]);
    expect(job).toMatchObject({
      labels: [],
      batch_size: 5,
      dispatch: 'batches',
      min_successful_clips: 2,
      max_cost_usd: null,
      clip_timeout: 900,
      stop_when_unreachable: true,
      on_bad_reference: 'fail',
    });
    expect(resolved(plan({}, ...[0, 1, 2, 3].map((i) => clip(i)))).min_successful_clips).toBe(3);
  });

  it('keeps the labels in their order', () => {
    expect(resolved(plan({ labels: ['winter', 'a'] })).labels).toEqual(['winter', 'a']);
  });

  it('keeps the original target', () => {
    const { clips } = resolved(
      plan({}, clip(0, { duration: 6, original_target_duration: 5 }), clip(1)),
    );
    expect(clips.map((item) => item.original_target_duration)).toEqual([5, 5]);
    expect(clips.map((item) => item.target_duration)).toEqual([6, 5]);
  });

  it("prefers the plan's buffer to the environment's", () => {
    const ask = (more: object) =>
      resolved(plan({ model: 'bytedance/seedance-1-pro', ...more }, clip(0, { duration: 4 })))
        .clips[0]?.requested_duration;
    expect([ask({}), ask({ duration_buffer: 1 }), ask({ duration_buffer: 2 })]).toEqual([5, 4, 8]);
  });

  it.each([
    [5.1, 100],
    [7.5, 100],
    [7.6, 0],
    [5, 0],
  ])('Kling: %d s costs %d %% more than the closest length', (duration, percent) => {
    expect(resolved(plan({}, clip(0, { duration }))).clips[0]?.cost_increase_percent).toBe(percent);
  });

  it('warns when the buffer costs more than a fifth, for the clips and for the job', () => {
    const { warnings, cost_increase_percent } = resolved(
      plan({}, clip(0, { duration: 5.1 }), clip(1), clip(2, { duration: 5.2 })),
    );
    expect(cost_increase_percent).toBe(66.7);
    expect(warnings).toContain(
      'the requested durations cost 66.7 % more than the closest ones would',
    );
    expect(warnings).toContain('clips 0, 2: 10 s cost 100 % more than the closest length, 5 s');
    expect(resolved(plan()).warnings).toEqual([]);
  });

  it('plans a target beyond the longest length at that length, with a warning', () => {
    const { clips, warnings } = resolved(plan({}, clip(3, { duration: 12 })));
    expect(clips[0]?.requested_duration).toBe(10);
    expect(warnings).toEqual([
      'clip 3: 12 s is longer than kwaivgi/kling-v2.5-turbo-pro can make: planned at 10 s of 5 or 10 s',
    ]);
  });

  it('lets rules between inputs narrow the lengths, and names the rule', () => {
    const hailuo = plan(
      { model: 'minimax/hailuo-2.3', settings: { resolution: '1080p' } },
      clip(0, { duration: 8 }),
    );
    const { clips, warnings } = resolved(hailuo);
    expect(clips[0]).toMatchObject({ requested_duration: 6, estimated_cost_usd: 0.49 });
    expect(warnings.join()).toContain('10 s needs 768p');
    const lite = plan(
      { model: 'google/veo-3.1-lite', settings: { resolution: '1080p' } },
      clip(0, { duration: 3 }),
    );
    expect(resolved(lite).clips[0]).toMatchObject({
      requested_duration: 8,
      estimated_cost_usd: 0.64,
    });
  });

  it('groups equal warnings of many clips', () => {
    const clips = Array.from({ length: 40 }, (_, index) => clip(index, { duration: 12, seed: 1 }));
    const { warnings } = resolved({ clip_prompts: clips });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('takes no seed');
    expect(warnings[1]).toMatch(/^all 40 clips: /);
  });

  it('narrows the lengths to what a rule allows without a file', () => {
    const { clips } = resolved(
      plan({ model: 'kwaivgi/kling-o1' }, clip(0, { duration: 5.5 }), clip(1, { duration: 4 })),
    );
    expect(clips.map((item) => item.requested_duration)).toEqual([10, 5]);
    expect(clips.map((item) => item.estimated_cost_usd)).toEqual([1.12, 0.56]);
  });

  it('adds a fee for images to estimate and unit price', () => {
    const images = (count: number) =>
      Array.from({ length: count }, (_, index) => `https://example.com/${String(index)}.jpg`);
    const { clips } = resolved(
      plan(
        { model: 'minimax/h3' },
        clip(0, { duration: 4, character_reference_urls: images(5) }),
        clip(1, { duration: 4, character_reference_urls: images(8) }),
      ),
    );
    expect(clips.map((item) => item.estimated_cost_usd)).toEqual([0.4, 0.52]);
    expect(clips.map((item) => item.price?.fee_usd)).toEqual([undefined, 0.12]);
  });

  it('leaves costs open where no price is known', () => {
    const unpriced = { ...rowOf('bytedance/seedance-2.0'), prices: [] };
    const catalogue = new Map([[unpriced.id, unpriced]]);
    const job = resolved(plan({ model: unpriced.id }), { catalogue });
    expect(job.estimated_cost_usd).toBeNull();
    expect(job.warnings.join()).toContain('no price of bytedance/seedance-2.0 is known');
    const capped = plan({ model: unpriced.id, max_cost_usd: 100 });
    expect(checkPlan(capped, { ...ALIVE_CONTEXT, catalogue })).toMatchObject({
      problems: [
        { path: 'max_cost_usd', message: expect.stringContaining('no price of') as string },
      ],
    });
  });

  it('accepts a cap that covers the cheapest clips that must succeed', () => {
    const cap = plan(
      { max_cost_usd: 0.35, min_successful_clips: 1 },
      clip(0, { duration: 9 }),
      clip(1),
    );
    expect(resolved(cap).max_cost_usd).toBe(0.35);
  });

  it('throws for a plan that was never checked', () => {
    expect(() => resolvePlan({ model: 'x/y', clip_prompts: [] }, ALIVE_CONTEXT)).toThrow(
      /model: expected one of/,
    );
  });
});

describe('a clip whose images may turn out bad', () => {
  const scene = { scene_reference_url: 'https://example.com/scene.jpg' };
  const one = (more: object, ...wishes: object[]) =>
    resolved(plan(more, ...wishes.map((wish, index) => clip(index, wish)))).clips[0];
  const textOnly = { on_bad_reference: 'text_only', aspect_ratio: '1:1' };

  it('has a text-only input of the planned length where the plan allows it', () => {
    const found = one(textOnly, scene);
    expect(found?.input).toMatchObject({ start_image: scene.scene_reference_url });
    expect(found?.text_only).toEqual({ aspect_ratio: '1:1', duration: found?.requested_duration });
    expect(one({ ...textOnly, on_bad_reference: 'fail' }, scene)).not.toHaveProperty('text_only');
    expect(one(textOnly, {})).not.toHaveProperty('text_only');
  });

  it('has no text-only input where the model needs an image', () => {
    const found = one({ on_bad_reference: 'text_only', model: 'kwaivgi/kling-v2.1' }, scene);
    expect(found).not.toHaveProperty('text_only');
  });

  it('has no value in the input of its composite until it is uploaded', () => {
    const both = { ...scene, character_reference_urls: ['https://example.com/ann.jpg'] };
    const found = one({ aspect_ratio: '9:16' }, both);
    expect(found?.composite).toMatchObject({ input: 'start_image', aspect_ratio: '9:16' });
    expect(found?.input).not.toHaveProperty('start_image');
  });

  it('is composed at the default ratio of the model when the plan has none', () => {
    const both = { ...scene, character_reference_urls: ['https://example.com/ann.jpg'] };
    const ratioOf = (model: string) => one({ model }, both)?.composite?.aspect_ratio;
    expect(ratioOf('kwaivgi/kling-v2.5-turbo-pro')).toBe('16:9');
    expect(ratioOf('lightricks/ltx-video')).toBe('3:2');
  });
});
