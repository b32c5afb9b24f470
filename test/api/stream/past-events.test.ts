/** Old events, a page at a time: from files of any length, and never more of them in memory than there may be. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Run } from '../../../src/api/jobs/jobs-port.js';
import { PastEvents } from '../../../src/api/stream/past-events.js';
import type { Origin } from '../../../src/api/stream/past-events.js';
import { EventLog } from '../../../src/api/stream/event-log.js';
import { readStoredEvents } from '../../../src/api/stream/stored-events.js';
import type { JobEvent } from '../../../src/domain/job/job.schema.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

const event = (seq: number, message = 'm'): JobEvent => ({
  job_id: 'a "seq":7',
  seq,
  at: '2030-01-01T00:00:00.000Z',
  progress: { total: 1, succeeded: 0, failed: 0, canceled: 0, percent: 0 },
  type: 'job.warning',
  message,
});
const some = (first: number, count: number, message?: string): JobEvent[] =>
  Array.from({ length: count }, (_, place) => event(first + place, message));
const seqs = (events: readonly JobEvent[]): number[] => events.map(({ seq }) => seq);

describe('a stored log', () => {
  async function stored(text: string): Promise<string> {
    const { path: folder, remove } = testFolder('log');
    onTestFinished(remove);
    const file = path.join(folder, 'events.jsonl');
    await writeFile(file, text);
    return file;
  }
  const read = (file: string, after: number, maxBytes: number): Promise<JobEvent[]> =>
    readStoredEvents(createDirectoryStore(path.dirname(file)), path.basename(file), {
      after,
      maxBytes,
    });
  const linesOf = (events: readonly JobEvent[]): string =>
    events.map((one) => `${JSON.stringify(one)}\n`).join('');

  it.each([
    ['short', 3, 'm'],
    ['of many lines', 20_000, 'm'],
    ['of long lines', 40, 'ü\u2028'.repeat(60_000)],
  ])('is read from any place: one %s', async (_name, count, message) => {
    const file = await stored(linesOf(some(1, count, message)));
    for (const after of [
      0,
      1,
      Math.floor(count / 3),
      Math.floor(count / 2),
      count - 2,
      count - 1,
    ]) {
      const page = await read(file, after, 1);
      expect(page).toEqual([event(after + 1, message)]);
    }
    expect(await read(file, count, 1_000)).toEqual([]);
    expect(seqs(await read(file, 0, Infinity))).toEqual(seqs(some(1, count)));
  });

  it('ends before a line that is not whole, and is empty where there is none', async () => {
    const file = await stored(`${linesOf(some(1, 4))}{"job_id":"a","seq":5`);
    expect(seqs(await read(file, 1, 10_000))).toEqual([2, 3, 4]);
    expect(await read(`${file}.none`, 0, 1_000)).toEqual([]);
  });
});

describe('old events', () => {
  const run = { job_id: 'a', run_id: 'r' } as Run;
  const origin = (more: Partial<Origin> = {}): Origin => ({
    jobId: 'a',
    run,
    base: null,
    isStored: false,
    terminalEvents: [],
    ...more,
  });

  function setup(most = { bytes: 1 << 20, pages: 100 }) {
    const asked: string[] = [];
    const past = new PastEvents({
      most,
      jobs: {
        // The run's own events are 101 to 300.
        events: async (_job, _run, after) => {
          asked.push(`run ${String(after)}`);
          return { events: some(Math.max(after, 100) + 1, 50), last_seq: 300 };
        },
      },
      archive: {
        eventsAfter: async (_job, after) => {
          asked.push(`store ${String(after)}`);
          return after >= 120 ? [] : some(after + 1, Math.min(30, 120 - after));
        },
      },
    });
    return { past, asked };
  }

  it('come from the store up to where the run begins, and from the run from there on', async () => {
    const { past, asked } = setup();
    const job = origin();
    const last = async (seq: number) => (await past.after(job, seq, 1 << 20))?.last;
    expect([await last(0), await last(30), await last(80), await last(100)]).toEqual([
      30, 60, 100, 150,
    ]);
    expect(asked).toEqual(['run 0', 'store 0', 'store 30', 'store 80', 'run 100']);
    expect(job.base).toBe(100);
  });

  it('are asked for once by all who read the same page, and cut to what a reader takes', async () => {
    const { past, asked } = setup();
    const job = origin();
    const pages = await Promise.all([1, 2, 3].map(() => past.after(job, 100, 1)));
    expect(pages.map((page) => page?.last)).toEqual([101, 101, 101]);
    expect(await past.after(job, 120, 1)).toMatchObject({ last: 121 });
    expect(asked).toEqual(['run 100']);
  });

  it('are none where the very next one is lost', async () => {
    const { past } = setup();
    expect(await past.after(origin({ isStored: true }), 200, 1)).toBeNull();
  });

  it('of an end that Temporal told come from what was made of it', async () => {
    const { past, asked } = setup();
    const job = origin({ terminalEvents: some(301, 250) });
    expect(await past.after(job, 300, 1 << 20)).toMatchObject({ last: 400 });
    expect(await past.after(job, 400, 1 << 20)).toMatchObject({ last: 500 });
    expect(asked).toEqual([]);
  });

  it('take no more memory than they may, of any number of jobs, and none of one that was let go', async () => {
    const { past } = setup({ bytes: 20_000, pages: 100 });
    for (let job = 0; job < 50; job += 1) {
      await past.after(origin({ jobId: String(job) }), 100, 1 << 20);
      expect(past.bytes).toBeLessThanOrEqual(20_000);
    }
    expect(past.bytes).toBeGreaterThan(0);
    for (let job = 0; job < 50; job += 1) past.forget(String(job));
    expect(past.bytes).toBe(0);
  });
});

describe('the log of a watched job', () => {
  it('holds its newest frames, so many and so many bytes of them, and numbers on', () => {
    const log = new EventLog({ frames: 10, bytes: 2_000 });
    for (const one of some(1, 100)) log.append(one);
    expect(log.head).toBe(100);
    expect(log.held).toBeLessThanOrEqual(2_000);
    expect(log.after(log.base - 1, 1)).toBeNull();
    expect(log.after(log.base, Infinity)?.last).toBe(100);
    log.append(event(101, 'x'.repeat(5_000)));
    expect([log.base, log.head]).toEqual([100, 101]);
  });
});
