/** The last moments of a job, too short for real activities to hit: what arrives while its archive is written. */
import { NativeConnection, DefaultLogger, Runtime } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { ApplicationFailure, Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { retryClipSignal } from '../../src/workflows/contract.js';
import { planOf } from '../support/plans.js';
import { GOOD, playJob } from '../support/played.js';
import type { Server } from '../support/played.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const workflowId = (): string => Context.current().info.workflowExecution?.workflowId ?? '';

describe('a job that is just ending', () => {
  const address = inject('temporalAddress');
  let connection: Connection;
  let server: Server;
  beforeAll(async () => {
    connection = await Connection.connect({ address });
    const nativeConnection = await NativeConnection.connect({ address });
    server = { client: new Client({ connection }), nativeConnection };
  });
  afterAll(async () => {
    await server.nativeConnection.close();
    await connection.close();
  });

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
          throw ApplicationFailure.nonRetryable('no', 'invalid_input');
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
});
