/** Which download gets the next slot, for any jobs, hosts and orders of requests and releases. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DownloadSlots } from '../../../src/adapters/network/download-slots.js';
import type {
  Download,
  DownloadSlotsOptions,
} from '../../../src/adapters/network/download-slots.js';

const { signal: never } = new AbortController();
/** Lets every promise that is settled be heard of. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

class Jobs {
  readonly slots: DownloadSlots;
  /** In the order in which they were served. */
  readonly served: (Download & { slot: Disposable })[] = [];
  constructor(options: DownloadSlotsOptions) {
    this.slots = new DownloadSlots(options);
  }
  request(download: Download, signal = never): void {
    void this.slots.acquire(download, signal).then(
      (slot) => this.served.push({ ...download, slot }),
      () => undefined,
    );
  }
  release(index: number): void {
    const [released] = this.served.splice(index, 1);
    released?.slot[Symbol.dispose]();
  }
  heldBy(job: string): number {
    return this.served.filter((one) => one.job === job).length;
  }
}

const step = fc.oneof(
  fc.record({
    act: fc.constant('request' as const),
    job: fc.constantFrom('a', 'b', 'c', 'd'),
    host: fc.constantFrom('x', 'y', 'z'),
  }),
  fc.record({ act: fc.constant('release' as const), which: fc.nat(20) }),
  fc.record({ act: fc.constant('abort' as const), which: fc.nat(20) }),
);

describe('download slots', () => {
  it('never exceed the limit in all, of a job or of a host, and none stays free that a request may have', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          total: fc.integer({ min: 1, max: 6 }),
          per_job: fc.integer({ min: 1, max: 4 }),
          beyond_first: fc.integer({ min: 0, max: 4 }),
          slots: fc.integer({ min: 1, max: 3 }),
        }),
        fc.array(step, { maxLength: 60 }),
        async ({ total, per_job, beyond_first, slots }, steps) => {
          const per_host = { slots, per_second: Infinity };
          const jobs = new Jobs({ total, per_job, beyond_first, per_host, now: () => 0 });
          const aborts: AbortController[] = [];
          for (const one of steps) {
            if (one.act === 'request') {
              const abort = new AbortController();
              aborts.push(abort);
              jobs.request({ job: one.job, host: one.host }, abort.signal);
            } else if (one.act === 'release') jobs.release(one.which);
            else aborts[one.which]?.abort();
            await settled();

            const all = jobs.served.length;
            const names = new Set(jobs.served.map(({ job }) => job));
            expect(jobs.slots.held).toBe(all);
            expect(all).toBeLessThanOrEqual(total);
            expect(all - names.size).toBeLessThanOrEqual(beyond_first);
            for (const job of names) expect(jobs.heldBy(job)).toBeLessThanOrEqual(per_job);
            for (const name of ['x', 'y', 'z']) {
              expect(jobs.served.filter((held) => held.host === name).length).toBeLessThanOrEqual(
                slots,
              );
            }
          }
          // No request is forgotten: as slots are released, all that wait are served.
          while (jobs.served.length > 0) {
            jobs.release(0);
            await settled();
          }
          expect(jobs.slots.waiting).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are kept for jobs that hold none, however many the others request', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 2, max: 10 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 9 }),
        async (beyond_first, per_job, demands) => {
          const jobs = new Jobs({ total: beyond_first + 10, per_job, beyond_first });
          demands.forEach((count, job) => {
            for (let slot = 0; slot < count; slot++) {
              jobs.request({ job: `slow-${String(job)}`, host: 'x' });
            }
          });
          jobs.request({ job: 'next', host: 'y' });
          await settled();
          expect(jobs.heldBy('next')).toBe(1);
        },
      ),
    );
  });

  it('are granted to the waiting jobs in turn, within a job in the order of its requests', async () => {
    const jobs = new Jobs({ total: 1, per_job: 1, beyond_first: 0 });
    for (const [job, host] of [
      ['a', '1'],
      ['a', '2'],
      ['a', '3'],
      ['b', '1'],
      ['c', '1'],
      ['b', '2'],
    ] as const) {
      jobs.request({ job, host });
    }
    const order: string[] = [];
    await settled();
    while (jobs.served.length > 0) {
      order.push(jobs.served.map(({ job, host }) => job + host).join());
      jobs.release(0);
      await settled();
    }
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
  });

  it('are not kept for an aborted download, and are released once', async () => {
    const jobs = new Jobs({ total: 1, per_job: 1, beyond_first: 0 });
    const aborted = new AbortController();
    jobs.request({ job: 'a', host: 'x' });
    jobs.request({ job: 'b', host: 'x' }, aborted.signal);
    jobs.request({ job: 'c', host: 'x' });
    await settled();
    aborted.abort();
    const slot = jobs.served[0]?.slot;
    slot?.[Symbol.dispose]();
    slot?.[Symbol.dispose]();
    await settled();
    expect(jobs.served.map(({ job }) => job)).toEqual(['a', 'c']);
    expect(jobs.slots.held).toBe(1);
    await expect(
      jobs.slots.acquire({ job: 'd', host: 'x' }, AbortSignal.abort()),
    ).rejects.toThrow();
  });
});

describe('a host', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('gets so many downloads a second, while those of other hosts start at once', async () => {
    const jobs = new Jobs({
      total: 100,
      per_job: 100,
      beyond_first: 100,
      per_host: { slots: 100, per_second: 10 },
    });
    for (let count = 0; count < 25; count++) jobs.request({ job: 'a', host: 'x' });
    jobs.request({ job: 'a', host: 'y' });
    await settled();
    const ofX = () => jobs.served.filter(({ host }) => host === 'x').length;
    expect(ofX()).toBe(1);
    expect(jobs.served.some(({ host }) => host === 'y')).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ofX()).toBe(11);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ofX()).toBe(25);
  });

  it('that is paused gets no download of any job for that long, and no longer', async () => {
    const jobs = new Jobs({
      total: 9,
      per_job: 9,
      beyond_first: 9,
      per_host: { slots: 9, per_second: 1_000 },
    });
    jobs.slots.pause('x', 5_000);
    jobs.request({ job: 'a', host: 'x' });
    jobs.request({ job: 'b', host: 'x' });
    await vi.advanceTimersByTimeAsync(4_990);
    expect(jobs.served).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(20);
    expect(jobs.served).toHaveLength(2);
  });
});
