/** The first workflow task of a job: what it takes before the first clip is scheduled, and how that clip is scheduled. */
import { Context } from '@temporalio/activity';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { PAID_RETRY } from '../../src/domain/job/retry-policy.js';
import { planOf } from '../support/plans.js';
import { GOOD, playJob, realServer } from '../support/played.js';
import type { RealServer } from '../support/played.js';
import { stepsToFirstClip } from '../support/history.js';

let server: RealServer;
beforeAll(async () => {
  server = await realServer(inject('temporalAddress'));
});
afterAll(() => server.close());

it('the first workflow task checks the plan and starts the first clips', async () => {
  const { handle } = await playJob(server, planOf(['a', 'b', 'c']), {});
  expect(stepsToFirstClip(await handle.fetchHistory())).toEqual(['workflow task']);
});

it('a plan that needs an answer of the provider holds up no workflow task', async () => {
  const asked: boolean[] = [];
  const { job, handle } = await playJob(server, planOf(['a']), {
    resolvePlan: (plan, at) => {
      const { isLocal } = Context.current().info;
      asked.push(isLocal);
      return isLocal ? Promise.resolve(null) : GOOD.resolvePlan(plan, at);
    },
  });
  expect(job.status).toBe('succeeded');
  expect(asked).toEqual([true, false]);
  expect(stepsToFirstClip(await handle.fetchHistory())).toEqual([
    'workflow task',
    'resolvePlan',
    'workflow task',
  ]);
});

it('the first workflow task schedules the paid activity with the one retry policy', async () => {
  const { handle } = await playJob(server, planOf(['a']), {});
  const { events } = await handle.fetchHistory();
  const policies = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: its }) =>
    its?.activityType?.name === 'generateClip' ? [its.retryPolicy] : [],
  );
  expect(
    policies.map((policy) => ({
      initialInterval: optionalTsToMs(policy?.initialInterval),
      backoffCoefficient: policy?.backoffCoefficient,
      maximumInterval: optionalTsToMs(policy?.maximumInterval),
      maximumAttempts: policy?.maximumAttempts,
    })),
  ).toEqual([PAID_RETRY]);
});
