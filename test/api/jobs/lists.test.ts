/** Lists and figures of many finished jobs: what they read and ask, and what their filters find. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { JobSummary, Job } from '../../../src/domain/job/job.schema.js';
import { eventually } from '../../support/eventually.js';
import { harness } from '../harness.js';
import type { Harness } from '../harness.js';
import { planWith } from '../../support/plans.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

/** Paths that were read or looked at, in order. */
const read = vi.hoisted(() => [] as string[]);
vi.mock('node:fs/promises', async (original) => {
  const real = await original<Record<string, unknown>>();
  const counted = Object.fromEntries(
    (['readFile', 'stat', 'access', 'open'] as const).map((name) => [
      name,
      (...given: unknown[]) => {
        read.push(String(given[0]));
        return (real[name] as (...all: unknown[]) => unknown)(...given);
      },
    ]),
  );
  return { ...real, ...counted, default: { ...real, ...counted } };
});

interface Page {
  jobs: JobSummary[];
  next_cursor: string | null;
}

const MODELS = ['kwaivgi/kling-v2.5-turbo-pro', 'minimax/hailuo-02'];
const STATES = ['succeeded', 'failed', 'canceled'] as const;

/** So many that ended and are stored, and that Temporal has forgotten. */
async function store(all: Harness, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const job_id = `job-${String(index).padStart(4, '0')}`;
    all.jobs.add(job_id);
    const { job } = all.jobs.latest(job_id);
    const change: Partial<Job> = {
      status: STATES[index % 3] ?? 'failed',
      model: MODELS[index % 2] ?? '',
      labels: [`customer ${String(index % 10)}`, 'winter'],
      completed_at: new Date(Date.UTC(2026, 0, 1) + index * 1_000).toISOString(),
      total_cost_usd: 0.5,
    };
    const clips = job.clips.map((clip, place) =>
      index === 7 && place === 1 ? { ...clip, prompt: 'A Heron over the marsh' } : clip,
    );
    await all.archive.save({ ...job, ...change, clips }, []);
    all.jobs.runs.delete(job_id);
  }
}

const list = async ({ app }: Harness, query: Record<string, string> = {}): Promise<Page> => {
  const answer = await app.inject({
    url: `/v1/jobs?${new URLSearchParams({ limit: '100', ...query }).toString()}`,
  });
  expect(answer.statusCode).toBe(200);
  return answer.json<Page>();
};

const ids = ({ jobs }: Page): string[] => jobs.map(({ job_id }) => job_id);
const jobFiles = (): string[] => read.filter((file) => /[/\\]jobs[/\\]/.test(file));

describe('with 300 finished jobs', () => {
  it('a list and the figures read no job and ask none, on a process that has just started too', async () => {
    const all = await harness();
    await store(all, 300);
    for (const job_id of ['a', 'b', 'c']) all.jobs.add(job_id);
    read.length = 0;
    const calls = { ...all.jobs.calls };
    const first = await list(all, { limit: '20' });
    expect(ids(first).slice(0, 5)).toEqual(['c', 'b', 'a', 'job-0299', 'job-0298']);
    expect(jobFiles()).toEqual([]);
    expect(read.length).toBeLessThanOrEqual(310);
    read.length = 0;
    const { lists } = all.jobs.calls;
    await list(all, { limit: '20', cursor: first.next_cursor ?? '' });
    expect(all.jobs.calls.lists - lists).toBe(1);
    for (const query of [{ status: 'failed' }, { model: MODELS[1] ?? '' }, { q: 'heron' }]) {
      const before = all.jobs.calls.lists;
      await list(all, query);
      expect(all.jobs.calls.lists - before).toBeLessThanOrEqual(2);
    }
    const { body } = await all.app.inject({ url: '/metrics' });
    expect(body).toContain('cost_usd_total{model="minimax/hailuo-02",simulated="true"} 75');
    expect(read).toEqual([]);
    const { find, progress, events } = all.jobs.calls;
    expect({ find, progress, events }).toEqual({
      find: calls.find,
      progress: calls.progress,
      events: calls.events,
    });
  });

  it('every page of every filter has what it should, in order and once', async () => {
    const all = await harness();
    await store(all, 300);
    const expected: [Record<string, string>, (index: number) => boolean][] = [
      [{}, () => true],
      [{ status: 'failed' }, (index) => index % 3 === 1],
      [{ model: MODELS[1] ?? '' }, (index) => index % 2 === 1],
      [{ label: 'customer 3' }, (index) => index % 10 === 3],
      [{ label: 'customer' }, () => false],
      [{ q: 'HERON marsh' }, (index) => index === 7],
      [{ q: 'job-02 hailuo' }, (index) => index >= 200 && index % 2 === 1],
      [{ q: 'winter job', status: 'canceled' }, (index) => index % 3 === 2],
    ];
    for (const [query, isMeant] of expected) {
      const found: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Page = await list(all, {
          limit: '17',
          ...query,
          ...(cursor === '' ? {} : { cursor }),
        });
        found.push(...ids(page));
        cursor = page.next_cursor;
      }
      const meant = Array.from({ length: 300 }, (_, index) => index).filter(isMeant);
      const wanted = meant.reverse().map((index) => `job-${String(index).padStart(4, '0')}`);
      expect([query, found]).toEqual([query, wanted]);
    }
  });

  it('all of an older release, which wrote no index, are listed, and each is read once and never again', async () => {
    const all = await harness();
    await store(all, 300);
    await rm(path.join(all.data_dir, 'index'), { recursive: true });
    read.length = 0;
    const everyone = async (): Promise<string[]> => [
      ...ids(await list(all)),
      ...ids(await list(all, { status: 'succeeded' })),
    ];
    await everyone();
    await eventually('all jobs to be in the index', async () => {
      const found = await list(all, { q: 'job-0000' });
      const last = await list(all, { q: 'job-0299' });
      return { done: found.jobs.length + last.jobs.length === 2, value: null };
    });
    expect(jobFiles().filter((file) => file.endsWith('job.json'))).toHaveLength(300);
    read.length = 0;
    const { body } = await all.app.inject({ url: '/metrics' });
    expect(body).toContain('cost_usd_total{model="minimax/hailuo-02",simulated="true"} 75');
    expect(jobFiles()).toEqual([]);
  });
});

