/** A clip whose budget of time is over: what that means, and what it no longer means a moment later. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, Context } from '@temporalio/activity';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { GenerateClipInput } from '../../src/contract/activities.js';
import { rateLimitedSignal } from '../../src/contract/workflow.js';
import { planOf } from '../support/plans.js';
import { playJob, predictionOf, realServer, sayAsked } from '../support/played.js';
import type { RealServer } from '../support/played.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** Beats until it is canceled. */
async function canceled(): Promise<void> {
  const context = Context.current();
  while (!context.cancellationSignal.aborted) {
    context.heartbeat();
    await Promise.race([sleep(200), context.cancelled.catch(() => undefined)]);
  }
}

const workflowId = (): string => Context.current().info.workflowExecution?.workflowId ?? '';

describe('a clip whose budget of time is over', () => {
  let server: RealServer;
  beforeAll(async () => (server = await realServer(inject('temporalAddress'))));
  afterAll(() => server.close());

  const renderedTooLate = async (input: GenerateClipInput): Promise<never> => {
    await sayAsked(server);
    await canceled();
    const prediction = predictionOf(input);
    throw new CancelledFailure('over', [{ prediction, output_url: 'https://x/y.mp4' }]);
  };

  it('is canceled, not late, when its job is canceled while it stores what was rendered', async () => {
    const { job } = await playJob(server, planOf(['a'], { clip_timeout: 10 }), {
      generateClip: renderedTooLate,
      storeClip: async () => {
        await server.client.workflow.getHandle(workflowId()).cancel();
        await canceled();
        throw new CancelledFailure('canceled');
      },
    });
    expect(job.clips[0]).toMatchObject({ status: 'canceled', error: { kind: 'canceled' } });
    expect(job.clips[0]).not.toHaveProperty('output_url');
    expect(job.total_cost_usd).toBe(0.35);
  });

  it('says that the provider never let it begin, when that is why', async () => {
    const { job } = await playJob(server, planOf(['a'], { clip_timeout: 10 }), {
      generateClip: async ({ clip_index }) => {
        const handle = server.client.workflow.getHandle(workflowId());
        await handle.signal(rateLimitedSignal, { clip_index, seconds: 60, message: 'HTTP 429' });
        await canceled();
        throw new CancelledFailure('over', [{ prediction: null, output_url: null }]);
      },
    });
    // No attempt follows, and the error does not promise one.
    expect(job.clips[0]).toMatchObject({
      status: 'failed',
      error: { kind: 'rate_limited', retryable: false },
    });
    expect(job.clips[0]?.error?.message).toContain('HTTP 429');
  });
});
