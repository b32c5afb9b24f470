/** What watching costs: Temporal, memory, and nothing for jobs without readers. And jobs that are many runs. */
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { jobPath } from '../../support/stored-files.js';
import type { PendingActivity } from '../../../src/api/jobs/jobs-port.js';
import type { Clip, Job } from '../../../src/domain/job/job.schema.js';
import { FakeJobs } from '../fake-jobs.js';
import { harness, ids, read } from '../harness.js';
import type { Harness } from '../harness.js';
import { loneHub } from '../lone-hub.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const done = { type: 'job.completed', error: null, total_cost_usd: 0 } as const;
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

/** As a run does: what it has told is stored before another one takes over. */
async function continueRun({ jobs, data_dir }: Harness, jobId: string): Promise<void> {
  const file = jobPath(data_dir, jobId, 'events.jsonl');
  await mkdir(path.dirname(file), { recursive: true });
  const lines = jobs.latest(jobId).events.map((event) => `${JSON.stringify(event)}\n`);
  await appendFile(file, lines.join(''));
  jobs.continueRun(jobId);
}

const clipOf = (jobs: FakeJobs, place: number): Clip => {
  const clip = jobs.latest('a').job.clips[place];
  if (clip === undefined) throw new Error(`no clip ${String(place)}`);
  return clip;
};

describe('a job of several runs', () => {
  it('is followed from run to run, with every event once and no end between', async () => {
    const all = await harness();
    const { url, jobs } = all;
    jobs.add('a');
    const readers = [
      await read(`${url}/v1/jobs/a/events`),
      await read(`${url}/v1/jobs/a/events?after=0`),
    ];
    for (let run = 0; run < 4; run += 1) {
      jobs.warn('a', 70);
      await continueRun(all, 'a');
      jobs.warn('a', 1);
    }
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    for (const reader of readers) {
      expect(await reader.ended).toBe(true);
      expect(ids(reader.frames).at(-1)).toBe(285);
      expect(
        reader.frames.filter(({ event }) => event.startsWith('job.') && event !== 'job.warning'),
      ).toHaveLength(1);
    }
    expect(ids(readers[1]?.frames ?? [])).toEqual(upTo(285));
    const [opening, ...rest] = readers[0]?.frames ?? [];
    expect(opening?.event).toBe('snapshot');
    expect(ids(rest)).toEqual(upTo(285).slice(-rest.length));
  });

  it('is read from its first event by a reader who comes late, also when it was terminated', async () => {
    const all = await harness();
    const { url, jobs } = all;
    jobs.add('a', 2);
    jobs.warn('a', 400);
    await continueRun(all, 'a');
    jobs.warn('a', 60);
    const late = await read(`${url}/v1/jobs/a/events?after=0`);
    await late.until((frames) => ids(frames).length === 460);
    jobs.closeRun('a', 'terminated');
    expect(await late.ended).toBe(true);
    expect(ids(late.frames)).toEqual(upTo(463));
    const again = await read(`${url}/v1/jobs/a/events?after=399`);
    expect(await again.ended).toBe(true);
    expect(again.frames).toEqual(late.frames.slice(399));
  });

  it('takes signals, and a retry continues from all of it', async () => {
    const all = await harness();
    const { app, jobs, archive } = all;
    jobs.add('a', 2);
    jobs.warn('a', 30);
    await continueRun(all, 'a');
    jobs.warn('a', 10);
    expect((await app.inject({ method: 'POST', url: '/v1/jobs/a/pause' })).statusCode).toBe(202);
    jobs.closeRun('a', 'terminated');
    const answer = await app.inject({ method: 'POST', url: '/v1/jobs/a/retry' });
    expect(answer.statusCode).toBe(202);
    expect(jobs.latest('a').request.previous).toMatchObject({ seq: 43, status: 'failed' });
    expect((await archive.events('a')).map(({ seq }) => seq)).toEqual(upTo(43));
  });

  it('is known by what its newest run took over while no worker answers', async () => {
    const all = await harness();
    const { app, jobs } = all;
    jobs.add('a', 2);
    jobs.run('a', 0);
    await continueRun(all, 'a');
    jobs.worker = false;
    const { run } = jobs.latest('a');
    const job = (await app.inject('/v1/jobs/a')).json<Job & { source: string }>();
    expect(job).toMatchObject({ seq: 1, run_id: run.run_id, source: 'history', stale: true });
    expect(job.clips[0]?.status).toBe('running');
  });
});