describe('the list of jobs', () => {
  it.each([
    ['model', ''],
    ['label', ''],
    ['label', 'x'.repeat(51)],
    ['q', ''],
    ['q', 'x'.repeat(201)],
  ])('refuses a %s of %j, and names it', async (name, value) => {
    const { app } = await harness();
    const answer = await app.inject({
      url: `/v1/jobs?${new URLSearchParams({ [name]: value }).toString()}`,
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ errors: { path: string }[] }>().errors[0]?.path).toBe(name);
  });

  it('binds its cursor to every filter', async () => {
    const all = await harness();
    await store(all, 10);
    const { next_cursor } = await list(all, { label: 'winter', limit: '2' });
    for (const query of ['', 'label=summer&', 'label=winter&q=job&', 'status=failed&']) {
      const url = `/v1/jobs?${query}cursor=${next_cursor ?? ''}`;
      expect((await all.app.inject({ url })).statusCode).toBe(400);
    }
  });

  it('finds running jobs by the same filters, and has their labels', async () => {
    const all = await harness();
    const plan = planWith(2, { job_id: 'mine', labels: ['spring', 'ad'] });
    await all.app.inject({ method: 'POST', url: '/v1/jobs', payload: plan });
    all.jobs.add('other');
    for (const query of [{ label: 'ad' }, { q: 'LIGHTHOUSE spring' }, { q: 'mine' }]) {
      const { jobs, next_cursor } = await list(all, query);
      expect([query, jobs.map(({ job_id }) => job_id), next_cursor]).toEqual([
        query,
        ['mine'],
        null,
      ]);
      expect(jobs[0]?.labels).toEqual(['spring', 'ad']);
    }
    expect(ids(await list(all, { label: 'summer' }))).toEqual([]);
  });

  it('has a job that was terminated, as failed, with what it had done', async () => {
    const all = await harness();
    await store(all, 3);
    all.jobs.add('ended');
    all.jobs.tell('ended', { type: 'job.paused' });
    all.jobs.closeRun('ended', 'terminated');
    const { jobs } = await list(all);
    expect(jobs[0]).toMatchObject({
      job_id: 'ended',
      status: 'failed',
      total_clips: 2,
      error: { kind: 'internal', message: 'the workflow was terminated' },
    });
    expect(ids(await list(all, { status: 'failed' }))).toContain('ended');
  });

  it('has a stored job as it is stored, not a second time as the run that Temporal remembers', async () => {
    const all = await harness();
    all.jobs.add('a');
    all.jobs.tell('a', { type: 'job.completed', error: null, total_cost_usd: 2 });
    await all.archive.save(all.jobs.latest('a').job, all.jobs.log('a'));
    all.jobs.closeRun('a', 'completed');
    expect((await list(all)).jobs).toMatchObject([{ job_id: 'a', status: 'succeeded' }]);
  });

  it('has a job that no worker has taken yet', async () => {
    const all = await harness();
    all.jobs.told = false;
    all.jobs.add('a');
    expect((await list(all)).jobs).toMatchObject([{ job_id: 'a', status: 'queued' }]);
  });

  it('has no job whose folder was deleted, on no process', async () => {
    const all = await harness();
    await store(all, 3);
    await rm(path.join(all.data_dir, 'jobs', 'job-0001'), { recursive: true });
    await list(all);
    await eventually('the job to be gone', async () => {
      const found = ids(await list(all));
      return { done: found.join() === 'job-0002,job-0000', value: found };
    });
    const other = await harness({}, { store: createDirectoryStore(all.data_dir) });
    expect(ids(await list(other))).toEqual(['job-0002', 'job-0000']);
  });
});
