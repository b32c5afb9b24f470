/** `npm run prune`: what it removes, what it never removes, and what is seen when it dies in the middle. */
import { utimes } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { createJobIndex } from '../../src/adapters/storage/job-index.js';
import { artifactKey, folderOf, jobIdOf, jobKey } from '../../src/adapters/storage/store-keys.js';
import { keysBelow, StoreTrouble } from '../../src/adapters/storage/store.js';
import type { Store } from '../../src/adapters/storage/store.js';
import { TemporalAway } from '../../src/api/jobs/jobs-port.js';
import { StoredJobs } from '../../src/api/jobs/stored-jobs.js';
import type { JobRuns, LastRun } from '../../src/commands/job-runs.js';
import { main, read, textOf } from '../../src/commands/prune.js';
import { prune } from '../../src/commands/pruning.js';
import type { PruneOptions } from '../../src/commands/pruning.js';
import { DAY, filesOf, sha256Of, storeFinished } from '../support/finished-jobs.js';
import { testFolder } from '../support/test-folder.js';

const OPTIONS: PruneOptions = { older_than: 30 * DAY, keep_videos: false, dry_run: false };
const OLD = new Date(Date.now() - 90 * DAY).toISOString();

/** Temporal with these last runs. */
function temporal(
  runs: Record<string, LastRun> = {},
  more: Partial<JobRuns> = {},
): JobRuns & { known: Map<string, LastRun> } {
  const known = new Map(Object.entries(runs));
  return {
    known,
    last: async (id) => known.get(id) ?? null,
    async forget(id) {
      known.delete(id);
    },
    retention: async () => 30 * DAY,
    firstBefore: async () => null,
    ...more,
  };
}

function folder(): { data_dir: string; store: Store } {
  const { path: data_dir, remove } = testFolder('prune');
  onTestFinished(remove);
  return { data_dir, store: createDirectoryStore(data_dir) };
}

const run = (store: Store, options: Partial<PruneOptions> = {}, runs = temporal()) =>
  prune({ store, index: createJobIndex(store), runs }, { ...OPTIONS, ...options });

async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of keysBelow(store, prefix)) keys.push(key);
  return keys;
}

async function indexed(store: Store): Promise<StoredJobs> {
  const stored = new StoredJobs(createJobIndex(store));
  await stored.refresh();
  return stored;
}

const idsOf = (stored: StoredJobs): string[] => stored.all().map(({ job }) => job.job_id);

describe('an old job', () => {
  it('is removed with all its files and from lists, its claims stay, and a young one keeps every byte', async () => {
    const { data_dir, store } = folder();
    await storeFinished(store, 'young', { days: 29 });
    const before = filesOf(data_dir);
    await storeFinished(store, 'old', { days: 31 });
    const runs = temporal({ old: { run_id: 'a', closed_at: OLD } });
    const pruned = await run(store, {}, runs);
    const after = filesOf(data_dir);
    expect(after).toMatchObject(before);
    const left = Object.keys(after).filter((file) => /\bold\b/.test(file));
    expect(left).toEqual(['claims/prediction-of-old']);
    expect(idsOf(await indexed(store))).toEqual(['young']);
    expect(runs.known.has('old')).toBe(false);
    expect(pruned).toMatchObject({ jobs: 1, running: 0, failed: [] });
    expect(pruned.removed).toMatchObject({
      artifacts: { objects: 4 },
      jobs: { objects: 3 },
      creates: { objects: 3 },
    });
    expect(pruned.removed.artifacts.bytes).toBeGreaterThan(10_000);
    expect(textOf(pruned, OPTIONS, data_dir)).toContain('Removed 1 job, 10 objects');
  });

  it('leaves what it has cost in the figures of a process that has counted it', async () => {
    const { store } = folder();
    await storeFinished(store, 'old', { days: 31 });
    const stored = await indexed(store);
    const cost = () => stored.figures().samplesOf('cost_usd_total')[0]?.value;
    expect(cost()).toBe(1);
    await run(store);
    await stored.refresh();
    expect(idsOf(stored)).toEqual([]);
    expect(cost()).toBe(1);
  });

  it('keeps its videos, thumbnails and facts where they are wanted, until they are not', async () => {
    const { store } = folder();
    await storeFinished(store, 'old', { days: 31 });
    await run(store, { keep_videos: true });
    expect(await keysOf(store, 'artifacts/')).toEqual([
      artifactKey('old', 0, 'thumbnail'),
      artifactKey('old', 0, 'facts'),
      artifactKey('old', 0, 'video'),
    ]);
    expect(await keysOf(store, 'jobs/')).toEqual([]);
    expect((await run(store, { keep_videos: true })).jobs).toBe(0);
    // Without a record, a job is as old as the last of its files.
    expect((await run(store)).jobs).toBe(0);
    const later = { now: () => Date.now() + 31 * DAY };
    const deps = { store, index: createJobIndex(store), runs: temporal(), ...later };
    expect(await prune(deps, OPTIONS)).toMatchObject({ jobs: 1 });
    expect(await keysOf(store, 'artifacts/')).toEqual([]);
  });

  it('is counted and nothing is changed by a dry run', async () => {
    const { data_dir, store } = folder();
    await storeFinished(store, 'old', { days: 31 });
    const before = filesOf(data_dir);
    const runs = temporal({ old: { run_id: 'a', closed_at: OLD } });
    const pruned = await run(store, { dry_run: true }, runs);
    expect(filesOf(data_dir)).toEqual(before);
    expect(runs.known.has('old')).toBe(true);
    expect(pruned.removed.artifacts.objects).toBe(4);
    expect(textOf(pruned, { ...OPTIONS, dry_run: true }, data_dir)).toContain('Would remove 1 job');
  });

  it('whose record cannot be read stays, and is named', async () => {
    const { data_dir, store } = folder();
    await storeFinished(store, 'old', { days: 31 });
    await store.put(jobKey('old', 'job.json'), '{');
    const before = filesOf(data_dir);
    expect((await run(store)).failed).toEqual([
      { job_id: 'old', reason: 'its job.json cannot be read' },
    ]);
    expect(filesOf(data_dir)).toEqual(before);
  });
});

