/**
 * What takes hours, on the time-skipping server with activities that are played.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TIME_SKIPPING_SERVER } from '../../setup/test-extras.mjs';
import type { PrepareReferencesInput } from '../../src/contract/activities.js';
import { INTERRUPTED } from '../../src/domain/job/failure-kinds.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { answered } from '../support/eventually.js';
import { lacks } from '../support/needed-programs.js';
import { planOf } from '../support/plans.js';
import { GOOD, playJob, predictionOf } from '../support/played.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });

/** The SDK gives the server five seconds to start, which Java may need on a busy machine: the next try is quicker. */
const startServer = (executable: string): Promise<TestWorkflowEnvironment> =>
  answered(
    'the time-skipping server',
    () =>
      TestWorkflowEnvironment.createTimeSkipping({
        server: { executable: { type: 'existing-path', path: executable } },
      }),
    (error) => /did not start within/.test(String(error)),
  );

/** As `storeClip` tells it. */
const full = (): ApplicationFailure =>
  ApplicationFailure.create({ type: 'storage_error', message: 'ENOSPC', nextRetryDelay: '60s' });

describe.skipIf(lacks('the time-skipping server'))('a job whose trouble takes hours', () => {
  let server: TestWorkflowEnvironment;
  beforeAll(async () => {
    server = await startServer(TIME_SKIPPING_SERVER);
  });
  afterAll(() => server.teardown());

  const play = async (plan: Plan, bad: Partial<typeof GOOD>): Promise<Job> => {
    const { job } = await playJob(server, plan, bad);
    return job;
  };

  it('retries a download with growing pauses until the provider deletes the file, and never pays again', async () => {
    let creates = 0;
    let downloads = 0;
    const job = await play(planOf(['a']), {
      generateClip: (input) => {
        creates++;
        return GOOD.generateClip(input);
      },
      storeClip: () => {
        downloads++;
        throw ApplicationFailure.create({ type: 'output_lost', message: 'HTTP 500' });
      },
    });
    expect(job.clips[0]).toMatchObject({ status: 'failed', error: { kind: 'output_lost' } });
    expect(creates).toBe(1);
    expect(downloads).toBeGreaterThan(15);
    expect(downloads).toBeLessThan(30);
    expect(job.total_generation_time).toBeGreaterThan(3000);
    expect(job.total_generation_time).toBeLessThan(3700);
  });

  it('keeps going through a disk that is full for half an hour', async () => {
    let tries = 0;
    const job = await play(planOf(['a']), {
      storeClip: (input) => {
        if (++tries < 20) {
          throw full();
        }
        return GOOD.storeClip(input);
      },
    });
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', attempt: 1 });
  });

  /** One clip after the other, each with a scene and a character for a model that takes one image. */
  const composed: Plan = {
    batch_size: 1,
    min_successful_clips: 1,
    clip_prompts: [0, 1].map((clip_index) => ({
      clip_index,
      prompt: 'a',
      duration: 5,
      scene_reference_url: 'https://example.com/scene.jpg',
      character_reference_urls: ['https://example.com/ann.jpg'],
    })),
  };

  it('uploads a composite again for a clip that starts when half of its life is over', async () => {
    const looked: number[][] = [];
    const sent = new Map<number, unknown>();
    let executions = 0;
    const job = await play(composed, {
      prepareReferences: ({ clips }: PrepareReferencesInput) => {
        looked.push(clips.map(({ clip_index }) => clip_index));
        const { currentAttemptScheduledTimestampMs: now } = Context.current().info;
        const renew_at = new Date(now + 30 * 60_000).toISOString();
        const url = `https://files/${String(looked.length)}`;
        return Promise.resolve({
          refused: [],
          uploads: clips.map(({ clip_index }) => ({ clip_index, url, renew_at })),
        });
      },
      generateClip: (input) => {
        if (++executions === 1) {
          // The first clip keeps its slot for so long.
          const cutOff = { message: 'cut off', type: INTERRUPTED, nextRetryDelay: '40m' } as const;
          throw ApplicationFailure.create(cutOff);
        }
        sent.set(input.clip_index, input.input['start_image']);
        return GOOD.generateClip(input);
      },
    });
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    expect(looked).toEqual([[0, 1], [1]]);
    expect([sent.get(0), sent.get(1)]).toEqual(['https://files/1', 'https://files/2']);
  });

  it('fails clips unpaid whose images could not be looked at in ten tries, and says why', async () => {
    let tries = 0;
    const job = await play(composed, {
      prepareReferences: () => {
        tries++;
        throw ApplicationFailure.create({ message: 'no space left on device' });
      },
      generateClip: () => {
        throw new Error('nothing is to be paid');
      },
    });
    expect(tries).toBe(10);
    expect(job.clips.map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(job.clips[0]?.error?.message).toMatch(/images could not be looked at: no space left/);
  });

  it('backs off 2 s and 4 s between three attempts of a clip, and then reports the last failure', async () => {
    let attempt = 0;
    const { job, handle } = await playJob(server, planOf(['a']), {
      generateClip: (input) => {
        attempt++;
        const error = { kind: 'provider_error' as const, message: 'E9828', retryable: attempt < 3 };
        throw ApplicationFailure.create({
          type: 'provider_error',
          message: error.message,
          nonRetryable: !error.retryable,
          details: [
            { attempt, prediction: predictionOf(input, { status: 'failed' }), error, delay: 2 },
          ],
        });
      },
    });
    expect(attempt).toBe(3);
    expect(job.clips[0]).toMatchObject({ status: 'failed', error: { message: 'E9828' } });
    const { asked, started, waited } = await executionsOf(handle);
    expect(started?.activityTaskStartedEventAttributes?.attempt).toBe(3);
    expect(waited).toBeGreaterThanOrEqual(2_000 + 4_000);
    const policy = asked?.activityTaskScheduledEventAttributes?.retryPolicy;
    expect(policy).toMatchObject({ backoffCoefficient: 2, maximumAttempts: 3 });
    expect(tsToMs(policy?.initialInterval)).toBe(2_000);
  });

  it('waits 30 s before the next attempt when the failure asks for that', async () => {
    let attempt = 0;
    const { job, handle } = await playJob(server, planOf(['a']), {
      generateClip: (input) => {
        if (++attempt > 1) return GOOD.generateClip(input);
        throw ApplicationFailure.create({ type: 'provider_error', nextRetryDelay: '30s' });
      },
    });
    expect(job.clips[0]).toMatchObject({ status: 'succeeded' });
    const { waited } = await executionsOf(handle);
    expect(waited).toBeGreaterThanOrEqual(30_000);
  });

  it('backs off 2 s and 4 s between three videos of the wrong length, and keeps none', async () => {
    const { job, handle } = await playJob(server, planOf(['a']), {
      storeClip: () => {
        throw ApplicationFailure.create({
          type: 'wrong_duration',
          message: 'expected 5 s, the file has 10 s',
          nonRetryable: true,
        });
      },
    });
    const { events } = await handle.fetchHistory();
    const timers = events?.flatMap(({ timerStartedEventAttributes: its }) =>
      its ? [tsToMs(its.startToFireTimeout)] : [],
    );
    const budget = 60_000;
    expect(timers?.filter((timer) => timer < budget)).toEqual([2_000, 4_000]);
    expect(job.clips[0]).toMatchObject({ status: 'failed', error: { kind: 'wrong_duration' } });
    expect(job.clips[0]?.predictions).toHaveLength(3);
  });
});

/** The scheduling of the first clip's activity, its last start, and the milliseconds between them by the server's clock, which skips. */
async function executionsOf(handle: WorkflowHandle) {
  const { events } = await handle.fetchHistory();
  const asked = events?.find(
    ({ activityTaskScheduledEventAttributes: its }) => its?.activityId === 'clip-0',
  );
  const started = events?.find(
    ({ activityTaskStartedEventAttributes: its }) =>
      its?.scheduledEventId?.toString() === asked?.eventId?.toString(),
  );
  return { asked, started, waited: tsToMs(started?.eventTime) - tsToMs(asked?.eventTime) };
}
