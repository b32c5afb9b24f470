/** When "nothing was created" may be believed, and what is taken for the lost one. */
import { afterEach, expect, it, vi } from 'vitest';
import type { Execution } from '../../src/activities/execution.js';
import { findLost, WATCH } from '../../src/activities/find-lost.js';
import type { Claims } from '../../src/adapters/claims.js';
import type { ListOutcome, ProviderPrediction, Replicate } from '../../src/adapters/replicate.js';
import { rendered } from './rendered.js';

afterEach(() => vi.restoreAllMocks());

const INPUT = { prompt: 'a' };

/** Looks with a clock that only moves while a list is read: `readings` are what each finds, and how long it takes. */
async function look(
  readings: { takes: number; finds: ProviderPrediction[] | null }[],
  claimed: ReadonlySet<string> = new Set(),
): Promise<{ found: string | undefined; asked: number }> {
  let now = Date.now();
  let asked = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => now);
  const list = (): Promise<ListOutcome> => {
    const { takes, finds } = readings[asked++] ?? { takes: WATCH, finds: [] };
    now += takes;
    return Promise.resolve(
      finds === null
        ? { type: 'unreadable', message: 'HTTP 500' }
        : { type: 'listed', predictions: finds },
    );
  };
  const found = await findLost(
    {
      replicate: { list } as unknown as Replicate,
      claims: { claim: (id: string) => Promise.resolve(!claimed.has(id)) } as unknown as Claims,
    },
    {
      beat: () => undefined,
      wait: () => Promise.resolve(),
      interruption: null,
    } as unknown as Execution,
    {
      model: 'a/b',
      input: INPUT,
      since: new Date(now).toISOString(),
      owner: 'job/0',
      exclude: new Set(['known']),
    },
  );
  return { found: found?.id, asked };
}

it('believes that nothing was created only when it asked after the whole watch, however long an answer took', async () => {
  const late = { takes: WATCH + 1, finds: [] };
  expect(await look([late, { takes: 1, finds: [rendered('late')] }])).toEqual({
    found: 'late',
    asked: 2,
  });
  expect(await look([late, { takes: 1, finds: [] }])).toEqual({ found: undefined, asked: 2 });
});

it('believes no list that it could not read', async () => {
  const { found } = await look([
    { takes: 1, finds: [] },
    { takes: WATCH, finds: null },
    { takes: WATCH, finds: null },
    { takes: 1, finds: [rendered('late')] },
  ]);
  expect(found).toBe('late');
});

it('takes the finished one of several, never one that another clip has or that is known already', async () => {
  const running = { ...rendered('running'), status: 'processing' as const };
  const other = { ...rendered('other'), input: { prompt: 'b' } };
  const finds = [rendered('known'), other, running, rendered('theirs'), rendered('done')];
  expect((await look([{ takes: 1, finds }], new Set(['theirs']))).found).toBe('done');
});

it('takes one whose input the provider has erased, of the same model, rather than believe that there is none', async () => {
  const erased = (id: string, change: Partial<ProviderPrediction> = {}): ProviderPrediction => ({
    ...rendered(id),
    input: {},
    output_url: null,
    data_removed: true,
    ...change,
  });
  const finds = [erased('other-model', { model: 'c/d' }), erased('theirs'), erased('lost')];
  expect((await look([{ takes: 1, finds }], new Set(['theirs']))).found).toBe('lost');
  const exact = rendered('exact');
  expect((await look([{ takes: 1, finds: [...finds, exact] }])).found).toBe('exact');
});
