/** Shortfalls are handed on, holes count whole, and the verdict turns at its documented borders. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compensationOf, type DeliveredClip } from '../../../src/domain/job/compensation.js';
import { continueJob } from '../../../src/domain/job/continue-job.js';
import { initialJob } from '../../../src/domain/job/initial-job.js';
import type { Job, JobFact } from '../../../src/domain/job/job.schema.js';
import { jobSchema } from '../../../src/domain/job/job.schema.js';
import { record } from '../../../src/domain/job/progress.js';
import { planOf } from '../../support/plans.js';
import { accepted } from '../../support/checked-plans.js';

const good = (clip_index: number, target: number, actual: number): DeliveredClip => ({
  clip_index,
  status: 'succeeded',
  original_target_duration: target,
  actual_duration: actual,
});
const hole = (clip_index: number, target: number): DeliveredClip => ({
  clip_index,
  status: 'failed',
  original_target_duration: target,
  actual_duration: null,
});
/** One clip of 100 s that lacks so many seconds. */
const lacking = (seconds: number) => compensationOf([good(0, 100, 100 - seconds)]);

describe('compensationOf', () => {
  it('lets the next clip compensate for a shortfall before it', () => {
    const { clips, total_shortfall, verdict } = compensationOf([
      good(0, 5, 4),
      good(1, 5, 5.4),
      good(2, 5, 8),
    ]);
    expect(clips.map((clip) => clip.extended_target_duration)).toEqual([5, 6, 5.6]);
    expect(clips.map((clip) => clip.compensation_taken)).toEqual([0, 0.4, 0.6]);
    expect(clips.map((clip) => clip.shortfall_after)).toEqual([1, 0.6, 0]);
    expect({ total_shortfall, verdict }).toEqual({ total_shortfall: 0, verdict: 'accept' });
  });

  it('never lets a clip compensate for a later one', () => {
    expect(compensationOf([good(0, 5, 10), good(1, 5, 4)]).total_shortfall).toBe(1);
  });

  it('counts failed and canceled clips as holes of their whole target', () => {
    const { clips, total_shortfall } = compensationOf([hole(0, 5), good(1, 5, 8), hole(2, 4)]);
    expect(clips.map((clip) => clip.hole)).toEqual([true, false, true]);
    expect(clips.map((clip) => clip.shortfall_after)).toEqual([5, 2, 6]);
    expect(total_shortfall).toBe(6);
  });

  it.each([
    [0, 'accept'],
    [9.99, 'accept'],
    [10, 'warn'],
    [20, 'warn'],
    [20.01, 'extend'],
    [50, 'extend'],
    [50.01, 'fail'],
    [100, 'fail'],
  ])('%d %% missing: %s', (percent, verdict) => {
    expect(lacking(percent)).toMatchObject({ shortfall_percent: percent, verdict });
  });

  it.each([
    [1.9, 'freeze', 1.9, 0],
    [2, 'loop', 2, 0],
    [3, 'loop', 3, 0],
  ])('extends the last good clip: %d s missing → %s', (missing, method, seconds, remaining) => {
    const { extension } = compensationOf([good(0, 8, 8 - missing), hole(1, 0.001)]);
    expect(extension?.clip_index).toBe(0);
    expect(extension?.method).toBe(method);
    expect(extension?.seconds).toBeCloseTo(seconds, 2);
    expect(extension?.remaining_shortfall).toBeCloseTo(remaining, 2);
  });

  it('extends by at most five seconds and states the remaining shortfall', () => {
    expect(lacking(30).extension).toEqual({
      clip_index: 0,
      method: 'loop',
      seconds: 5,
      remaining_shortfall: 25,
    });
  });

  it('fails where no clip succeeded, and accepts an empty list', () => {
    expect(compensationOf([hole(0, 5), hole(1, 5)])).toMatchObject({
      verdict: 'fail',
      extension: null,
    });
  });

  it('neither loses nor adds a second', () => {
    const seconds = fc.integer({ min: 1, max: 600 }).map((n) => n / 10);
    const clips = fc.array(fc.tuple(seconds, seconds, fc.boolean()), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(clips, (list) => {
        const { total_shortfall, total_target_duration, total_actual_duration } = compensationOf(
          list.map(([target, actual, ok], index) =>
            ok ? good(index, target, actual) : hole(index, target),
          ),
        );
        expect(total_shortfall).toBeGreaterThanOrEqual(
          Math.max(0, total_target_duration - total_actual_duration) - 1e-6,
        );
        expect(total_shortfall).toBeLessThanOrEqual(total_target_duration + 1e-6);
      }),
    );
  });
});

describe('the compensation of a job', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const checked = accepted(planOf(['a', 'b']));
  const identity = { job_id: 'film', run_id: 'r', created_at: at, simulated: true };
  const queued = initialJob(checked.resolved, identity);
  const fold = (job: Job, ...facts: JobFact[]): Job =>
    facts.reduce((before, fact) => record(before, fact, at).job, job);
  const started: JobFact = {
    type: 'job.started',
    run_id: 'r',
    total_clips: 2,
    model: queued.model,
    estimated_cost_usd: null,
  };
  const [first, second] = queued.clips;
  if (first === undefined || second === undefined) throw new Error('expected two clips');
  const facts: JobFact[] = [
    started,
    {
      type: 'clip.completed',
      clip_index: 0,
      clip: { ...first, status: 'succeeded', actual_duration: 5.04 },
    },
    { type: 'clip.failed', clip_index: 1, clip: { ...second, status: 'failed' } },
  ];
  const ending: JobFact = { type: 'job.completed', error: null, total_cost_usd: 0 };

  it('is computed from its clips with its last event, however it ends', () => {
    expect(fold(queued, ...facts)).not.toHaveProperty('compensation');
    for (const type of ['job.completed', 'job.failed', 'job.canceled'] as const) {
      const job = fold(queued, ...facts, { ...ending, type });
      expect(job.compensation).toEqual(compensationOf(job.clips));
      expect(job.compensation).toMatchObject({ verdict: 'extend', total_shortfall: 5 });
      expect(jobSchema.parse(job)).toEqual(job);
    }
  });

  it('is removed from a job that is retried', () => {
    const over = fold(queued, ...facts, ending);
    expect(fold(over, started)).not.toHaveProperty('compensation');
    expect(continueJob(queued, over)).not.toHaveProperty('compensation');
  });
});
