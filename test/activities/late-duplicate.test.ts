/** What the attempt does about a late duplicate, in the cases that need no real server. */
import { expect, it } from 'vitest';
import type { ProviderPrediction } from '../../src/adapters/replicate/replicate-client.js';
import { notedCreates } from '../support/creates.js';
import type { NotedCreates } from '../support/creates.js';
import { predictionOf } from '../support/played.js';
import { INPUT, NOTHING, paidActivity } from './paid-activity.js';
import { rendered } from './rendered.js';

const DUPLICATE: ProviderPrediction = rendered('duplicate');

/** A clip that attaches to `own`, after a create of which a search found nothing. */
async function conclude(more: {
  creates: NotedCreates;
  listed?: ProviderPrediction[];
}): Promise<{ did: string[]; ids: unknown[] }> {
  const { run, did, signals } = paidActivity(more);
  const result: unknown = await run({ resume: 'own', known: ['own'] });
  expect(result).toMatchObject({ outcome: 'succeeded', prediction: { id: 'own' } });
  const ids = signals.map(([, { prediction }]) => (prediction as { id: string }).id);
  return { did: did.filter((what) => what === 'list'), ids };
}

async function noted(prediction_id: string | null, run_id: string, at = new Date()) {
  const creates = notedCreates();
  const clip = creates.of('test', 0);
  const intent = {
    execution: 1,
    attempt: 1,
    model: 'a/b',
    input_sha256: '',
    activity_id: 'clip-0',
  };
  await clip.begin(1, { ...intent, run_id, at: at.toISOString() });
  await clip.answer(1, prediction_id);
  return creates;
}
const RUN = '00000000-0000-0000-0000-000000000000';

it('looks once for a create of which a search believed that nothing came, and puts what it finds into the ledger', async () => {
  const { did, ids } = await conclude({ creates: await noted(null, RUN), listed: [DUPLICATE] });
  expect(did).toEqual(['list']);
  expect(ids).toContain('duplicate');
});

it('looks for nothing where every create was answered, or was of another run, or of hours ago', async () => {
  const old = new Date(Date.now() - 3 * 3_600_000);
  for (const creates of [
    notedCreates(),
    await noted('own', RUN),
    await noted(null, 'another run'),
    await noted(null, RUN, old),
  ]) {
    expect(await conclude({ creates, listed: [DUPLICATE] })).toEqual({ did: [], ids: [] });
  }
});

it('takes no prediction of another input, nor one that is known, nor one without its input', async () => {
  const listed = [
    { ...DUPLICATE, input: { prompt: 'b' } },
    { ...rendered('own') },
    { ...rendered('erased'), input: {}, data_removed: true },
  ];
  const { ids } = await conclude({ creates: await noted(null, RUN), listed });
  expect(ids).toEqual([]);
});

it('that was ended is not followed by an execution that has lost its state: the clip is the other prediction', async () => {
  const line = predictionOf(INPUT, { status: 'processing', cost_usd: null });
  const predictions = [
    { ...line, id: 'own' },
    { ...line, id: 'duplicate', status: 'canceled' as const, adopted: true },
  ];
  const { run } = paidActivity({ memory: { ...NOTHING, predictions } });
  expect(await run({ unclear: true })).toMatchObject({ prediction: { id: 'own' } });
});
