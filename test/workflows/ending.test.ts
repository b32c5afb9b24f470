/** The last moments of a job, too short for real activities to hit: what arrives while its archive is written. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { retryClipSignal } from '../../src/contract/workflow.js';
import { planOf } from '../support/plans.js';
import { attemptOver, GOOD, playJob, realServer } from '../support/played.js';
import type { RealServer } from '../support/played.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const workflowId = (): string => Context.current().info.workflowExecution?.workflowId ?? '';

describe('a job that is just ending', () => {
  let server: RealServer;
  beforeAll(async () => (server = await realServer(inject('temporalAddress'))));
  afterAll(() => server.close());

  /** Asks once for a clip again, while the archive is being written. */
  const retryMeanwhile = (clip_index: number): typeof GOOD.archiveJob => {
    let isAsked = false;
    return async () => {
      if (isAsked) return;
      isAsked = true;
      await server.client.workflow.getHandle(workflowId()).signal(retryClipSignal, { clip_index });
    };
  };

  it('does not reopen a clip when it is canceled, and says what to do instead', async () => {
    const { job, handle } = await playJob(server, planOf(['a', 'b'], { batch_size: 1 }), {
      generateClip: async (input) => {
        await server.client.workflow.getHandle(workflowId()).cancel();
        return GOOD.generateClip(input);
      },
      archiveJob: retryMeanwhile(1),
    });
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(job).toMatchObject({ status: 'canceled' });
    expect(job.clips[1]).toMatchObject({ status: 'canceled' });
    expect(job.warnings).toContainEqual(expect.stringContaining('retry it once it is over'));
  });

  it('runs a failed clip again when it is asked for, and ends after that', async () => {
    let creates = 0;
    const { job } = await playJob(server, planOf(['a', 'b'], { min_successful_clips: 1 }), {
      generateClip: (input) => {
        if (input.clip_index === 0 && ++creates === 1) {
          throw attemptOver(input, { kind: 'invalid_input', message: 'no', retryable: false });
        }
        return GOOD.generateClip(input);
      },
      archiveJob: retryMeanwhile(0),
    });
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
  });

  it.each([
    { type: 'unauthorized', kind: 'unauthorized' },
    { type: 'InvalidPlan', kind: 'invalid_plan' },
    { type: 'TypeError', kind: 'internal' },
  ])('fails as $kind when its plan could not be checked: $type', async ({ type, kind }) => {
    const { job, handle } = await playJob(server, planOf(['a']), {
      resolvePlan: () => Promise.reject(ApplicationFailure.nonRetryable('HTTP 401', type)),
    });
    expect(job).toMatchObject({ status: 'failed', error: { kind, message: 'HTTP 401' } });
    expect((await handle.describe()).status.name).toBe('FAILED');
  });

  it('retried, keeps clips and ledger when its plan can no longer be checked', async () => {
    const plan = planOf(['a', 'b'], { min_successful_clips: 2 });
    const first = await playJob(server, plan, {
      generateClip: (input) => {
        if (input.clip_index === 0) return GOOD.generateClip(input);
        throw attemptOver(input, { kind: 'invalid_input', message: 'no', retryable: false });
      },
    });
    const refused = () =>
      Promise.reject(ApplicationFailure.nonRetryable('HTTP 401', 'unauthorized'));
    const again = await playJob(server, plan, { resolvePlan: refused }, first.job);
    expect(again.job).toMatchObject({ status: 'failed', error: { kind: 'unauthorized' } });
    expect(again.job.clips).toEqual(first.job.clips);
    expect(again.job).toMatchObject({ successful_clips: 1, total_cost_usd: 0.35 });
    const third = await playJob(server, plan, {}, again.job);
    expect(third.job).toMatchObject({ status: 'succeeded', total_cost_usd: 0.7 });
  });
});
