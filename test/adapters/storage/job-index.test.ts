/** The index of finished jobs: any number of processes write it, and every reader comes to the same jobs and figures. */
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createJobIndex, lineOf } from '../../../src/adapters/storage/job-index.js';
import { StoredJobs } from '../../../src/api/jobs/stored-jobs.js';
import { entryOf } from '../../../src/domain/job/index-entry.js';
import { initialJob } from '../../../src/domain/job/initial-job.js';
import type { Job } from '../../../src/domain/job/job.schema.js';
import { accepted } from '../../support/checked-plans.js';
import { planWith } from '../../support/plans.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

async function folder(): Promise<string> {
  const { path: name, remove } = testFolder('index');
  onTestFinished(remove);
  return name;
}

const plan = accepted(planWith(2)).resolved;
const line = (number: number, change: Partial<Job> = {}) => {
  const completed_at = new Date(Date.UTC(2026, 0, 1) + number * 1_000).toISOString();
  const identity = { job_id: `job-${String(number)}`, run_id: 'run', created_at: completed_at };
  const job = initialJob(plan, { ...identity, simulated: true });
  const ended = { ...job, status: 'succeeded' as const, total_cost_usd: 1, completed_at };
  const entry = entryOf({ ...ended, ...change });
  if (entry === null) throw new Error('expected a job that is over');
  return lineOf(entry);
};
const lines = (count: number) => Array.from({ length: count }, (_, index) => line(index));

async function read(dataDir: string) {
  const stored = new StoredJobs(createJobIndex(createDirectoryStore(dataDir)));
  await stored.refresh();
  await stored.settled();
  const [cost] = stored.figures().samplesOf('cost_usd_total');
  const ids = stored.all().map(({ job }) => job.job_id);
  return { ids, cost: cost?.value ?? 0 };
}

const newestFirst = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `job-${String(count - 1 - index)}`);

describe('the index of finished jobs', () => {
  it('has each job once, with its last end, newest first', async () => {
    const dataDir = await folder();
    const index = createJobIndex(createDirectoryStore(dataDir));
    for (const one of lines(5)) await index.put(one);
    await index.put(line(0));
    await index.put(line(9, { job_id: 'job-2', total_cost_usd: 3 }));
    const { ids, cost } = await read(dataDir);
    expect(ids).toEqual(['job-2', 'job-4', 'job-3', 'job-1', 'job-0']);
    expect(cost).toBe(7);
  });

  it('loses and duplicates no line when many processes add to it and pack it at the same time', async () => {
    const dataDir = await folder();
    const writers = Array.from({ length: 8 }, () => createJobIndex(createDirectoryStore(dataDir)));
    const reader = new StoredJobs(createJobIndex(createDirectoryStore(dataDir)));
    let seen = 0;
    await Promise.all(
      writers.map(async (index, writer) => {
        for (let round = 0; round < 20; round += 1) {
          await index.put(line(writer * 20 + round));
          await reader.refresh();
          const now = reader.all().length;
          expect(now).toBeGreaterThanOrEqual(seen);
          seen = now;
          if (round % 5 === writer % 5) await index.pack();
        }
      }),
    );
    await reader.refresh();
    expect(reader.all()).toHaveLength(160);
    expect(await read(dataDir)).toEqual({ ids: newestFirst(160), cost: 160 });
  });

  it('is the same after a process died between writing a segment and removing its entries', async () => {
    const dataDir = await folder();
    const index = createJobIndex(createDirectoryStore(dataDir));
    for (const one of lines(30)) await index.put(one);
    const entries = path.join(dataDir, 'index', 'entries');
    const kept = path.join(dataDir, 'kept');
    await cp(entries, kept, { recursive: true });
    await index.pack();
    expect(await index.entries()).toEqual([]);
    await cp(kept, entries, { recursive: true });
    expect(await read(dataDir)).toEqual({ ids: newestFirst(30), cost: 30 });
    await index.pack();
    expect(await read(dataDir)).toEqual({ ids: newestFirst(30), cost: 30 });
  });

  it('gives one number to one segment', async () => {
    const dataDir = await folder();
    const told = await Promise.all(
      Array.from({ length: 8 }, (_, writer) =>
        createJobIndex(createDirectoryStore(dataDir)).putAll([line(writer), line(100 + writer)]),
      ),
    );
    const segments = await readdir(path.join(dataDir, 'index', 'segments'));
    expect(segments).toHaveLength(told.filter(Boolean).length);
    expect((await read(dataDir)).ids).toHaveLength(2 * segments.length);
  });

  it('packs itself, so that a process that starts later reads few files', async () => {
    const dataDir = await folder();
    const index = createJobIndex(createDirectoryStore(dataDir));
    await Promise.all(lines(600).map((one) => index.put(one)));
    expect((await read(dataDir)).ids).toHaveLength(600);
    expect(await index.entries()).toEqual([]);
    expect(await readdir(path.join(dataDir, 'index', 'segments'))).toHaveLength(1);
    expect(await read(dataDir)).toEqual({ ids: newestFirst(600), cost: 600 });
  });

  it('skips files that are not its own', async () => {
    const dataDir = await folder();
    await createJobIndex(createDirectoryStore(dataDir)).put(line(0));
    const entries = path.join(dataDir, 'index', 'entries');
    for (const [name, text] of [
      ['cut.json', '{"at": "2026", "job_id": "a", "ent'],
      ['null.json', 'null'],
      ['other.json', '{"at":"2026","job_id":"other","entry":{"job":{}}}'],
      ['half.json.part', JSON.stringify(line(1))],
    ] as const) {
      await writeFile(path.join(entries, name), text);
    }
    await mkdir(path.join(entries, 'folder.json'));
    expect((await read(dataDir)).ids).toEqual(['job-0']);
  });

  it('is empty where there is none yet', async () => {
    expect(await read(await folder())).toEqual({ ids: [], cost: 0 });
  });
});
