/** Answers stay below Temporal's limit for a thousand clips, however much there is to say of each. */
import { describe, expect, it } from 'vitest';
import { checkPlan } from '../../src/domain/check-plan.schema.js';
import { compensationOf } from '../../src/domain/compensation.js';
import { problem } from '../../src/domain/failures.js';
import { initialJob } from '../../src/domain/initial-job.js';
import type { Job, Prediction } from '../../src/domain/job.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { fitJob, jsonBytes } from '../../src/domain/payload-size.js';

const LIMIT = 2 * 2 ** 20;
const AT = '2026-01-01T00:00:00.000Z';

/** Every clip failed three times, at length. */
function longJob(prompt: string): Job {
  const checked = checkPlan(
    {
      clip_prompts: Array.from({ length: 1000 }, (_, clip_index) => ({
        clip_index,
        prompt,
        duration: 5,
      })),
    },
    {
      catalogue: CATALOGUE,
      default_model: 'kwaivgi/kling-v2.5-turbo-pro',
      duration_buffer: 1.25,
    },
  );
  if (!checked.ok) throw new Error('expected a good plan');
  const identity = { job_id: 'film', run_id: 'r', created_at: AT, simulated: true };
  const job = initialJob(checked.resolved, identity);
  const prediction = (attempt: number): Prediction => ({
    id: `p${'x'.repeat(24)}${String(attempt)}`,
    attempt,
    status: 'failed',
    url: `https://replicate.com/p/${'x'.repeat(26)}`,
    created_at: AT,
    completed_at: AT,
    predict_time: 90.123,
    requested_duration: 5,
    unit_price: checked.resolved.clips[0]?.price ?? null,
    cost_usd: 0.35,
    billed: true,
    adopted: false,
  });
  const clips = job.clips.map((clip) => ({
    ...clip,
    status: 'failed' as const,
    predictions: [1, 2, 3].map(prediction),
    error: problem('provider_error', 'said at length '.repeat(60)),
  }));
  return { ...job, clips, compensation: compensationOf(clips) };
}

describe('fitJob', () => {
  it('keeps a thousand clips that failed three times below the limit, and every prediction', () => {
    const job = longJob('é'.repeat(450));
    expect(jsonBytes(job)).toBeGreaterThan(LIMIT);
    const fitted = fitJob(job);
    expect(jsonBytes(fitted)).toBeLessThan(LIMIT);
    expect(fitted.clips.map(({ predictions }) => predictions)).toEqual(
      job.clips.map(({ predictions }) => predictions),
    );
    expect(fitted.compensation).toMatchObject({ verdict: 'fail', total_shortfall: 5000 });
  });

  it('leaves a job alone that fits', () => {
    const job = { ...longJob('short'), clips: longJob('short').clips.slice(0, 100) };
    expect(fitJob(job)).toBe(job);
  });
});
