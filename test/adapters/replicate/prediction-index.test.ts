/** The account's list, read once for all searches: what it proves, what it costs, and what it survives. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPredictionIndex, LAG } from '../../../src/adapters/replicate/prediction-index.js';
import type { PredictionIndex } from '../../../src/adapters/replicate/prediction-index.js';
import { createReplicate } from '../../../src/adapters/replicate/replicate-client.js';
import { startPeer } from '../../simulator/support.js';
import type { Peer } from '../../simulator/support.js';
import { BusyAccount } from '../../support/busy-account.js';

const MINUTE = 60_000;

/** Reads on until everything since is known as it was at `moment`; `pause` is how it waits. */
async function know(
  index: PredictionIndex,
  since: number,
  moment: number,
  pause: (milliseconds: number) => unknown,
): Promise<void> {
  while (!index.proves(since, moment)) {
    const progress = await index.advance(since);
    if (progress.type === 'read') continue;
    const asked = progress.type === 'unreadable' ? (progress.retry_after ?? 0) : 0;
    await pause(Math.max(1_000, asked * 1000));
  }
}

describe('an index of an account on which 500 predictions are created a minute', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const sleep = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));
  /** Lets time pass until the work is done. */
  const lived = async <T>(work: Promise<T>): Promise<T> => {
    let isOver = false;
    const end = (): void => void (isOver = true);
    work.then(end, end);
    while (!isOver) await vi.advanceTimersByTimeAsync(50);
    return work;
  };

  it('knows the last 17 minutes after as many pages as they fill, and a minute later after those of that minute', async () => {
    const account = new BusyAccount({ rate: 500 });
    const index = createPredictionIndex(account.replicate);
    const since = Date.now() - 17 * MINUTE;
    await lived(know(index, since, performance.now(), sleep));
    const first = account.asked.pages;
    // 85 pages of 100, what came meanwhile, and one more for each part that it was read in.
    expect(first).toBeGreaterThan(85);
    expect(first).toBeLessThan(100);
    await vi.advanceTimersByTimeAsync(MINUTE);
    await lived(know(index, since, performance.now(), sleep));
    expect(account.asked.pages - first).toBeLessThanOrEqual(8);
    const ids = new Set(index.since(since).map(({ id }) => id));
    expect(account.listed(since, Date.now() - LAG).every(({ id }) => ids.has(id))).toBe(true);
  });

  it('sends no more requests for ten searches as deep than for one', async () => {
    const cost = async (searches: number): Promise<number> => {
      const account = new BusyAccount({ rate: 500 });
      const index = createPredictionIndex(account.replicate);
      const since = Date.now() - 17 * MINUTE;
      const until = performance.now() + 12_000;
      await lived(
        Promise.all(
          Array.from({ length: searches }, async (_, number) => {
            await sleep(number * 70);
            await know(index, since + number, until, sleep);
          }),
        ),
      );
      return account.asked.pages;
    };
    expect(await cost(10)).toBeLessThanOrEqual((await cost(1)) + 5);
  });

  it('reads as many pages as there are', async () => {
    const account = new BusyAccount({ rate: 500, page_size: 10, takes: 10 });
    const index = createPredictionIndex(account.replicate);
    const since = Date.now() - 10 * MINUTE;
    await lived(know(index, since, performance.now(), sleep));
    expect(account.asked.pages).toBeGreaterThan(500);
    expect(index.since(since).length).toBeGreaterThanOrEqual(5_000);
  });

  it('does not take a review of an earlier part of the list for a reading of all of it', async () => {
    const index = createPredictionIndex(new BusyAccount({ rate: 500 }).replicate);
    const since = Date.now() - MINUTE;
    await lived(know(index, since, performance.now(), sleep));
    await vi.advanceTimersByTimeAsync(5_000);
    const moment = performance.now();
    const review = index.review({ after: since + 10_000, before: since + 20_000 });
    let read = 0;
    while (!review.isOver) {
      const step = await lived(review.step());
      read += step.type === 'read' ? step.predictions.length : 0;
    }
    expect(read).toBeGreaterThan(50);
    expect(index.proves(since, moment)).toBe(false);
  });

  it('keeps only what a search has looked for lately', async () => {
    const account = new BusyAccount({ rate: 500 });
    const index = createPredictionIndex(account.replicate);
    await lived(know(index, Date.now() - 17 * MINUTE, performance.now(), sleep));
    expect(index.since(0).length).toBeGreaterThan(8_500);
    for (let minute = 0; minute < 12; minute++) {
      await vi.advanceTimersByTimeAsync(MINUTE);
      await lived(know(index, Date.now() - MINUTE, performance.now(), sleep));
    }
    // What was looked at in the last ten minutes, and a minute before.
    expect(index.since(0).length).toBeLessThan(6_500);
  });

  it('keeps nothing when there was no search for long, however much is reviewed', async () => {
    const account = new BusyAccount({ rate: 500 });
    const index = createPredictionIndex(account.replicate);
    await lived(know(index, Date.now() - MINUTE, performance.now(), sleep));
    expect(index.since(0)).not.toEqual([]);
    for (let minute = 0; minute < 12; minute++) {
      await vi.advanceTimersByTimeAsync(MINUTE);
      await lived(index.review({ after: Date.now() - 5_000, before: null }).step());
    }
    expect(index.since(0)).toEqual([]);
  });

  it('begins anew, rather than read what was created in an hour without a search', async () => {
    const account = new BusyAccount({ rate: 500 });
    const index = createPredictionIndex(account.replicate);
    await lived(know(index, Date.now() - MINUTE, performance.now(), sleep));
    const before = account.asked.pages;
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    await lived(know(index, Date.now() - 2 * MINUTE, performance.now(), sleep));
    expect(account.asked.pages - before).toBeLessThan(20);
  });
});

