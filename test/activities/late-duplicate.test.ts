/** What the attempt does about a create that turns up late, in the cases that a whole world is too large for. */
import { expect, it } from 'vitest';
import type { ProviderPrediction } from '../../src/adapters/replicate/replicate-client.js';
import { notedCreates } from '../support/creates.js';
import type { NotedCreates } from '../support/creates.js';
import { predictionOf } from '../support/played.js';
import { INPUT, NOTHING, paidActivity } from './paid-activity.js';
import { rendered } from './rendered.js';

const TWIN: ProviderPrediction = rendered('twin');

/** A clip that attaches to `own`, after a create at `at` of which nobody found anything. */
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

it('looks once for a create of which a search believed that nothing came, and books what it finds', async () => {
  const { did, ids } = await conclude({ creates: await noted(null, RUN), listed: [TWIN] });
  expect(did).toEqual(['list']);
  expect(ids).toContain('twin');
});

it('looks for nothing where every create was answered, or was of another run, or of hours ago', async () => {
  const old = new Date(Date.now() - 3 * 3_600_000);
  for (const creates of [
    notedCreates(),
    await noted('own', RUN),
    await noted(null, 'another run'),
    await noted(null, RUN, old),
  ]) {
    expect(await conclude({ creates, listed: [TWIN] })).toEqual({ did: [], ids: [] });
  }
});

it('takes no prediction of another input, nor one that is known, nor one without its input', async () => {
  const listed = [
    { ...TWIN, input: { prompt: 'b' } },
    { ...rendered('own') },
    { ...rendered('erased'), input: {}, data_removed: true },
  ];
  const { ids } = await conclude({ creates: await noted(null, RUN), listed });
  expect(ids).toEqual([]);
});

it('is not gone on with by an execution that has lost its memory: the clip is the other one', async () => {
  const line = predictionOf(INPUT, { status: 'processing', cost_usd: null });
  const predictions = [
    { ...line, id: 'own' },
    { ...line, id: 'twin', status: 'canceled' as const, adopted: true },
  ];
  const { run } = paidActivity({ memory: { ...NOTHING, predictions } });
  expect(await run({ unclear: true })).toMatchObject({ prediction: { id: 'own' } });
});
