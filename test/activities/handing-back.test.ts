/** G3: an execution's time is not a clip's: it hands back before its time-out, and the next one continues where nothing is created. */
import { describe, expect, it } from 'vitest';
import { predictionOf } from '../support/played.js';
import { FAILED_ONCE, INPUT, NOTHING, paidActivity } from './paid-activity.js';
import { rendered } from './rendered.js';

const running = { ...rendered('own'), status: 'processing' as const, output_url: null };

const afterOne = { ...NOTHING, failed_attempts: 1, predictions: [predictionOf(INPUT)] };

describe('an execution whose time is nearly over', () => {
  const short = { startToCloseTimeoutMs: 400 };

  it('hands its render back, with the moment from which the time of its clip counts', async () => {
    const world = paidActivity({ read: () => ({ type: 'found', prediction: running }) });
    const result = await world.run({ asked_at: '2026-06-01T12:00:00.000Z' }, short);
    expect(result).toEqual({
      outcome: 'handover',
      prediction_id: 'own',
      unclear: false,
      asked_at: '2026-06-01T12:00:00.000Z',
    });
  });

  it('hands back a create that the provider makes wait, and nothing is unclear about it', async () => {
    const world = paidActivity({
      create: () => Promise.resolve({ type: 'throttled', seconds: 60, message: 'HTTP 429' }),
    });
    expect(await world.run({}, short)).toMatchObject({ prediction_id: null, unclear: false });
    expect(world.did).toEqual(['create']);
  });

  it('takes no earlier attempt for a lost one when its workflow does not answer', async () => {
    const world = paidActivity({
      is_mute: true,
      listed: [{ ...running, status: 'failed' as const }],
    });
    const third = { ...short, attempt: 3, heartbeatDetails: FAILED_ONCE };
    const result = await world.run({}, third);
    expect(result).toMatchObject({ outcome: 'handover', prediction_id: null, unclear: true });
    expect(world.did).not.toContain('list');
    expect(world.signals).toEqual([]);
  });

  it('hands back a search that is not over as unclear', async () => {
    const world = paidActivity({});
    expect(await world.run({ unclear: true }, short)).toMatchObject({
      prediction_id: null,
      unclear: true,
    });
    expect(world.did).not.toContain('create');
  });
});

describe('on the queue where nothing is created, an execution', () => {
  it('follows its prediction without a question to the workflow or to the list', async () => {
    const world = paidActivity({ may_create: false });
    const result = await world.run({ resume: 'theirs', known: ['theirs'], failed_attempts: 1 });
    expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'theirs' } });
    expect(world.did).toEqual(['read']);
    expect(world.signals).toEqual([]);
  });

  it('tells of a prediction that the workflow has never heard of', async () => {
    const world = paidActivity({ may_create: false });
    await world.run({ resume: 'theirs', known: [] });
    expect(world.signals).toMatchObject([['predictionCreated', { prediction: { id: 'theirs' } }]]);
  });

  it('creates nothing after a failed attempt, and says that nothing is unclear', async () => {
    const world = paidActivity({ may_create: false, memory: afterOne });
    const result = await world.run(
      { resume: 'p0-0' },
      { attempt: 2, heartbeatDetails: FAILED_ONCE },
    );
    expect(result).toMatchObject({ outcome: 'handover', prediction_id: null, unclear: false });
    expect(world.did).toEqual(['memory']);
  });

  it('neither creates nor searches when the prediction that it was to follow is no longer known', async () => {
    const world = paidActivity({ may_create: false, memory: afterOne });
    const result = await world.run({ resume: 'p0-0' }, { attempt: 3 });
    expect(result).toMatchObject({ outcome: 'handover', prediction_id: null, unclear: true });
    expect(world.did).toEqual(['memory']);
  });
});

describe('backoff', () => {
  const failed = { ...rendered('own'), status: 'failed' as const, output_url: null, error: '' };
  const fails = (error = '') =>
    paidActivity({ read: () => ({ type: 'found', prediction: { ...failed, error } }) });

  it.each([
    ['first', 0, 1, '2s'],
    ['first, in its third execution,', 0, 3, '2s'],
    ['second', 1, 1, '4s'],
    ['second, in its third execution,', 1, 3, '4s'],
  ])('after the %s attempt counts attempts', async (_, failed_attempts, attempt, delay) => {
    const world = fails();
    const run = world.run({ failed_attempts, resume: 'own', known: ['own'] }, { attempt });
    await expect(run).rejects.toMatchObject({ nextRetryDelay: delay, nonRetryable: false });
  });

  it.each([
    ['high demand (E003)', '30s'],
    ['overloaded (E004)', '15s'],
  ])('is longer where the failure asks for it: %s', async (error, delay) => {
    const run = fails(error).run({ resume: 'own', known: ['own'] });
    await expect(run).rejects.toMatchObject({ nextRetryDelay: delay, nonRetryable: false });
  });
});