describe('a job that runs again', () => {
  it('keeps everything', async () => {
    const { data_dir, store } = folder();
    await storeFinished(store, 'again', { days: 31 });
    const before = filesOf(data_dir);
    const pruned = await run(store, {}, temporal({ again: { run_id: 'b', closed_at: null } }));
    expect(pruned).toMatchObject({ jobs: 0, running: 1 });
    expect(filesOf(data_dir)).toEqual(before);
  });

  it('keeps its videos also when it was retried after Temporal was asked', async () => {
    const { store } = folder();
    const video = await storeFinished(store, 'again', { days: 31 });
    const runs = temporal({ again: { run_id: 'a', closed_at: OLD } });
    runs.forget = async (id) => {
      runs.known.set(id, { run_id: 'b', closed_at: null });
    };
    expect(await run(store, {}, runs)).toMatchObject({ jobs: 0, running: 1 });
    const found = await store.head(artifactKey('again', 0, 'video'));
    expect(found?.bytes).toBe(video.length);
    expect(await keysOf(store, 'creates/')).toHaveLength(3);
  });

  it('and has ended a moment ago is young, whatever its stored record says', async () => {
    const { store } = folder();
    await storeFinished(store, 'again', { days: 31 });
    const runs = temporal({ again: { run_id: 'b', closed_at: new Date().toISOString() } });
    expect(await run(store, {}, runs)).toMatchObject({ jobs: 0, running: 0 });
    expect(await keysOf(store, 'jobs/again/')).toHaveLength(3);
  });
});

/** Fails for ever from the `count`-th write on. */
function dying(store: Store, count: number): Store & { isDead: () => boolean } {
  let left = count;
  const live = (): void => {
    if (left === 0) throw new StoreTrouble('killed');
    left -= 1;
  };
  return {
    ...store,
    isDead: () => left === 0,
    async put(...words) {
      live();
      await store.put(...words);
    },
    async delete(key) {
      live();
      await store.delete(key);
    },
  };
}

it('PRUNE-1: killed after any step, a job is seen whole or not at all, and the next run removes the rest', async () => {
  const kept: number[] = [];
  for (let count = 0, isOver = false; !isOver; count += 1) {
    const { store } = folder();
    const video = await storeFinished(store, 'old', { days: 31 });
    const mortal = dying(store, count);
    isOver = await run(mortal).then(
      () => true,
      () => false,
    );
    const isListed = idsOf(await indexed(store)).length > 0;
    const hasPage = (await store.head(jobKey('old', 'job.json'))) !== null;
    const hasVideo = (await store.head(artifactKey('old', 0, 'video')))?.bytes === video.length;
    if (isListed) expect(hasPage).toBe(true);
    if (hasPage) expect(hasVideo).toBe(true);
    if (hasPage) kept.push(count);
    // A job without a record is as old as the last of its files.
    const later = { now: () => Date.now() + 31 * DAY };
    await prune({ store, index: createJobIndex(store), runs: temporal(), ...later }, OPTIONS);
    expect(await keysOf(store)).toEqual([
      'claims/prediction-of-old',
      ...(await keysOf(store, 'index/')),
    ]);
    expect(idsOf(await indexed(store))).toEqual([]);
  }
  expect(kept).toEqual([0, 1]);
});

