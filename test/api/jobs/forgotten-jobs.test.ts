/** Jobs that Temporal has forgotten, and only DATA_DIR remembers. */
import { readFile, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { jobPath } from '../../support/stored-files.js';
import { summaryOf } from '../../../src/domain/job/job-summary.js';
import type { Job, JobStatus } from '../../../src/domain/job/job.schema.js';
import { record } from '../../../src/domain/job/progress.js';
import { harness } from '../harness.js';
import type { Harness } from '../harness.js';
import { planWith } from '../../support/plans.js';

const post = (url: string, payload?: unknown) => ({
  method: 'POST' as const,
  url,
  ...(payload === undefined ? {} : { payload: payload as object }),
});

/** Ends the job, stores it, and lets Temporal forget it. */
async function forget(all: Harness, jobId: string, completed_at?: string): Promise<Job> {
  const { job: before, events } = all.jobs.latest(jobId);
  const fact = { type: 'job.failed', error: null, total_cost_usd: 0 } as const;
  const { job: ended, event } = record(before, fact, new Date().toISOString());
  const clips = ended.clips.map((clip) => ({ ...clip, status: 'failed' as const }));
  const job = { ...ended, clips, ...(completed_at === undefined ? {} : { completed_at }) };
  await all.archive.save(job, [...events, event]);
  all.jobs.runs.delete(jobId);
  return job;
}

const year = (value: number): string => `${String(value)}-01-01T00:00:00.000Z`;

describe('a plan', () => {
  it('is stored as it was given when its job starts', async () => {
    const { app, archive, data_dir } = await harness();
    const plan = planWith(2, { job_id: 'a', max_cost_usd: 5 });
    await app.inject(post('/v1/jobs', plan));
    expect(await archive.plan('a')).toEqual(plan);
    expect(JSON.parse(await readFile(jobPath(data_dir, 'a', 'plan.json'), 'utf8'))).toEqual(plan);
  });

  it('is not stored when the job exists with another, or the plan is refused', async () => {
    const { app, archive } = await harness();
    const plan = planWith(2, { job_id: 'a' });
    await app.inject(post('/v1/jobs', plan));
    expect((await app.inject(post('/v1/jobs', planWith(3, { job_id: 'a' })))).statusCode).toBe(409);
    expect(await archive.plan('a')).toEqual(plan);
    await app.inject(post('/v1/jobs', planWith(0, { job_id: 'b' })));
    expect(await archive.plan('b')).toBeNull();
  });

  it('tells a forgotten job apart in everything, not only in what its result repeats', async () => {
    const all = await harness();
    const plan = planWith(2, { job_id: 'a', max_cost_usd: 5 });
    await all.app.inject(post('/v1/jobs', plan));
    await forget(all, 'a');
    expect((await all.app.inject(post('/v1/jobs', plan))).statusCode).toBe(200);
    const other = await all.app.inject(post('/v1/jobs', { ...plan, max_cost_usd: 6 }));
    expect(other.statusCode).toBe(409);
    expect(all.jobs.runs.size).toBe(0);
  });
});

describe('a retry of a forgotten job', () => {
  it('runs its stored plan again under its id, and numbers on', async () => {
    const all = await harness();
    const plan = planWith(2, { job_id: 'a' });
    await all.app.inject(post('/v1/jobs', plan));
    all.jobs.warn('a', 3);
    const before = await forget(all, 'a');
    const answer = await all.app.inject(post('/v1/jobs/a/retry'));
    expect(answer.statusCode).toBe(202);
    expect(answer.json<Job>()).toMatchObject({ job_id: 'a', status: 'running', seq: 4 });
    expect(all.jobs.latest('a').request).toMatchObject({ plan, previous: before });
  });

  it('is refused when its plan is no longer stored', async () => {
    const all = await harness();
    all.jobs.add('a');
    await forget(all, 'a');
    const answer = await all.app.inject(post('/v1/jobs/a/retry'));
    expect([answer.statusCode, answer.json<{ detail: string }>().detail]).toEqual([
      409,
      'the plan of "a" is no longer stored; start it as a new job',
    ]);
  });
});

describe('the list', () => {
  const ids = async ({ app }: Harness, query: string) => {
    const found: string[][] = [];
    for (let cursor: string | null = ''; cursor !== null && found.length < 50;) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const answer = await app.inject({ url: `/v1/jobs?${query}${more}` });
      expect(answer.statusCode).toBe(200);
      const page = answer.json<{ jobs: Job[]; next_cursor: string | null }>();
      found.push(page.jobs.map(({ job_id }) => job_id));
      cursor = page.next_cursor;
    }
    return found;
  };

  /** Three that still run, one of them stored as well, and four that Temporal has forgotten. */
  async function setup(): Promise<Harness> {
    const all = await harness();
    for (const [index, name] of ['f1', 'f2', 'f3', 'f4'].entries()) {
      all.jobs.add(name);
      await forget(all, name, year(2020 - index));
    }
    for (const name of ['k3', 'k2', 'k1']) all.jobs.add(name);
    const { job } = all.jobs.latest('k2');
    await all.archive.save({ ...job, status: 'failed' }, []);
    return all;
  }

  it.each([
    [2, [['k1', 'k2'], ['k3', 'f1'], ['f2', 'f3'], ['f4']]],
    [3, [['k1', 'k2', 'k3'], ['f1', 'f2', 'f3'], ['f4']]],
    [7, [['k1', 'k2', 'k3', 'f1', 'f2', 'f3', 'f4']]],
    [100, [['k1', 'k2', 'k3', 'f1', 'f2', 'f3', 'f4']]],
  ])(
    'comes in pages of %d: those that run, then those that ended, newest first',
    async (limit, pages) => {
      expect(await ids(await setup(), `limit=${String(limit)}`)).toEqual(pages);
    },
  );

  it('ends with the last running job when none has ended', async () => {
    const all = await harness();
    for (const name of ['k2', 'k1']) all.jobs.add(name);
    expect(await ids(all, 'limit=2')).toEqual([['k1', 'k2']]);
  });

  it('skips and repeats nothing when jobs come and go between two pages', async () => {
    const all = await setup();
    const first = (await all.app.inject({ url: '/v1/jobs?limit=5' })).json<{
      jobs: Job[];
      next_cursor: string;
    }>();
    expect(first.jobs.at(-1)?.job_id).toBe('f2');
    await rm(jobPath(all.data_dir, 'f2', 'job.json'));
    all.jobs.add('f0');
    await forget(all, 'f0', year(2025));
    const query = `limit=5&cursor=${first.next_cursor}`;
    const second = (await all.app.inject({ url: `/v1/jobs?${query}` })).json<{ jobs: Job[] }>();
    expect(second.jobs.map(({ job_id }) => job_id)).toEqual(['f3', 'f4']);
  });

  it('has a job that runs again once, on any page', async () => {
    const all = await setup();
    for (const name of ['f1', 'f4']) all.jobs.add(name);
    expect((await ids(all, 'limit=2')).flat().sort()).toEqual([
      'f1',
      'f2',
      'f3',
      'f4',
      'k1',
      'k2',
      'k3',
    ]);
    expect((await ids(all, 'limit=2&status=failed')).flat()).toEqual(['f2', 'f3']);
  });

  it('filters the forgotten, too, and binds its cursor to the filter', async () => {
    const all = await setup();
    const of = async (status: JobStatus) => (await ids(all, `status=${status}&limit=3`)).flat();
    expect(await of('failed')).toEqual(['f1', 'f2', 'f3', 'f4']);
    expect(await of('succeeded')).toEqual([]);
    const page = await all.app.inject({ url: '/v1/jobs?status=failed&limit=3' });
    const { next_cursor } = page.json<{ next_cursor: string }>();
    for (const status of ['status=succeeded&', '']) {
      const url = `/v1/jobs?${status}cursor=${next_cursor}`;
      expect((await all.app.inject({ url })).statusCode).toBe(400);
    }
  });

  it('shows of a job what the job says, without its clips and warnings', async () => {
    const all = await setup();
    const { jobs } = (await all.app.inject({ url: '/v1/jobs?status=failed' })).json<{
      jobs: Job[];
    }>();
    expect(jobs[0]).toEqual(summaryOf((await all.archive.job('f1')) as Job));
  });
});
