/** G4: what a create may have left behind is found, so that the workflow can end it; nothing else is done to it. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { MeasuredClock } from '../../src/adapters/replicate/provider-clock.js';
import type { Deps } from '../../src/activities/deps.js';
import { createEndLost } from '../../src/activities/settle-lost.js';
import { createPredictionIndex } from '../../src/adapters/replicate/prediction-index.js';
import type {
  ProviderPrediction,
  ReadOutcome,
  Replicate,
} from '../../src/adapters/replicate/replicate-client.js';
import type { EndLostInput } from '../../src/contract/activities.js';
import { rendered } from './rendered.js';
import { notedCreates } from '../support/creates.js';
import { UNCLAIMED } from './paid-activity.js';

const INPUT: EndLostInput = {
  clip_index: 0,
  model: 'a/b',
  input: { prompt: 'a' },
  requested_duration: 5,
  price: null,
  bills_failed: false,
  since: new Date().toISOString(),
  attempt: 2,
  known: [],
  resume: null,
};

/** At a provider that can be read, and asked for nothing else. */
const find = (change: Partial<EndLostInput>, listed: ProviderPrediction[], read: ReadOutcome) => {
  const replicate = {
    clock: new MeasuredClock(),
    page: () => Promise.resolve({ type: 'page', predictions: listed, odd: 0, next: null }),
    get: (id: string) => {
      const prediction = listed.find((one) => one.id === id);
      return Promise.resolve(prediction === undefined ? read : { type: 'found', prediction });
    },
  } as unknown as Replicate;
  const deps = {
    ...UNCLAIMED,
    creates: notedCreates(),
    workflow: () => ({}),
    replicate,
    index: createPredictionIndex(replicate),
  } as unknown as Deps;
  return new MockActivityEnvironment().run(createEndLost(deps), { ...INPUT, ...change });
};

it('answers with a prediction that still runs, for the ledger', async () => {
  const running = { ...rendered('lost'), status: 'processing' as const, output_url: null };
  expect(await find({}, [running], { type: 'missing' })).toMatchObject({
    prediction: { id: 'lost', attempt: 2, status: 'processing', cost_usd: null, adopted: true },
    output_url: null,
  });
});

it('answers with the file of a prediction that has succeeded: it was paid for', async () => {
  const { output_url } = rendered('lost');
  const answer: unknown = await find({}, [rendered('lost')], { type: 'missing' });
  expect(answer).toMatchObject({ prediction: { id: 'lost', status: 'succeeded' }, output_url });
});

it('answers with a prediction whose id is known, also when it cannot be read', async () => {
  const answer: unknown = await find({ resume: 'heard' }, [], {
    type: 'unreadable',
    message: 'HTTP 500',
  });
  expect(answer).toMatchObject({ prediction: { id: 'heard', status: 'starting', adopted: false } });
});