describe('an index at the provider', () => {
  let ahead = 0;
  beforeEach(() => {
    ahead = 0;
    const { now } = Date;
    const monotonic = performance.now.bind(performance);
    vi.spyOn(Date, 'now').mockImplementation(() => now() + ahead);
    vi.spyOn(performance, 'now').mockImplementation(() => monotonic() + ahead);
  });
  afterEach(() => vi.restoreAllMocks());
  const skip = (milliseconds: number): void => void (ahead += milliseconds);

  async function world(pageSize: number): Promise<{ peer: Peer; index: PredictionIndex }> {
    const peer = await startPeer({ settings: { list_page_size: pageSize } });
    const replicate = createReplicate({ token: 'r8', base_url: peer.simulator.url });
    return { peer, index: createPredictionIndex(replicate) };
  }
  const pages = async (peer: Peer): Promise<number> =>
    (await peer.stats()).reads['/v1/predictions'] ?? 0;
  const fault = (peer: Peer, rule: object): Promise<unknown> =>
    peer.ask('POST', '/simulator/faults', rule);

  /** What is young when it is read as the rest may still lag. */
  const UNSETTLED = [
    { type: 'create' as const, late: 6 },
    { type: 'wait' as const, seconds: 5 },
    { type: 'look' as const, back: 5 },
    { type: 'look' as const, back: 300 },
  ];

  it('knows all that was listed when it was asked, however late it was listed and however it is asked', async () => {
    const action = fc.oneof(
      fc.record({ type: fc.constant('create' as const), late: fc.integer({ min: 0, max: 14 }) }),
      fc.record({ type: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 20 }) }),
      fc.record({
        type: fc.constant('look' as const),
        back: fc.constantFrom<number[]>(5, 100, 300),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30, size: 'max' }), async (actions) => {
        const { peer, index } = await world(3);
        const created: { id: string; at: number; listed: number }[] = [];
        for (const one of [...actions, { type: 'look' as const, back: 600 }]) {
          if (one.type === 'wait') skip(one.seconds * 1000);
          if (one.type === 'create') {
            const tag = one.late === 0 ? '' : `[[hidden-from-list:${String(one.late)}]]`;
            const { body } = await peer.create(`${String(created.length)} ${tag}`);
            const at = Date.parse(body.created_at);
            created.push({ id: body.id, at, listed: at + one.late * 1000 });
          }
          if (one.type !== 'look') continue;
          const [moment, now] = [performance.now(), Date.now()];
          const since = now - one.back * 1000;
          await know(index, since, moment, skip);
          const known = new Set(index.since(since).map(({ id }) => id));
          const missing = created.filter(
            ({ id, at, listed }) => at >= since && listed < now && !known.has(id),
          );
          expect(missing).toEqual([]);
        }
        await peer.simulator.close();
      }),
      { numRuns: 40, examples: [[UNSETTLED]] },
    );
  });

  it('continues at the page that could not be read, not at the first', async () => {
    const { peer, index } = await world(2);
    for (let n = 0; n < 8; n++) await peer.create(`clip ${String(n)}`);
    await fault(peer, { match: 'cursor', fault: 'list-garbled', times: 2 });
    await know(index, Date.now() - 30_000, performance.now(), skip);
    expect(index.since(0)).toHaveLength(8);
    expect(await pages(peer)).toBe(4 + 2);
  });

  it('sends no request while the provider asks to wait', async () => {
    const { peer, index } = await world(2);
    await fault(peer, { fault: 'list-429:7', times: 1 });
    const since = Date.now() - 30_000;
    expect(await index.advance(since)).toMatchObject({ type: 'unreadable', retry_after: 7 });
    skip(3_000);
    expect(await index.advance(since)).toMatchObject({ type: 'unreadable' });
    expect(await index.review({ after: since, before: null }).step()).toMatchObject({
      type: 'unreadable',
    });
    expect(await pages(peer)).toBe(1);
    skip(4_001);
    expect(await index.advance(since)).toMatchObject({ type: 'read' });
    expect(await pages(peer)).toBe(2);
  });

  it('sends one request for searches that ask at the same time', async () => {
    const { peer, index } = await world(2);
    await Promise.all([1, 2, 3].map(() => index.advance(Date.now() - 30_000)));
    expect(await pages(peer)).toBe(1);
  });

  it('still knows the input that the provider has erased meanwhile', async () => {
    const { peer, index } = await world(5);
    const { body } = await peer.create('a heron');
    const since = Date.now() - 30_000;
    await know(index, since, performance.now(), skip);
    const [before] = index.since(since);
    skip(2 * 3_600_000);
    const again = createPredictionIndex(
      createReplicate({ token: 'r8', base_url: peer.simulator.url }),
    );
    await know(again, since, performance.now(), skip);
    expect(again.since(since)).toMatchObject([{ id: body.id, is_erased: true, marks: {} }]);
    await know(index, since, performance.now(), skip);
    expect(index.since(since)).toEqual([{ ...before, status: 'succeeded', is_erased: true }]);
  });
});

