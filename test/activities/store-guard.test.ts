/** A job belongs to the store that it was started with. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createArchiveJob } from '../../src/activities/archive-job.js';
import { createEndLost } from '../../src/activities/settle-lost.js';
import { createResolvePlan } from '../../src/activities/resolve-plan.js';
import { createStoreClip } from '../../src/activities/store-clip.js';
import type {
  ArchiveJobInput,
  EndLostInput,
  StoreClipInput,
} from '../../src/contract/activities.js';
import { CONTEXT } from '../support/checked-plans.js';
import { notedCreates } from '../support/creates.js';
import { planOf } from '../support/plans.js';
import { paidActivity } from './paid-activity.js';

const deps = { store_id: 'here' } as unknown as Deps;
const refusal = (type: string) => ({
  type,
  nonRetryable: false,
  message: expect.stringContaining(
    'expected the store that this job was started with (identity there), this worker has another (identity here)',
  ) as string,
});

describe('a worker with another store', () => {
  it('pays nothing, and uses up no attempt', async () => {
    const play = paidActivity({ store_id: 'here' });
    await expect(play.run({ store: 'there' })).rejects.toMatchObject({
      ...refusal('Interrupted'),
      details: undefined,
      nextRetryDelay: '5s',
    });
    expect(play.did).toEqual([]);
    expect(play.signals).toEqual([]);
  });

  it('looks for nothing, stores nothing and archives nothing', async () => {
    const environment = new MockActivityEnvironment();
    const lost = environment.run(createEndLost(deps), { store: 'there' } as EndLostInput);
    await expect(lost).rejects.toMatchObject(refusal('Interrupted'));
    const stored = environment.run(createStoreClip(deps), { store: 'there' } as StoreClipInput);
    await expect(stored).rejects.toMatchObject(refusal('storage_error'));
    const archived = environment.run(createArchiveJob(deps), { store: 'there' } as ArchiveJobInput);
    await expect(archived).rejects.toMatchObject(refusal('storage_error'));
  });
});

it('the right worker pays, and so does any for a job that was started before folders had an identity', async () => {
  for (const input of [{ store: 'here' }, {}]) {
    const play = paidActivity({ store_id: 'here' });
    expect(await play.run(input)).toMatchObject({ outcome: 'succeeded' });
    expect(play.did).toContain('create');
  }
});

it('a plan is frozen with the identity of the store of the worker that checked it', async () => {
  const resolvePlan = createResolvePlan({
    ...deps,
    plan: CONTEXT,
    creates: notedCreates(),
  });
  const resolved: unknown = await new MockActivityEnvironment().run(
    resolvePlan,
    planOf(['a']),
    new Date().toISOString(),
  );
  expect(resolved).toMatchObject({ store: 'here' });
});
