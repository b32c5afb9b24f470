/** G1 across executions: who has waited, or may have been cut off, looks before it pays. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createGenerateClip } from '../../src/activities/generate-clip.js';
import type { CreateOutcome, ProviderPrediction } from '../../src/adapters/replicate.js';
import type { GenerateClipInput, Heartbeat } from '../../src/domain/activity.js';
import type { ClipMemory } from '../../src/workflows/contract.js';
import { predictionOf } from '../support/played.js';

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

const rendered = (id: string): ProviderPrediction => ({
  id,
  model: 'a/b',
  version: null,
  status: 'succeeded',
  input: input.input,
  output_url: 'https://replicate.delivery/x.mp4',
  error: null,
  logs: '',
  data_removed: false,
  created_at: new Date().toISOString(),
  started_at: null,
  completed_at: new Date().toISOString(),
  deadline: null,
  predict_time: 1,
  web_url: `https://replicate.com/p/${id}`,
});

const nothing: ClipMemory = {
  failed_attempts: 0,
  predictions: [],
  claimed: [],
  granted: true,
  last_error: null,
};

/** What an execution finds around it, and what it asked of the provider, in order. */
function surroundings(found: {
  memory: ClipMemory;
  created: CreateOutcome;
  listed?: ProviderPrediction[];
}) {
  const asked: ('create' | 'list')[] = [];
  const deps = {
    webhook_url: null,
    poll_interval: () => 1,
    wakes: { on: () => () => undefined },
    claims: {
      claim: () => Promise.resolve(true),
      owner: () => Promise.resolve(null),
      check: () => Promise.resolve(),
    },
    workflow: () => ({
      signal: () => Promise.resolve(),
      memory: () => Promise.resolve(found.memory),
    }),
    reader: {
      open: (id: string) => ({
        read: () => Promise.resolve({ type: 'found', prediction: rendered(id) }),
        [Symbol.dispose]: () => undefined,
      }),
    },
    replicate: {
      create: () => {
        asked.push('create');
        return Promise.resolve(found.created);
      },
      list: () => {
        asked.push('list');
        return Promise.resolve({ type: 'listed', predictions: found.listed ?? [] });
      },
    },
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
    await inSecond(beat).run(generateClip, input);
    expect(asked).toEqual(['create']);
  });

  // A reset counts from one again: the execution that was then killed is as many as the attempt that failed.
  it.each([
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
