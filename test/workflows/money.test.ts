/** Money at moments that real activities are too quick, or too careful, to meet. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { EndLostInput } from '../../src/contract/activities.js';
import type { Prediction } from '../../src/domain/job/job.schema.js';
import {
  attemptFailedSignal,
  cancelClipSignal,
  predictionCreatedSignal,
} from '../../src/contract/workflow.js';
import { budgetOf } from '../support/budgets.js';
import { planOf } from '../support/plans.js';
import {
  attemptOver,
  GOOD,
  playJob,
  predictionOf,
  realServer,
  sayAsked,
} from '../support/played.js';
import type { RealServer } from '../support/played.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const OPEN = { id: 'p0', status: 'processing', cost_usd: null } as const;
/** As an earlier run of a retried job has left it. */
const CARRIED_OVER = { ...OPEN, created_at: new Date().toISOString() };

describe('a budget', () => {
  it('counts an unknown cost with its estimate', () => {
    const { budget, fits } = budgetOf(1, [
      { clip_index: 0, usd: 0.4, predictions: [OPEN] },
      { clip_index: 1, usd: 0.3, predictions: [{ ...OPEN, id: 'p1', status: 'succeeded' }] },
      { clip_index: 2, usd: 0.3 },
      { clip_index: 3, usd: 0.31 },
    ]);
    expect(budget.spent).toBe(0.7);
    expect([2, 3].map(fits)).toEqual([true, false]);
  });

  it('counts a prediction once while the reserved money covers it', () => {
    const { budget, clip, fits, reserve } = budgetOf(1, [
      { clip_index: 0, usd: 0.4 },
      { clip_index: 1, usd: 0.6 },
    ]);
    expect(reserve(0)).toBe(true);
    clip(0).enter(OPEN as unknown as Prediction);
    expect([budget.spent, fits(1)]).toEqual([0, true]);
    clip(0).release();
    expect([budget.spent, fits(1)]).toEqual([0.4, true]);
  });

  it('does not cover a prediction of an earlier round with the money that is reserved for the next', () => {
    const { budget, reserve } = budgetOf(0.8, [
      { clip_index: 0, usd: 0.4, predictions: [OPEN] },
      { clip_index: 1, usd: 0.4 },
    ]);
    expect(reserve(0)).toBe(true);
    expect(budget.spent).toBe(0.4);
    expect(reserve(1)).toBe(false);
  });

  it('reserves nothing more for a clip that resumes a prediction of an earlier run', () => {
    const { budget, fits, reserve } = budgetOf(0.8, [
      { clip_index: 0, usd: 0.4, predictions: [CARRIED_OVER], carry_over_for: 900 },
      { clip_index: 1, usd: 0.4 },
    ]);
    expect([budget.spent, budget.affordable([0, 1])]).toEqual([0.4, 2]);
    expect(reserve(0)).toBe(true);
    expect(budget.spent).toBe(0);
    expect([reserve(1), fits(1)]).toEqual([true, false]);
    budget.cap = 0.1;
    expect(budget.affordable([0, 1])).toBe(1);
  });

  it('counts what may have been created and could not be looked for', () => {
    const { budget, clip, fits } = budgetOf(1, [
      { clip_index: 0, usd: 0.4 },
      { clip_index: 1, usd: 0.6 },
      { clip_index: 2, usd: 0.7 },
    ]);
    clip(0).countUnknownCreate();
    expect(budget.spent).toBe(0.4);
    expect([1, 2].map(fits)).toEqual([true, false]);
  });

  it('says how many clips it could pay, the cheapest first', () => {
    const { budget } = budgetOf(
      1,
      [0.9, 0.3, 0.7, 0.1].map((usd, clip_index) => ({ clip_index, usd })),
    );
    expect(budget.affordable([0, 1, 2, 3])).toBe(2);
    budget.cap = null;
    expect(budget.affordable([0, 1, 2, 3])).toBe(4);
  });
});

/** As the provider tells of one that runs. */
const LEFT: Omit<Prediction, 'id' | 'attempt' | 'status' | 'adopted'> = {
  url: 'https://replicate.com/p/found',
  created_at: new Date().toISOString(),
  completed_at: null,
  predict_time: null,
  requested_duration: 5,
  unit_price: null,
  cost_usd: null,
  billed: null,
};

