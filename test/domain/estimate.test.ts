/** The estimate says what a job would ask, cost and take, and who does it for less. */
import { describe, expect, it } from 'vitest';
import { checkPlan, type PlanContext } from '../../src/domain/check-plan.schema.js';
import { alternativesFor, estimateOf } from '../../src/domain/estimate.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { clip, plan } from './bad-plans.js';

const context: PlanContext = {
  catalogue: CATALOGUE,
  default_model: 'kwaivgi/kling-v2.5-turbo-pro',
  duration_buffer: 1.25,
};

function estimate(value: unknown) {
  const checked = checkPlan(value, context);
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return estimateOf(checked.resolved, alternativesFor(checked.plan, checked.resolved, context));
}

describe('estimateOf', () => {
  it('shows per clip what is asked, why, and what it costs', () => {
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

  it('names models that do the same for less, with the figures', () => {
    const { alternatives } = estimate(plan({}, clip(0, { duration: 5.1 })));
    expect(alternatives.map(({ model }) => model)).toContain('bytedance/seedance-1-lite');
    expect(alternatives.find(({ model }) => model === 'bytedance/seedance-1-lite')?.says).toBe(
      '5.1 s costs 10 s here ($0.7); bytedance/seedance-1-lite asks 7 s for $0.252',
    );
    const costs = alternatives.map((item) => item.estimated_cost_usd);
    expect(costs).toEqual([...costs].sort((a, b) => a - b));
  });

  it('offers no model that needs an image nobody gave, ignores the text, or falls short', () => {
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