it('a job with an id that is no folder name is found by its folder, and a folder of no job by its name', () => {
  for (const id of ['launch', 'a/b c.d', '~', 'ü%']) expect(jobIdOf(folderOf(id))).toBe(id);
  expect(jobIdOf('~%zz')).toBe('~%zz');
});

describe('payloads and hints', () => {
  const days = async (data_dir: string, key: string, age: number): Promise<void> => {
    const at = new Date(Date.now() - age * DAY);
    await utimes(path.join(data_dir, key), at, at);
  };
  const keyOf = (text: string): string =>
    `payloads/${sha256Of(text).slice(0, 2)}/${sha256Of(text)}`;

  async function withPayloads() {
    const { data_dir, store } = folder();
    for (const age of [10, 50, 90]) {
      const key = keyOf(String(age));
      await store.put(key, String(age));
      await days(data_dir, key, age);
      await store.put(`wakes/${String(age)}`, '');
      await days(data_dir, `wakes/${String(age)}`, age);
    }
    return store;
  }

  const retained = (days: number) => ({ retention: async () => days * DAY });

  it('go when they are older than the limit', async () => {
    const store = await withPayloads();
    await run(store, {}, temporal({}, retained(10)));
    expect(await keysOf(store)).toEqual([keyOf('10'), 'wakes/10']);
  });

  it('but payloads stay for as long as Temporal keeps histories', async () => {
    const store = await withPayloads();
    await run(store, {}, temporal({}, retained(40)));
    expect(await keysOf(store)).toEqual([...[keyOf('10'), keyOf('50')].sort(), 'wakes/10']);
  });

  it('and for as long as Temporal has a run that began before they were last written', async () => {
    const store = await withPayloads();
    const first = Date.now() - 60 * DAY;
    await run(store, {}, temporal({}, { ...retained(10), firstBefore: async () => first }));
    expect(await keysOf(store)).toEqual([...[keyOf('10'), keyOf('50')].sort(), 'wakes/10']);
  });

  it('and all of them while Temporal does not tell its retention, which is said', async () => {
    const store = await withPayloads();
    const refuse = () => Promise.reject(new Error('no permission'));
    const pruned = await run(store, {}, temporal({}, { retention: refuse }));
    expect(await keysOf(store, 'payloads/')).toHaveLength(3);
    expect(textOf(pruned, OPTIONS, 'there')).toContain('Payloads stay: no permission.');
  });
});

describe('the command', () => {
  it.each([
    ['12h', 12 * 3_600_000],
    ['30d', 30 * DAY],
    ['8w', 56 * DAY],
  ])('takes %s', (text, older_than) => {
    expect(read(['--older-than', text])).toMatchObject({ older_than, dry_run: false });
  });

  it.each([
    [],
    ['--older-than', '0h'],
    ['--older-than', '30'],
    ['--older-than', '30m'],
    ['--older-than', '-3d'],
    ['--older-than', '1.5d'],
    ['--older-than', '999999w'],
    ['--older-than', '1d', 'more'],
    ['--older-than', '1d', '--all'],
  ])('refuses %j with its usage', (...words: string[]) => {
    expect(() => read(words)).toThrow(/^npm run prune: [^]*Usage: /);
  });

  it('ends with 2 and removes nothing while Temporal does not say what runs', async () => {
    const { data_dir, store } = folder();
    await storeFinished(store, 'old', { days: 31 });
    const before = filesOf(data_dir);
    const away = () => Promise.reject(new TemporalAway('away'));
    await expect(run(store, {}, temporal({}, { last: away }))).rejects.toThrow(TemporalAway);
    const said = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => {
      said.mockRestore();
      vi.unstubAllEnvs();
    });
    vi.stubEnv('DATA_DIR', data_dir);
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
    expect(await main(['--older-than', '1h'])).toBe(2);
    expect(said.mock.calls.join()).toContain('to say which jobs are running');
    expect(filesOf(data_dir)).toEqual(before);
  });
});