describe('a job', () => {
  let server: RealServer;
  beforeAll(async () => (server = await realServer(inject('temporalAddress'))));
  afterAll(() => server.close());

  it('buys nothing more when what its cap still pays cannot reach the minimum', async () => {
    let creates = 0;
    const prompts = Array.from({ length: 10 }, (_, index) => `take ${String(index)}`);
    const plan = planOf(prompts, { min_successful_clips: 8, max_cost_usd: 2.8 });
    const { job } = await playJob(server, plan, {
      generateClip: (input) => {
        creates++;
        if (input.clip_index > 1) return GOOD.generateClip(input);
        const error = { kind: 'flagged' as const, message: 'no', retryable: false };
        throw attemptOver(input, error, predictionOf(input, { status: 'failed' }));
      },
    });
    expect(creates).toBe(5);
    expect(job).toMatchObject({ status: 'failed', successful_clips: 3, canceled_clips: 5 });
    expect(job.clips[9]?.error).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('at most 6 clips could still succeed') as string,
    });
  });

  it('tries a clip again when the signal of its failed attempt was lost, after its reservation', async () => {
    const seen: number[] = [];
    const { job } = await playJob(server, planOf(['a'], { max_cost_usd: 0.8 }), {
      generateClip: (input) => {
        seen.push(input.failed_attempts);
        if (seen.length > 1) return GOOD.generateClip(input);
        const error = { kind: 'provider_error' as const, message: 'E9828', retryable: true };
        throw attemptOver(input, error, predictionOf(input, { status: 'failed', cost_usd: 0 }));
      },
    });
    expect(seen).toEqual([0, 1]);
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', retry_count: 1 });
    expect(job.clips[0]?.predictions).toHaveLength(2);
  });

  /** An execution that never answers, and does not know whether its create came through. */
  const mute = async (): Promise<never> => {
    const context = Context.current();
    const beat = setInterval(() => {
      context.heartbeat();
    }, 500);
    try {
      await sayAsked(server);
      await context.cancelled;
    } finally {
      clearInterval(beat);
    }
    throw new Error('expected a cancellation');
  };

  it('has in its ledger what it found of a lost create, also when that could not be ended', async () => {
    const plan = planOf(['a'], { clip_timeout: 10 });
    const { job } = await playJob(server, plan, {
      generateClip: mute,
      endLost: ({ attempt }) => {
        const found = { id: 'found', attempt, status: 'processing' as const, adopted: true };
        return Promise.resolve({ prediction: { ...LEFT, ...found }, output_url: null });
      },
      settlePrediction: () => Promise.reject(ApplicationFailure.nonRetryable('not now')),
    });
    expect(job.clips[0]).toMatchObject({
      status: 'failed',
      error: { kind: 'timed_out' },
      predictions: [{ id: 'found', status: 'processing', cost_usd: null }],
    });
    expect(job.warnings.join()).toContain('prediction found could not be confirmed as ended');
  });

  it('looks for the create of the next attempt, not for the prediction of the one that is over', async () => {
    const asked: EndLostInput[] = [];
    let executions = 0;
    const { job } = await playJob(server, planOf(['a']), {
      generateClip: async (input) => {
        const first = predictionOf(input, { status: 'processing', cost_usd: null });
        const own = server.client.workflow.getHandle(
          Context.current().info.workflowExecution?.workflowId ?? '',
        );
        if (++executions === 1) {
          await own.signal(predictionCreatedSignal, { clip_index: 0, prediction: first });
          return { outcome: 'handover', prediction_id: first.id, unclear: false };
        }
        // Its prediction fails; the next is created, and before that is told, worker and clip come to their end.
        await own.signal(attemptFailedSignal, {
          clip_index: 0,
          attempt: 1,
          prediction: { ...first, status: 'failed', cost_usd: 0 },
          error: { kind: 'provider_error', message: 'E9828', retryable: true },
          delay: 1,
        });
        await own.signal(cancelClipSignal, { clip_index: 0 });
        throw ApplicationFailure.retryable('killed');
      },
      endLost: (input) => {
        asked.push(input);
        const found = { id: 'found', attempt: 2, status: 'processing' as const, adopted: true };
        return Promise.resolve({ prediction: { ...LEFT, ...found }, output_url: null });
      },
    });
    expect(asked).toMatchObject([{ attempt: 2, resume: null }]);
    expect(job.clips[0]).toMatchObject({
      status: 'canceled',
      predictions: [{ status: 'failed' }, { id: 'found', status: 'canceled' }],
    });
  });

  it('counts a create towards the cap when it cannot be found out what became of it', async () => {
    const plan = planOf(['a', 'b'], {
      clip_timeout: 10,
      batch_size: 1,
      max_cost_usd: 0.6,
      stop_when_unreachable: false,
    });
    const { job } = await playJob(
      server,
      { ...plan, min_successful_clips: 1 },
      {
        generateClip: mute,
        endLost: () => Promise.reject(ApplicationFailure.nonRetryable('no list')),
      },
    );
    expect(job.clips.map(({ status, error }) => [status, error?.kind])).toEqual([
      ['failed', 'timed_out'],
      ['canceled', 'over_budget'],
    ]);
    expect(job.warnings.join()).toContain('npm run orphans');
  });

  it('retried, stores what an earlier round had paid for without a confirmation, and pays nothing', async () => {
    const plan = planOf(['a']);
    const rendered: Prediction[] = [];
    const first = await playJob(server, plan, {
      generateClip: (input) => {
        rendered.push(predictionOf(input, { status: 'succeeded' }));
        const open = predictionOf(input, { status: 'processing', cost_usd: null, billed: false });
        throw attemptOver(input, { kind: 'internal', message: 'odd', retryable: false }, open);
      },
      settlePrediction: () => Promise.reject(ApplicationFailure.nonRetryable('not now')),
    });
    expect(first.job.clips[0]).toMatchObject({ status: 'failed', cost_usd: null });
    const [left] = first.job.clips[0]?.predictions ?? [];
    expect(first.job.warnings).toEqual([
      expect.stringMatching(
        `${left?.id ?? ''} could not be confirmed as ended.*${left?.url ?? ''}`,
      ),
    ]);
    const [paid] = rendered;
    if (paid === undefined) throw new Error('expected a prediction');
    const again = await playJob(
      server,
      plan,
      {
        generateClip: () => Promise.reject(new Error('expected nothing to be paid')),
        settlePrediction: () => Promise.resolve({ prediction: paid, output_url: 'https://x/y' }),
      },
      first.job,
    );
    expect(again.job).toMatchObject({ status: 'succeeded', total_cost_usd: 0.35 });
    expect(again.job.clips[0]?.predictions).toEqual([
      { ...paid, created_at: first.job.clips[0]?.predictions[0]?.created_at },
    ]);
  });
});
