/** When "nothing was created" may be believed, and what is taken for the lost one. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Execution } from '../../src/activities/execution.js';
import { findLost, WATCH } from '../../src/activities/find-lost.js';
import type { Claims } from '../../src/adapters/claims.js';
import { MeasuredClock } from '../../src/adapters/provider-clock.js';
import type { ListOutcome, ProviderPrediction, Replicate } from '../../src/adapters/replicate.js';
import { rendered } from './rendered.js';

afterEach(() => vi.restoreAllMocks());

const INPUT = { prompt: 'a' };

/** Looks with a clock that only moves while a list is read: `readings` are what each finds, and how long it takes. */
async function look(
  readings: { takes: number; finds: ProviderPrediction[] | null }[],
  claimed: ReadonlySet<string> = new Set(),
): Promise<{ found: string | undefined; asked: number }> {
  let now = performance.now();
  let asked = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const clock = { now: () => Date.now(), ahead: 0, error: 2_000 };
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
      replicate: { list, clock } as unknown as Replicate,
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
      since: new Date().toISOString(),
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

describe('with clocks that are apart', () => {
  const MINUTE = 60_000;
  const aheads = fc.integer({ min: -90 * MINUTE, max: 90 * MINUTE });

  /** What was created after `since`, at a provider whose clock is `ahead`, is looked for with a real filter. */
  async function lookAt(ahead: number, createdAfterSince: number, heard: boolean): Promise<number> {
    const since = Date.now() - 5 * MINUTE;
    const created_at = new Date(since + createdAfterSince + ahead).toISOString();
    const all = [{ ...rendered('lost'), created_at }];
    const clock = new MeasuredClock();
    const hear = (): void => {
      const at = performance.now();
      const date = new Date(Date.now() + ahead).toUTCString();
      clock.hear({ date, age: null, asked: at, answered: at });
    };
    if (heard) hear();
    let asked = 0;
    const list = (after: Date): Promise<ListOutcome> => {
      asked += 1;
      hear();
      const predictions = all.filter((item) => Date.parse(item.created_at) >= +after);
      return Promise.resolve({ type: 'listed', predictions });
    };
    const claims = { claim: () => Promise.resolve(true) } as unknown as Claims;
    const wanted = { model: 'a/b', input: INPUT, owner: 'job/0', exclude: new Set<string>() };
    const found = await findLost(
      { replicate: { list, clock } as unknown as Replicate, claims },
      {
        beat: () => undefined,
        wait: () => Promise.reject(new Error('expected to find it in the first list')),
        interruption: null,
      } as unknown as Execution,
      { ...wanted, since: new Date(since).toISOString() },
    );
    expect(found?.id).toBe('lost');
    return asked;
  }

  it('finds what was created in the time that counts, whatever time it is at the provider', async () => {
    const created = fc.integer({ min: 0, max: 5 * MINUTE });
    await fc.assert(
      fc.asyncProperty(aheads, created, fc.boolean(), async (ahead, after, heard) => {
        // The time is asked for before the first list that counts.
        expect(await lookAt(ahead, after, heard)).toBe(heard ? 1 : 2);
      }),
    );
  });
});
