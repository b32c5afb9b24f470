/** Who gets the next place, for any jobs, hosts and orders of coming and going. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Places } from '../../../src/adapters/network/download-slots.js';
import type { PlacesOptions, Visit } from '../../../src/adapters/network/download-slots.js';

const { signal: never } = new AbortController();
/** Lets every promise that is settled be heard of. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

class Crowd {
  readonly places: Places;
  /** In the order in which they were served. */
  readonly served: (Visit & { place: Disposable })[] = [];
  constructor(options: PlacesOptions) {
    this.places = new Places(options);
  }
  come(visit: Visit, signal = never): void {
    void this.places.enter(visit, signal).then(
      (place) => this.served.push({ ...visit, place }),
      () => undefined,
    );
  }
  leave(index: number): void {
    const [gone] = this.served.splice(index, 1);
    gone?.place[Symbol.dispose]();
  }
  heldBy(job: string): number {
    return this.served.filter((one) => one.job === job).length;
  }
}

const step = fc.oneof(
  fc.record({
    act: fc.constant('come' as const),
    job: fc.constantFrom('a', 'b', 'c', 'd'),
    host: fc.constantFrom('x', 'y', 'z'),
  }),
  fc.record({ act: fc.constant('leave' as const), which: fc.nat(20) }),
  fc.record({ act: fc.constant('abort' as const), which: fc.nat(20) }),
);

describe('places', () => {
  it('are never more than all, a share of a job, or those of a host; and none stays free that may be taken', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          at_once: fc.integer({ min: 1, max: 6 }),
          share: fc.integer({ min: 1, max: 4 }),
          further: fc.integer({ min: 0, max: 4 }),
          most: fc.integer({ min: 1, max: 3 }),
        }),
        fc.array(step, { maxLength: 60 }),
        async ({ at_once, share, further, most }, steps) => {
          const host = { at_once: most, per_second: Infinity };
          const crowd = new Crowd({ at_once, share, further, host, now: () => 0 });
          const aborts: AbortController[] = [];
          for (const one of steps) {
            if (one.act === 'come') {
              const abort = new AbortController();
              aborts.push(abort);
              crowd.come({ job: one.job, host: one.host }, abort.signal);
            } else if (one.act === 'leave') crowd.leave(one.which);
            else aborts[one.which]?.abort();
            await settled();

            const all = crowd.served.length;
            const jobs = new Set(crowd.served.map(({ job }) => job));
            expect(crowd.places.running).toBe(all);
            expect(all).toBeLessThanOrEqual(at_once);
            expect(all - jobs.size).toBeLessThanOrEqual(further);
            for (const job of jobs) expect(crowd.heldBy(job)).toBeLessThanOrEqual(share);
            for (const name of ['x', 'y', 'z']) {
              expect(crowd.served.filter((held) => held.host === name).length).toBeLessThanOrEqual(
                most,
              );
            }
          }
          // No ticket is forgotten: as places are given back, all that wait are served.
          while (crowd.served.length > 0) {
            crowd.leave(0);
            await settled();
          }
          expect(crowd.places.waiting).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are left to jobs that hold none, however much the others ask for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 2, max: 10 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 9 }),
        async (further, share, demands) => {
          const crowd = new Crowd({ at_once: further + 10, share, further });
          demands.forEach((count, job) => {
            for (let place = 0; place < count; place++) {
              crowd.come({ job: `slow-${String(job)}`, host: 'x' });
            }
          });
          crowd.come({ job: 'honest', host: 'y' });
          await settled();
          expect(crowd.heldBy('honest')).toBe(1);
        },
      ),
    );
  });

  it('go round the jobs that wait, each in the order in which it asked', async () => {
    const crowd = new Crowd({ at_once: 1, share: 1, further: 0 });
    for (const [job, host] of [
      ['a', '1'],
      ['a', '2'],
      ['a', '3'],
      ['b', '1'],
      ['c', '1'],
      ['b', '2'],
    ] as const) {
      crowd.come({ job, host });
    }
    const order: string[] = [];
    await settled();
    while (crowd.served.length > 0) {
      order.push(crowd.served.map(({ job, host }) => job + host).join());
      crowd.leave(0);
      await settled();
    }
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
  });

  it('are not kept for a download that was ended, nor given back twice', async () => {
    const crowd = new Crowd({ at_once: 1, share: 1, further: 0 });
    const gone = new AbortController();
    crowd.come({ job: 'a', host: 'x' });
    crowd.come({ job: 'b', host: 'x' }, gone.signal);
    crowd.come({ job: 'c', host: 'x' });
    await settled();
    gone.abort();
    const place = crowd.served[0]?.place;
    place?.[Symbol.dispose]();
    place?.[Symbol.dispose]();
    await settled();
    expect(crowd.served.map(({ job }) => job)).toEqual(['a', 'c']);
    expect(crowd.places.running).toBe(1);
    await expect(
      crowd.places.enter({ job: 'd', host: 'x' }, AbortSignal.abort()),
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

  it('is asked so many times a second, while others are asked at once', async () => {
    const crowd = new Crowd({
      at_once: 100,
      share: 100,
      further: 100,
      host: { at_once: 100, per_second: 10 },
    });
    for (let visit = 0; visit < 25; visit++) crowd.come({ job: 'a', host: 'x' });
    crowd.come({ job: 'a', host: 'y' });
    await settled();
    const ofX = () => crowd.served.filter(({ host }) => host === 'x').length;
    expect(ofX()).toBe(1);
    expect(crowd.served.some(({ host }) => host === 'y')).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ofX()).toBe(11);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ofX()).toBe(25);
  });

  it('that asks to be left alone is, by all jobs, for as long and no longer', async () => {
    const crowd = new Crowd({
      at_once: 9,
      share: 9,
      further: 9,
      host: { at_once: 9, per_second: 1_000 },
    });
    crowd.places.holdOff('x', 5_000);
    crowd.come({ job: 'a', host: 'x' });
    crowd.come({ job: 'b', host: 'x' });
    await vi.advanceTimersByTimeAsync(4_990);
    expect(crowd.served).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(20);
    expect(crowd.served).toHaveLength(2);
  });
});
