/** G1 across executions: who has waited, or may have been cut off, looks before it pays. */
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createGenerateClip } from '../../src/activities/generate-clip.js';
import { createPredictionIndex } from '../../src/adapters/replicate/prediction-index.js';
import type {
  CreateOutcome,
  ProviderPrediction,
  Replicate,
} from '../../src/adapters/replicate/replicate-client.js';
import type { GenerateClipInput, Heartbeat } from '../../src/contract/activities.js';
import type { ClipMemory } from '../../src/contract/workflow.js';
import { predictionOf } from '../support/played.js';
import { rendered } from './rendered.js';
import { notedCreates } from '../support/creates.js';
import { SEARCHABLE } from './searchable.js';

afterEach(() => vi.restoreAllMocks());

const input: GenerateClipInput = {
  clip_index: 0,
  model: 'a/b',
  version: null,
  input: { prompt: 'a' },
  requested_duration: 5,
  price: null,
  bills_failed: false,
  usual_time: 1,
  deadline: new Date(Date.now() + 60_000).toISOString(),
  resume: null,
  unclear: false,
  failed_attempts: 0,
  since: new Date().toISOString(),
  known: [],
};

const nothing: ClipMemory = {
  failed_attempts: 0,
  predictions: [],
  claimed: [],
  granted: true,
  last_error: null,
  next_attempt_at: null,
};

/** What an execution finds around it, and what it asked of the provider, in order. */
function surroundings(found: {
  memory: ClipMemory;
  created: CreateOutcome;
  listed?: ProviderPrediction[];
  /** Of the disk, before anything is created. */
  check?: () => void;
}) {
  const asked: ('create' | 'list')[] = [];
  const replicate = {
    clock: { ahead: 0, error: 2_000, now: () => Date.now() },
    create: () => {
      asked.push('create');
      return Promise.resolve(found.created);
    },
    page: () => {
      asked.push('list');
      const predictions = found.listed ?? [];
      return Promise.resolve({ type: 'page', predictions, odd: 0, next: null });
    },
    get: (id: string) => Promise.resolve({ type: 'found', prediction: rendered(id) }),
  } as unknown as Replicate;
  const deps = {
    ...SEARCHABLE,
    webhook_url: null,
    poll_hints: { on: () => () => undefined },
    creates: notedCreates({ begin: found.check }),
    workflow: () => ({
      signal: () => Promise.resolve(),
      memory: () => Promise.resolve(found.memory),
      startedAt: () => Promise.resolve(Date.now()),
    }),
    reader: {
      open: ({ id }: { id: string }) => ({
        next: () => Promise.resolve({ type: 'found', prediction: rendered(id) }),
        hurry: () => undefined,
        [Symbol.dispose]: () => undefined,
      }),
    },
    replicate,
    index: createPredictionIndex(replicate),
  } as unknown as Deps;
  return { asked, generateClip: createGenerateClip(deps) };
}

it('attaches to what another worker created while it was made to wait, instead of creating too', async () => {
  const { asked, generateClip } = surroundings({
    memory: {
      ...nothing,
      predictions: [{ ...predictionOf(input), id: 'theirs', attempt: 1, status: 'processing' }],
    },
    created: { type: 'throttled', seconds: 0.01, message: 'HTTP 429' },
  });
  const result: unknown = await new MockActivityEnvironment().run(generateClip, input);
  expect(asked).toEqual(['create']);
  expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'theirs' } });
});

