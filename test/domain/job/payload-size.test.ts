/** Answers stay below Temporal's limit for a thousand clips, however much there is to say of each. */
import { describe, expect, it } from 'vitest';
import { compensationOf } from '../../../src/domain/job/compensation.js';
import { problem } from '../../../src/domain/job/failures.js';
import { initialJob } from '../../../src/domain/job/initial-job.js';
import type { Job, Prediction } from '../../../src/domain/job/job.schema.js';
import { fitJob, jsonBytes } from '../../../src/domain/job/payload-size.js';
import { accepted } from '../../support/checked-plans.js';
import { planOf } from '../../support/plans.js';

const LIMIT = 1.5 * 2 ** 20;
const AT = '2026-01-01T00:00:00.000Z';

/** Every clip failed so often, at length. */
function longJob(prompt: string, times = 3, length = 1000): Job {
  const checked = accepted(planOf(Array.from({ length }, () => prompt)));
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
    predictions: Array.from({ length: times }, (_, index) => prediction(index + 1)),
    error: problem('provider_error', 'said at length '.repeat(60)),
  }));
  return { ...job, clips, compensation: compensationOf(clips) };
}

describe('fitJob', () => {
  it.each([1, 3, 10])(
    'keeps a thousand clips that failed %i times each below 1.5 MiB, and counts what it left out',
    (times) => {
      const job = longJob('é'.repeat(450), times);
      const fitted = fitJob(job);
      expect(jsonBytes(fitted)).toBeLessThan(LIMIT);
      const kept = fitted.clips.flatMap(({ predictions }) => predictions).length;
      expect(fitted.truncated).toMatchObject({ prompts: 1000 });
      expect(fitted.truncated?.predictions ?? 0).toBe(1000 * times - kept);
      expect(fitted.clips.map(({ cost_usd }) => cost_usd)).toEqual(
        job.clips.map(({ cost_usd }) => cost_usd),
      );
      expect(fitted.compensation).toMatchObject({ verdict: 'fail', total_shortfall: 5000 });
    },
  );

  it('never leaves out a prediction that may still run', () => {
    const job = longJob('short', 10);
    const clips = job.clips.map((clip) => ({
      ...clip,
      predictions: clip.predictions.map((line) =>
        line.attempt === 4 ? { ...line, status: 'processing' as const } : line,
      ),
    }));
    const fitted = fitJob({ ...job, clips });
    expect(fitted.truncated?.predictions).toBe(8000);
    expect(
      fitted.clips.every(({ predictions }) => predictions.some(({ attempt }) => attempt === 4)),
    ).toBe(true);
  });

  it('counts the predictions of few clips too', () => {
    const fitted = fitJob(longJob('short', 10_000, 1));
    expect(jsonBytes(fitted)).toBeLessThan(LIMIT);
    expect(fitted.truncated).toMatchObject({ predictions: 9_999 });
  });

  it('leaves a job that fits unchanged', () => {
    const job = longJob('short', 3, 100);
    expect(fitJob(job)).toBe(job);
  });
});
