/** G1 across two workers: one that waited asks what happened meanwhile before it pays. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createGenerateClip } from '../../src/activities/generate-clip.js';
import type { ProviderPrediction } from '../../src/adapters/replicate.js';
import type { GenerateClipInput } from '../../src/domain/activity.js';
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

const theirs: ProviderPrediction = {
  id: 'theirs',
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
  web_url: 'https://replicate.com/p/theirs',
};

it('attaches to what another worker created while it was made to wait, instead of creating too', async () => {
  let creates = 0;
  const memory: ClipMemory = {
    failed_attempts: 0,
    predictions: [{ ...predictionOf(input), id: 'theirs', attempt: 1, status: 'processing' }],
    claimed: [],
    granted: true,
    last_error: null,
  };
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
      memory: () => Promise.resolve(memory),
    }),
    reader: {
      open: () => ({
        read: () => Promise.resolve({ type: 'found', prediction: theirs }),
        [Symbol.dispose]: () => undefined,
      }),
    },
    replicate: {
      create: () => {
        creates++;
        return Promise.resolve({ type: 'throttled', seconds: 0.01, message: 'HTTP 429' });
      },
    },
  } as unknown as Deps;
  const environment = new MockActivityEnvironment();
  const result: unknown = await environment.run(createGenerateClip(deps), input);
  expect(creates).toBe(1);
  expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'theirs' } });
});
