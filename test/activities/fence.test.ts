/** G1 across executions: an execution that has waited, or may have been cut off, looks before it pays; a first one need not. */
import { ActivityCancellationDetails } from '@temporalio/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CreateOutcome } from '../../src/adapters/replicate/replicate-client.js';
import type { Heartbeat } from '../../src/contract/activities.js';
import { notedCreates } from '../support/creates.js';
import { predictionOf } from '../support/played.js';
import { FAILED_ONCE, INPUT, NOTHING, paidActivity } from './paid-activity.js';
import type { Played } from './paid-activity.js';
import { rendered } from './rendered.js';

afterEach(() => vi.restoreAllMocks());

/** The workflow has heard of a prediction that another execution has created for the attempt. */
const THEIRS = {
  ...NOTHING,
  predictions: [
    { ...predictionOf(INPUT), id: 'theirs', attempt: 1, status: 'processing' as const },
  ],
};

const play = (played: Played) => {
  const activity = paidActivity(played);
  return {
    ...activity,
    paid: () => activity.did.filter((act) => act === 'create' || act === 'list'),
  };
};

it('a first execution asks nothing and tells nothing before its create', async () => {
  const told: number[] = [];
  const { run, did, signals } = play({
    create: () => {
      told.push(signals.length);
      return Promise.resolve({ type: 'unclear', message: 'cut off' });
    },
  });
  await run().catch(() => undefined);
  expect(did[0]).toBe('create');
  expect(told[0]).toBe(0);
});

it('attaches to what another worker created while it was made to wait, instead of creating too', async () => {
  const throttled: CreateOutcome = { type: 'throttled', seconds: 0.01, message: 'HTTP 429' };
  const { run, paid } = play({ memory: THEIRS, create: () => Promise.resolve(throttled) });
  const result = await run();
  expect(paid()).toEqual(['create']);
  expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'theirs' } });
});

describe('a first execution that waited in the queue for longer than its heartbeat time-out', () => {
  const heartbeatTimeoutMs = 15_000;
  const late = () => {
    const scheduled = Date.now() - heartbeatTimeoutMs - 1_000;
    return {
      heartbeatTimeoutMs,
      scheduledTimestampMs: scheduled,
      currentAttemptScheduledTimestampMs: scheduled,
    };
  };

  it('attaches to what its successor has created', async () => {
    const { run, paid } = play({ memory: THEIRS });
    const result = await run({}, late());
    expect(paid()).toEqual([]);
    expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'theirs' } });
  });

  it('creates nothing when the server says that it is no longer counted on', async () => {
    const { run, paid } = play({});
    const running = run({}, late(), (environment) => {
      environment.on('heartbeat', () => {
        environment.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));
      });
    });
    await expect(running).rejects.toMatchObject({ type: 'Interrupted' });
    expect(paid()).toEqual([]);
  });

  it('creates at once, without a look at the list, when it had only been queued', async () => {
    const { run, paid } = play({});
    const result = await run({}, late());
    expect(paid()).toEqual(['create']);
    expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'own' } });
  });
});

it('creates nothing when a disk has made it wait for longer than it may be silent', async () => {
  let now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  const creates = notedCreates({ begin: () => (now += 30_000) });
  const { run, paid } = play({ creates });
  const running = run({}, { heartbeatTimeoutMs: 15_000 });
  await expect(running).rejects.toMatchObject({ type: 'Interrupted' });
  expect(paid()).toEqual([]);
});

describe('the execution after a failed attempt', () => {
  const memory = { ...NOTHING, failed_attempts: 1, predictions: [predictionOf(INPUT)] };
  const second = (heartbeatDetails: Heartbeat | undefined) => ({ attempt: 2, heartbeatDetails });

  it('creates at once when the one before said that its attempt is over', async () => {
    const { run, paid } = play({ memory });
    const beats: unknown[] = [];
    await run({}, second(FAILED_ONCE), (environment) => {
      environment.on('heartbeat', (details) => beats.push([...paid(), details]));
    });
    expect(paid()).toEqual(['create']);
    // Said before it created: after a reset, the next execution sees that this one began.
    expect(beats[0]).toEqual([expect.objectContaining({ attempt: 2, failed_attempts: 1 })]);
  });

  it('waits for the end of the backoff when it is started too early', async () => {
    const due = Date.now() + 300;
    let created = 0;
    const { run } = play({
      memory: { ...memory, next_attempt_at: new Date(due).toISOString() },
      creates: notedCreates({ begin: () => (created = Date.now()) }),
    });
    await run({}, second(FAILED_ONCE));
    // A timer may be a millisecond early.
    expect(created).toBeGreaterThanOrEqual(due - 5);
  });

  // A reset counts from one again: the execution that was then killed is as many as the attempt that failed.
  it.each([
    ['was about to create', { ...FAILED_ONCE, attempt: 2, phase: 'creating' }],
    [
      'was searching when it was last heard of',
      { ...FAILED_ONCE, attempt: 2, phase: 'reconciling' },
    ],
    ['was made to wait when it was last heard of', { ...FAILED_ONCE, attempt: 2 }],
    ['was never heard of', undefined],
  ] as const)('looks before it pays when the one before it %s', async (_, heard) => {
    const { run, paid } = play({ memory, listed: [rendered('lost')] });
    const result = await run({}, second(heard));
    expect(paid()).toEqual(['list']);
    expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'lost' } });
  });
});
