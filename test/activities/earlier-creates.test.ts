/** ENSURE-1: what was not written down was not created; what was written down is searched for, attached to, or over. */
import { ActivityCancellationDetails } from '@temporalio/common';
import type { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { CreateIntent } from '../../src/domain/job/create-intent.js';
import type { GenerateClipInput, Heartbeat } from '../../src/contract/activities.js';
import { predictionOf } from '../support/played.js';
import { notedCreates } from '../support/creates.js';
import type { NotedCreates } from '../support/creates.js';
import { INPUT, NOTHING, paidActivity } from './paid-activity.js';
import type { Played } from './paid-activity.js';
import { rendered } from './rendered.js';

const BEFORE = '2020-01-01T00:00:00.000Z';
/** Of the mock's environment. */
const JOB = 'test';
const RUN = '00000000-0000-0000-0000-000000000000';

const intent = (change: Partial<CreateIntent> = {}): CreateIntent => ({
  at: new Date().toISOString(),
  run_id: RUN,
  activity_id: 'clip-0',
  execution: 1,
  attempt: 1,
  model: 'a/b',
  input_sha256: 'x',
  ...change,
});

/** A complete log with these creates; `null`: nothing was created, no id: the answer is unknown. */
async function disk(...begun: { id?: string | null; run_id?: string }[]): Promise<NotedCreates> {
  const creates = notedCreates({ since: BEFORE });
  const clip = creates.of(JOB, 0);
  for (const [index, { id, run_id = RUN }] of begun.entries()) {
    await clip.begin(index + 1, intent({ run_id }));
    if (id !== undefined) await clip.answer(index + 1, id);
  }
  return creates;
}
const noted = (creates: NotedCreates): (string | null | undefined)[] =>
  [...(creates.notes.get(`${JOB}/0`)?.values() ?? [])].map(({ prediction_id }) => prediction_id);

/** The execution after one that was cut off before its first heartbeat. */
const second = async (played: Played, input: Partial<GenerateClipInput> = {}) => {
  const play = paidActivity(played);
  const result: unknown = await play.run(input, { attempt: 2 });
  const did = play.did.filter((what) => what === 'create' || what === 'list');
  return { did: [...new Set(did)], result };
};

describe('an execution after one that was cut off at an unknown point', () => {
  it('creates at once, without a look at the list, when no create was written down', async () => {
    const creates = await disk();
    const { did } = await second({ creates });
    expect(did).toEqual(['create']);
    expect(noted(creates)).toEqual(['own']);
  });

  it('searches first when a create was written down and not answered', async () => {
    const creates = await disk({});
    const { did, result } = await second({ creates, listed: [rendered('lost')] });
    expect(did).toEqual(['list']);
    expect(result).toMatchObject({ prediction: { id: 'lost', adopted: true } });
    expect(noted(creates)).toEqual(['lost']);
  });

  it('attaches to the prediction that was written down', async () => {
    const creates = await disk({ id: null }, { id: 'noted' });
    const { did, result } = await second({ creates });
    // Once, at its end: what came of the first may have turned up.
    expect(did).toEqual(['list']);
    expect(result).toMatchObject({ prediction: { id: 'noted', adopted: true } });
  });

  it('searches where it is unknown whether all creates were written down', async () => {
    const { did } = await second({ creates: notedCreates(), listed: [rendered('lost')] });
    expect(did).toEqual(['list']);
    const later = notedCreates({ since: new Date(Date.now() + 60_000).toISOString() });
    expect((await second({ creates: later, listed: [rendered('lost')] })).did).toEqual(['list']);
  });

  it('takes no prediction of an earlier round for its own', async () => {
    const memory = { ...NOTHING, claimed: ['earlier'] };
    const { did } = await second({ creates: await disk({ id: 'earlier' }), memory });
    expect(did).toEqual(['create']);
  });

  it('takes none of another run, unless the workflow may have forgotten it', async () => {
    const { did } = await second({ creates: await disk({ id: 'theirs', run_id: 'another' }) });
    expect(did).toEqual(['create']);
  });
});

describe('a first execution', () => {
  it('attaches to what the disk knows and a workflow older than the disk does not', async () => {
    const play = paidActivity({ creates: await disk({ id: 'forgotten' }) });
    expect(await play.run()).toMatchObject({ prediction: { id: 'forgotten', attempt: 1 } });
    expect(play.did).not.toContain('create');
  });

  it('keeps a video that was stored before the provider deleted it, and knows when it is another', async () => {
    const deleted = { ...rendered('forgotten'), output_url: null, data_removed: true };
    const read = () => ({ type: 'found', prediction: deleted }) as const;
    const kept = paidActivity({
      creates: await disk({ id: 'forgotten' }),
      read,
      stored: 'forgotten',
    });
    expect(await kept.run()).toMatchObject({
      outcome: 'succeeded',
      prediction: { id: 'forgotten' },
    });
    const lost = paidActivity({
      creates: await disk({ id: 'forgotten' }),
      read,
      stored: 'another',
    });
    await expect(lost.run()).rejects.toMatchObject({ type: 'output_lost' });
  });

  it('attaches to them one after the other, in their order', async () => {
    const creates = await disk({ id: 'failed' }, { id: 'second' });
    const failed = { ...rendered('failed'), status: 'failed' as const, error: 'E9828' };
    const first = paidActivity({ creates, read: () => ({ type: 'found', prediction: failed }) });
    await expect(first.run()).rejects.toThrow('E9828');
    const memory = {
      ...NOTHING,
      failed_attempts: 1,
      predictions: [{ ...predictionOf(INPUT), id: 'failed' }],
    };
    const beat = { attempt: 1, failed_attempts: 1, prediction_id: null } as Heartbeat;
    const next = paidActivity({ creates, memory });
    const result = await next.run({}, { attempt: 2, heartbeatDetails: beat });
    expect(result).toMatchObject({ prediction: { id: 'second', attempt: 2 } });
    expect(next.did).not.toContain('create');
  });

  it('sends nothing when another execution has written down the same create a moment before', async () => {
    const creates = await disk();
    const clip = creates.of(JOB, 0);
    const overtaken = {
      ...creates,
      of: () => ({
        ...clip,
        begin: async () =>
          (await clip.begin(1, intent({ execution: 9 }))) && clip.begin(1, intent()),
      }),
    };
    const play = paidActivity({ creates: overtaken });
    await expect(play.run()).rejects.toMatchObject({ type: 'Interrupted' });
    expect(play.did).not.toContain('create');
  });

  it('leaves nothing to be searched for when its create was refused, delayed, or not sent', async () => {
    const refused = await disk();
    const message = 'HTTP 422';
    const create: Played['create'] = () =>
      Promise.resolve({ type: 'rejected', kind: 'invalid_input', message });
    await expect(paidActivity({ creates: refused, create }).run()).rejects.toThrow(message);
    expect(noted(refused)).toEqual([]);

    const throttled = await disk();
    const waits = paidActivity({
      creates: throttled,
      create: () => Promise.resolve({ type: 'throttled', seconds: 60, message: 'HTTP 429' }),
      onSignal: (name) => {
        if (name === 'rateLimited') environment?.cancel('WORKER_SHUTDOWN', ended);
      },
    });
    let environment: MockActivityEnvironment | undefined;
    const ended = new ActivityCancellationDetails({ workerShutdown: true });
    const handed = await waits.run({}, {}, (one) => (environment = one));
    expect(handed).toMatchObject({ outcome: 'handover', prediction_id: null, unclear: false });
    expect(noted(throttled)).toEqual([]);
  });

  it('writes down that nothing was created once that is certain, and creates under a new number', async () => {
    const creates = await disk();
    let tries = 0;
    const play = paidActivity({
      creates,
      create: () =>
        Promise.resolve(
          tries++ === 0
            ? { type: 'unclear', message: 'reset' }
            : { type: 'created', prediction: rendered('own') },
        ),
    });
    expect(await play.run()).toMatchObject({ prediction: { id: 'own' } });
    expect(noted(creates)).toEqual([null, 'own']);
  }, 60_000);
});