describe('a job too large for one answer', () => {
  async function large(): Promise<Harness> {
    const all = await harness();
    all.jobs.add('a', 7);
    all.jobs.warn('a', 3);
    all.jobs.clipsAPage = 2;
    return all;
  }
  const asked = async ({ app }: Harness) => (await app.inject('/v1/jobs/a')).json<Job>();

  it('is answered whole, and so is the snapshot of its stream', async () => {
    const all = await large();
    const { job } = all.jobs.latest('a');
    expect(await asked(all)).toEqual(job);
    const reader = await read(`${all.url}/v1/jobs/a/events`);
    await reader.until((frames) => frames.length > 0);
    expect(JSON.parse(reader.frames[0]?.data ?? '')).toEqual(job);
  });

  it('is of one state, with any events between its pages', async () => {
    const all = await large();
    const { jobs } = all;
    const states = new Map<number, Job>();
    let page = 0;
    jobs.afterPage = () => {
      for (const place of [page % 7, 6 - (page % 7)]) {
        const clip = clipOf(jobs, place);
        const told: Clip = {
          ...clip,
          status: page % 2 === 0 ? 'running' : 'storing',
          attempt: page,
        };
        jobs.tell('a', { type: 'clip.submitted', clip_index: clip.clip_index, clip: told });
        states.set(jobs.latest('a').job.seq, jobs.latest('a').job);
      }
      jobs.tell('a', { type: 'job.warning', message: 'slow', clip_index: 5, waits_for: 'rate' });
      states.set(jobs.latest('a').job.seq, jobs.latest('a').job);
      page += 1;
    };
    const job = await asked(all);
    expect(page).toBe(4);
    expect(job).toEqual(states.get(job.seq));
  });

  it('is whole from its result too, and without a worker has at least the texts of its plan', async () => {
    const all = await large();
    const { jobs } = all;
    jobs.tell('a', done);
    const { job, run } = jobs.latest('a');
    jobs.closeRun('a', 'completed', { job: await jobs.progress('a', run.run_id), error: null });
    expect(await asked(all)).toEqual(job);
    jobs.worker = false;
    const known = await asked(all);
    expect(known).toMatchObject({ status: 'succeeded', stale: true });
    expect(known).not.toHaveProperty('truncated');
    expect(known.clips.map(({ prompt }) => prompt)).toEqual(job.clips.map(({ prompt }) => prompt));
  });

  it('goes into a retry whole', async () => {
    const all = await large();
    const { app, jobs } = all;
    const [line] = [
      { id: 'p1', attempt: 1, status: 'failed', cost_usd: 1, billed: true },
    ] as unknown as Clip['predictions'];
    const failed: Clip = { ...clipOf(jobs, 6), status: 'failed', predictions: line ? [line] : [] };
    jobs.tell('a', { type: 'clip.failed', clip_index: 6, clip: failed });
    jobs.closeRun('a', 'terminated');
    expect((await app.inject({ method: 'POST', url: '/v1/jobs/a/retry' })).statusCode).toBe(202);
    const { previous } = jobs.latest('a').request;
    expect(previous?.clips.map(({ prompt }) => prompt)).toEqual(
      jobs.latest('a').job.clips.map(({ prompt }) => prompt),
    );
    expect(previous?.clips[6]?.predictions).toEqual([line]);
    expect(previous).not.toHaveProperty('truncated');
  });
});

describe('watching', () => {
  const rendering = (clipIndex: number): PendingActivity => ({
    activity_id: `clip-${String(clipIndex)}`,
    state: 'started',
    next_attempt_at: null,
    last_started_at: new Date().toISOString(),
    last_error: null,
    heartbeat: null,
  });

  it('asks Temporal once for all who watch, and looks at clips only while some are under way', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    const readers = await Promise.all(
      Array.from({ length: 20 }, () => read(`${url}/v1/jobs/a/events`)),
    );
    await Promise.all(readers.map((reader) => reader.until((frames) => frames.length > 0)));
    const before = jobs.calls.find;
    jobs.warn('a', 1);
    await Promise.all(readers.map((reader) => reader.until((frames) => ids(frames).length === 1)));
    expect(jobs.calls.find).toBe(before);
    expect(jobs.polls.most).toBe(1);
    jobs.pend('a', [rendering(0)]);
    jobs.run('a', 0);
    await Promise.all(
      readers.map((reader) =>
        reader.until((frames) => frames.some(({ event }) => event === 'clip.progress')),
      ),
    );
    expect(jobs.calls.find).toBeGreaterThan(before);
    expect(jobs.polls.most).toBe(1);
  });

  it('keeps nothing of a job without readers', async () => {
    const jobs = new FakeJobs();
    jobs.add('a');
    jobs.warn('a', 50);
    const hub = loneHub(jobs);
    const watched = await (async () => {
      const { watcher, release } = await hub.listen('a', {
        onChange: () => undefined,
        onVolatile: () => undefined,
      });
      await watcher.ready;
      await watcher.past(0, 1_000);
      release();
      return new WeakRef(watcher);
    })();
    await vi.waitFor(() => {
      jobs.breakOff(); // the fake remembers who waited
      collect();
      expect([hub.watchedJobs, hub.pastBytes]).toEqual([0, 0]);
      expect(watched.deref() === undefined).toBe(true);
    });
  });

  it('reads a long log from its beginning in pages, for any number of readers', async () => {
    const all = await harness();
    const { url, jobs } = all;
    jobs.add('a');
    const message = 'x'.repeat(500);
    for (let run = 0; run < 4; run += 1) {
      for (let told = 0; told < 5_000; told += 1) jobs.tell('a', { type: 'job.warning', message });
      if (run < 3) await continueRun(all, 'a');
    }
    const readers = await Promise.all(
      [0, 0, 7_777].map(async (after) => ({
        after,
        reader: await read(`${url}/v1/jobs/a/events?after=${String(after)}&follow=false`),
      })),
    );
    for (const { after, reader } of readers) {
      expect(await reader.ended).toBe(true);
      expect(ids(reader.frames)).toEqual(upTo(20_000).slice(after));
    }
  });
});