describe('a first execution that lay for longer than it may be silent before it began', () => {
  const MOST = 15_000;
  const late = () => {
    const scheduled = Date.now() - MOST - 1_000;
    return new MockActivityEnvironment({
      heartbeatTimeoutMs: MOST,
      scheduledTimestampMs: scheduled,
      currentAttemptScheduledTimestampMs: scheduled,
    });
  };

  it('attaches to what its successor has created', async () => {
    const { asked, generateClip } = surroundings({
      memory: {
        ...nothing,
        predictions: [{ ...predictionOf(input), id: 'theirs', attempt: 1, status: 'processing' }],
      },
      created: { type: 'created', prediction: rendered('twin') },
    });
    const result: unknown = await late().run(generateClip, input);
    expect(asked).toEqual([]);
    expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'theirs' } });
  });

  it('creates nothing when the server says that it is no longer counted on', async () => {
    const { asked, generateClip } = surroundings({
      memory: nothing,
      created: { type: 'created', prediction: rendered('twin') },
    });
    const environment = late();
    environment.on('heartbeat', () => {
      environment.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));
    });
    await expect(environment.run(generateClip, input)).rejects.toMatchObject({
      type: 'Interrupted',
    });
    expect(asked).toEqual([]);
  });

  it('creates at once, without a look at the list, when it had only been queued', async () => {
    const { asked, generateClip } = surroundings({
      memory: nothing,
      created: { type: 'created', prediction: rendered('own') },
    });
    const result: unknown = await late().run(generateClip, input);
    expect(asked).toEqual(['create']);
    expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'own' } });
  });
});

it('creates nothing when a disk has made it wait for longer than it may be silent', async () => {
  let now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  const { asked, generateClip } = surroundings({
    memory: nothing,
    created: { type: 'created', prediction: rendered('twin') },
    check: () => (now += 30_000),
  });
  const environment = new MockActivityEnvironment({ heartbeatTimeoutMs: 15_000 });
  await expect(environment.run(generateClip, input)).rejects.toMatchObject({ type: 'Interrupted' });
  expect(asked).toEqual([]);
});

describe('the execution after a failed attempt', () => {
  const memory = { ...nothing, failed_attempts: 1, predictions: [predictionOf(input)] };
  const beat: Heartbeat = {
    attempt: 1,
    failed_attempts: 1,
    phase: 'waiting',
    prediction_id: null,
    status: null,
    percent: null,
    until: null,
    message: null,
  };
  const inSecond = (heartbeatDetails: Heartbeat | undefined) =>
    new MockActivityEnvironment({ attempt: 2, heartbeatDetails });

  it('creates at once when the one before said that its attempt is over', async () => {
    const { asked, generateClip } = surroundings({
      memory,
      created: { type: 'created', prediction: rendered('new') },
    });
    const environment = inSecond(beat);
    const beats: unknown[] = [];
    environment.on('heartbeat', (details) => beats.push([...asked, details]));
    await environment.run(generateClip, input);
    expect(asked).toEqual(['create']);
    // Said before it created: whoever follows a reset sees that this one began.
    expect(beats[0]).toEqual([expect.objectContaining({ attempt: 2, failed_attempts: 1 })]);
  });

  it('waits for the end of the backoff when it is started too early', async () => {
    const due = Date.now() + 300;
    let created = 0;
    const { generateClip } = surroundings({
      memory: { ...memory, next_attempt_at: new Date(due).toISOString() },
      created: { type: 'created', prediction: rendered('new') },
      check: () => (created = Date.now()),
    });
    await inSecond(beat).run(generateClip, input);
    // A timer may be a millisecond early.
    expect(created).toBeGreaterThanOrEqual(due - 5);
  });

  // A reset counts from one again: the execution that was then killed is as many as the attempt that failed.
  it.each([
    ['was about to create', { ...beat, attempt: 2, phase: 'creating' }],
    ['was looking when it was last heard of', { ...beat, attempt: 2, phase: 'reconciling' }],
    ['was made to wait when it was last heard of', { ...beat, attempt: 2 }],
    ['was never heard of', undefined],
  ] as const)('looks before it pays when the one before it %s', async (_, heard) => {
    const { asked, generateClip } = surroundings({
      memory,
      created: { type: 'created', prediction: rendered('second') },
      listed: [rendered('lost')],
    });
    const result: unknown = await inSecond(heard).run(generateClip, input);
    expect(asked).toEqual(['list']);
    expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'lost' } });
  });
});
