/** G4: a prediction is settled with what the provider says of it, and stays unsettled when it says nothing. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { MeasuredClock } from '../../src/adapters/replicate/provider-clock.js';
import type { Deps } from '../../src/activities/deps.js';
import { toLedger } from '../../src/activities/ledger-line.js';
import { createSettlePrediction } from '../../src/activities/settle-prediction.js';
import type { ReadOutcome } from '../../src/adapters/replicate/replicate-client.js';
import { rendered } from './rendered.js';

const terms = { price: null, bills_failed: false, requested_duration: 5 };
const running = { ...rendered('p'), status: 'processing' as const, output_url: null };

/** Reads one that is to be left running, and is asked for nothing else. */
const look = (read: ReadOutcome): Promise<unknown> => {
  const replicate = { get: () => Promise.resolve(read), clock: new MeasuredClock() };
  const deps = { replicate } as unknown as Deps;
  return new MockActivityEnvironment().run(createSettlePrediction(deps), {
    ...terms,
    prediction: toLedger(running, terms, { attempt: 2, adopted: true }, replicate),
    leave_running: true,
  });
};

it('leaves a prediction running that a later attempt follows', async () => {
  expect(await look({ type: 'found', prediction: running })).toMatchObject({
    prediction: { id: 'p', attempt: 2, status: 'processing', cost_usd: null, adopted: true },
    output_url: null,
  });
});

it('answers with the file of a prediction that has succeeded meanwhile', async () => {
  const prediction = rendered('p');
  expect(await look({ type: 'found', prediction })).toMatchObject({
    prediction: { status: 'succeeded' },
    output_url: prediction.output_url,
  });
});

it('fails, to be tried again, when the prediction cannot be read', async () => {
  await expect(look({ type: 'unreadable', message: 'HTTP 500' })).rejects.toMatchObject({
    message: expect.stringContaining('expected to read prediction p') as string,
    type: 'provider_error',
    nonRetryable: false,
  });
});

it('fails for good when the provider has no such prediction', async () => {
  await expect(look({ type: 'missing' })).rejects.toMatchObject({
    message: 'there is no prediction p',
    nonRetryable: true,
  });
});
