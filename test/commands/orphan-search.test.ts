/** What `npm run orphans` calls an orphan, and what it leaves alone. */
import { describe, expect, it } from 'vitest';
import type { ProviderPrediction } from '../../src/adapters/replicate/replicate-client.js';
import { inOrder, orphanSearch } from '../../src/commands/orphan-search.js';
import type { KnownJobs } from '../../src/commands/orphan-search.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import type { Job } from '../../src/domain/job/job.schema.js';

const NOW = Date.parse('2026-11-22T12:00:00Z');

const prediction = (
  id: string,
  status: ProviderPrediction['status'],
  prompt = 'a heron',
): ProviderPrediction => ({
  id,
  model: 'kwaivgi/kling-v2.5-turbo-pro',
  version: null,
  status,
  input: { prompt, duration: 10 },
  output: { type: 'empty' },
  output_url: null,
  error: null,
  logs: '',
  data_removed: false,
  created_at: '2026-11-22T11:59:00.000Z',
  started_at: null,
  completed_at: null,
  deadline: null,
  predict_time: null,
  web_url: `https://replicate.com/p/${id}`,
});

/** As much of a job as the search looks at. */
const job = (
  job_id: string,
  clips: { status: string; prompt: string; ids?: readonly string[] }[],
): Job =>
  ({
    job_id,
    clips: clips.map(({ status, prompt, ids = [] }, clip_index) => ({
      clip_index,
      status,
      prompt,
      predictions: ids.map((id) => ({ id })),
    })),
  }) as unknown as Job;

const NO_JOBS: KnownJobs = { running: [], silent: [], ended: [] };

const search = async (
  predictions: ProviderPrediction[],
  jobs: Partial<KnownJobs>,
  owners: Record<string, string> = {},
) =>
  inOrder(
    await orphanSearch({
      jobs: { ...NO_JOBS, ...jobs },
      ownerOf: (id) => Promise.resolve(owners[id] ?? null),
      catalogue: CATALOGUE,
      now: NOW,
    })(predictions),
  );

const idsOf = async (found: ReturnType<typeof search>) => (await found).map(({ id }) => id);

describe('an orphan', () => {
  it('is a prediction that is neither claimed nor in a ledger, with its age and its cost', async () => {
    const found = await search([prediction('p1', 'processing')], {});
    expect(found).toEqual([
      expect.objectContaining({ id: 'p1', age: 60, estimated_cost_usd: 0.7, left_by: null }),
    ]);
  });

  it('stands before those that have ended', async () => {
    const found = search([prediction('done', 'succeeded'), prediction('alive', 'starting')], {});
    expect(await idsOf(found)).toEqual(['alive', 'done']);
  });

  it('is a prediction that an ended job has left running, although its ledger has it', async () => {
    const ended = [job('j', [{ status: 'canceled', prompt: 'x', ids: ['p1', 'p2'] }])];
    const found = await search([prediction('p1', 'processing'), prediction('p2', 'failed')], {
      ended,
    });
    expect(found).toEqual([expect.objectContaining({ id: 'p1', left_by: 'j' })]);
  });

  it('is a prediction that an ended job has claimed and does not have in its ledger', async () => {
    const ended = [job('j', [{ status: 'succeeded', prompt: 'x', ids: ['other'] }])];
    const found = search([prediction('p1', 'succeeded')], { ended }, { p1: 'j/0' });
    expect(await idsOf(found)).toEqual(['p1']);
  });
});

describe('the cost of an orphan', () => {
  const costOf = async (change: Partial<ProviderPrediction>) => {
    const one = { ...prediction('p1', 'processing'), ...change };
    return (await search([one], {}))[0]?.estimated_cost_usd;
  };
  const ltx = { model: 'lightricks/ltx-video', input: { prompt: 'a heron' } };

  it('is what it usually costs while it runs, and what it did cost when it is over', async () => {
    const usual = await costOf(ltx);
    expect(usual).toBeGreaterThan(0);
    const over = { ...ltx, status: 'succeeded' as const, predict_time: 10 };
    expect(await costOf(over)).toBe(0.00975);
    expect(await costOf({ ...over, status: 'aborted' })).toBe(0);
  });

  it('is unknown where it would be a guess: no metered time, no price, or its input is erased', async () => {
    expect(await costOf({ ...ltx, status: 'succeeded' })).toBeNull();
    expect(await costOf({ model: 'nobody/nothing' })).toBeNull();
    const erased = { status: 'succeeded' as const, input: {}, data_removed: true };
    for (const model of CATALOGUE.keys()) {
      const cost = await costOf({ ...erased, model });
      const { prices = [] } = CATALOGUE.get(model) ?? {};
      const isOnePrice = prices.length === 1 && prices[0]?.per === 'clip' && !prices[0].when;
      expect([model, cost]).toEqual([model, isOnePrice ? prices[0]?.usd : null]);
    }
  });
});

describe('no orphan', () => {
  it('is what a running job has in its ledger or has claimed, also when it does not answer', async () => {
    const running = [job('j', [{ status: 'running', prompt: 'x', ids: ['p1'] }])];
    const predictions = ['p1', 'p2', 'p3'].map((id) => prediction(id, 'processing'));
    const found = search(predictions, { running, silent: ['quiet'] }, { p2: 'j/0', p3: 'quiet/4' });
    expect(await idsOf(found)).toEqual([]);
  });

  it('is what an unfinished clip may be about to adopt', async () => {
    const running = [job('j', [{ status: 'running', prompt: 'a heron' }])];
    const found = search([prediction('p1', 'processing', 'a heron')], { running });
    expect(await idsOf(found)).toEqual([]);
  });

  it('is anything of the model of an unfinished clip, where that model takes no prompt', async () => {
    const model = 'stability-ai/stable-video-diffusion';
    const running = [{ ...job('j', [{ status: 'running', prompt: 'a heron' }]), model }];
    const silent = (id: string, of: string): ProviderPrediction => ({
      ...prediction(id, 'processing'),
      model: of,
      input: { input_image: 'https://replicate.delivery/a.png' },
    });
    const found = search([silent('p1', model), silent('p2', 'another/model')], { running });
    expect(await idsOf(found)).toEqual(['p2']);
  });

  it('is what a job that is not listed as running yet has just claimed', async () => {
    const young = { ...prediction('p1', 'starting'), created_at: '2026-11-22T11:59:58.000Z' };
    const ended = [job('again', [{ status: 'failed', prompt: 'a heron', ids: ['other'] }])];
    expect(await idsOf(search([young], {}, { p1: 'new/0' }))).toEqual([]);
    expect(await idsOf(search([young], { ended }, { p1: 'again/0' }))).toEqual([]);
  });

  it('is a prediction that ended long ago for a job without a record', async () => {
    const found = search([prediction('p1', 'succeeded')], {}, { p1: 'forgotten/0' });
    expect(await idsOf(found)).toEqual([]);
  });
});