describe('an index of a list that is not what it should be', () => {
  it('shows what can be read, and proves nothing', async () => {
    const account = new BusyAccount({ rate: 1, takes: 0, since: 1 });
    account.add('lost');
    const [lost] = account.listed(0);
    if (lost === undefined) throw new Error('expected one');
    account.instead.push({ type: 'page', predictions: [lost], odd: 1, next: null });
    const index = createPredictionIndex(account.replicate);
    const since = Date.now() - MINUTE;
    await index.advance(since);
    expect(index.since(since).map(({ id }) => id)).toEqual(['lost']);
    expect(index.proves(since, 0)).toBe(false);
  });

  it('does not follow a list that runs in circles', async () => {
    const account = new BusyAccount({ rate: 1, takes: 0, since: 1 });
    account.add('a');
    const [a] = account.listed(0);
    if (a === undefined) throw new Error('expected one');
    for (let n = 0; n < 50; n++) {
      account.instead.push({ type: 'page', predictions: [a], odd: 0, next: `?${String(n)}` });
    }
    const index = createPredictionIndex(account.replicate);
    const since = Date.now() - MINUTE;
    for (let n = 0; n < 5; n++) await index.advance(since);
    expect(account.asked.pages).toBe(2);
    expect(index.proves(since, 0)).toBe(false);
  });
});
