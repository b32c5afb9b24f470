/** The estimate says what a job would ask, cost and take, and who does it for less. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPlan } from '../../../src/domain/plan/check-plan.schema.js';
import { alternativesFor } from '../../../src/domain/pricing/alternatives.js';
import { estimateOf } from '../../../src/domain/pricing/estimate.js';
import { legalDurations } from '../../../src/domain/plan/duration-planner.js';
import { quotesOf, resolve } from '../../../src/domain/plan/resolve.js';
import { clip, plan } from '../plan/bad-plans.js';
import { ALIVE } from '../models/rows.js';
import { accepted, ALIVE_CONTEXT } from '../../support/checked-plans.js';

function estimate(value: unknown) {
  const checked = accepted(value);
  return estimateOf(
    checked.resolved,
    alternativesFor(checked.plan, checked.resolved, ALIVE_CONTEXT),
  );
}

describe('estimateOf', () => {
  it('shows the length, its reason and its cost for each clip', () => {
    const { clips } = estimate(plan({}, clip(4, { duration: 5.1 })));
    expect(clips).toEqual([
      {
        clip_index: 4,
        target_duration: 5.1,
        original_target_duration: 5.1,
        requested_duration: 10,
        buffer_strategy: 'maximum',
        duration_reason: '10 s is the smallest of 5 or 10 s that covers 5.1 s.',
        estimated_cost_usd: 0.7,
        cost_increase_percent: 100,
        usual_time: 90,
        input: { aspect_ratio: '16:9', duration: 10 },
        composite: null,
      },
    ]);
  });

  it('adds up cost, increase and seconds', () => {
    expect(estimate(plan({}, clip(0, { duration: 5.1 }), clip(1)))).toMatchObject({
      estimated_cost_usd: 1.05,
      unbuffered_cost_usd: 0.7,
      cost_increase_percent: 50,
      target_duration: 10.1,
      requested_duration: 15,
    });
  });

  it('forecasts the makespan with and without a barrier', () => {
    const clips = Array.from({ length: 7 }, (_, index) => clip(index));
    expect(estimate(plan({ batch_size: 3 }, ...clips)).makespan).toEqual({
      batches: 270,
      window: 270,
    });
  });

  it('names models that make the same for less, with the figures', () => {
    const { alternatives } = estimate(plan({}, clip(0, { duration: 5.1 })));
    expect(alternatives.map(({ model }) => model)).toContain('prunaai/p-video');
    expect(alternatives.find(({ model }) => model === 'prunaai/p-video')?.message).toBe(
      '5.1 s costs 10 s here ($0.7); prunaai/p-video asks 7 s for $0.14',
    );
    const costs = alternatives.map((item) => item.estimated_cost_usd);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
  });

  it('offers no model that needs a missing image, ignores the text, or falls short', () => {
    const { alternatives } = estimate(plan({}, clip(0, { duration: 10 })));
    const names = alternatives.map(({ model }) => model);
    for (const id of [
      'kwaivgi/kling-v2.1',
      'stability-ai/stable-video-diffusion',
      'google/veo-3.1-lite',
    ]) {
      expect(names).not.toContain(id);
    }
  });
});

describe('alternativesFor', () => {
  const image = 'https://images.example/a.png';
  const someClip = fc.record(
    {
      prompt: fc.oneof(
        fc.constantFrom('a lighthouse', 'x'.repeat(2_501)),
        fc.string({ minLength: 1 }),
      ),
      negative_prompt: fc.constantFrom('', 'rain'),
      duration: fc.oneof(fc.constantFrom(5, 8, 10), fc.double({ min: 0.5, max: 60, noNaN: true })),
      scene_reference_url: fc.constantFrom(null, image),
      character_reference_urls: fc.array(fc.constant(image), { maxLength: 8 }),
      object_reference_urls: fc.array(fc.constant(image), { maxLength: 2 }),
      end_image_url: fc.constantFrom(null, image),
      reference_video_urls: fc.array(fc.constant(image), { maxLength: 2 }),
      reference_audio_urls: fc.array(fc.constant(image), { maxLength: 2 }),
      seed: fc.constantFrom(null, 1, 2),
    },
    { requiredKeys: ['prompt', 'duration'] },
  );
  const somePlan = fc.record(
    {
      clips: fc.array(someClip, { minLength: 1, maxLength: 12 }),
      descending: fc.boolean(),
      model: fc.constantFrom(...ALIVE.keys()),
      aspect_ratio: fc.constantFrom('16:9', '9:16', '4:3'),
      reference_mode: fc.constantFrom('auto', 'native', 'composite', 'scene'),
    },
    { requiredKeys: ['clips', 'model', 'descending'] },
  );

  it('has the figures that a job on each model would have', () => {
    let compared = 0;
    fc.assert(
      fc.property(somePlan, ({ clips, descending, ...rest }) => {
        const clip_prompts = clips.map((fields, place) => ({
          ...fields,
          clip_index: descending ? clips.length - place : place,
        }));
        const checked = checkPlan({ ...rest, clip_prompts }, ALIVE_CONTEXT);
        if (!checked.ok) return;
        const { settings: _, ...asked } = checked.plan;
        for (const row of ALIVE.values()) {
          const { resolved, problems } = resolve({ ...asked, model: row.id }, ALIVE_CONTEXT);
          const quotes = quotesOf(asked, row, ALIVE_CONTEXT);
          const ordered = quotes?.map((quote, place) => ({ ...quote, place: clip_prompts[place] }));
          ordered?.sort((a, b) => (a.place?.clip_index ?? 0) - (b.place?.clip_index ?? 0));
          const figures = ordered?.map(({ place: _place, ...quote }) => quote) ?? null;
          compared += figures === null ? 0 : 1;
          expect(figures).toEqual(
            problems.length > 0
              ? null
              : resolved?.clips.map(({ requested_duration, estimated_cost_usd }) => ({
                  requested_duration,
                  estimated_cost_usd,
                })),
          );
        }
      }),
    );
    expect(compared).toBeGreaterThan(100);
  });

  it('computes once what clips have in common, and once for each length', () => {
    let looked = 0;
    const rows = [...ALIVE].map(([id, row]) => {
      const prices = new Proxy(row.prices, {
        get: (target, name) => {
          if (name === 'find') looked += 1;
          return Reflect.get(target, name) as unknown;
        },
      });
      return [id, { ...row, prices }] as const;
    });
    const catalogue = new Map(rows);
    const clips = Array.from({ length: 1_000 }, (_, index) =>
      clip(index, { duration: 1 + index / 25, seed: index }),
    );
    const checked = accepted(plan({}, ...clips));
    alternativesFor(checked.plan, checked.resolved, { ...ALIVE_CONTEXT, catalogue });
    const lengths = rows.map(([, { duration }]) => legalDurations(duration).length);
    expect(looked).toBeLessThanOrEqual(lengths.reduce((sum, count) => sum + count, 0));
    expect(looked).toBeGreaterThan(rows.length);
  });
});
