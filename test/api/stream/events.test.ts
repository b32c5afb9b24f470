import { describe, expect, it } from 'vitest';
import type { Job } from '../../../src/domain/job/job.schema.js';
import { harness, ids, read } from '../harness.js';

const done = { type: 'job.completed', error: null, total_cost_usd: 0 } as const;
const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('GET /v1/jobs/:job_id/events', () => {
  it('opens with a snapshot that has no id, then sends what follows its seq', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 3);
    const reader = await read(`${url}/v1/jobs/a/events`);
    await reader.until((frames) => frames.length === 1);
    const [snapshot] = reader.frames;
    expect(snapshot).toMatchObject({ event: 'snapshot', id: null });
    expect((JSON.parse(snapshot?.data ?? '') as Job).seq).toBe(3);
    jobs.warn('a', 2);
    await reader.until((frames) => ids(frames).length === 2);
    expect(ids(reader.frames)).toEqual([4, 5]);
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
  });

  it('sends exactly the events after a position, and ends after the last of a finished job', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 120);
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    const reader = await read(`${url}/v1/jobs/a/events?after=0`);
    expect(await reader.ended).toBe(true);
    expect(ids(reader.frames)).toEqual(upTo(121));
    expect(reader.frames.every(({ event }) => event !== 'snapshot')).toBe(true);
    const events = jobs.log('a');
    expect(reader.frames.map(({ data }) => JSON.parse(data) as unknown)).toEqual(events);
  });

  it('ends with what there is now for ?follow=false, also while the job runs and no worker answers', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 600);
    const all = async (query: string) => {
      const reader = await read(`${url}/v1/jobs/a/events?follow=false${query}`);
      expect(await reader.ended).toBe(true);
      return reader.frames;
    };
    expect((await all('')).map(({ event }) => event)).toEqual(['snapshot']);
    expect(ids(await all('&after=0'))).toEqual(upTo(600));
    expect(ids(await all('&after=598'))).toEqual([599, 600]);
    expect(await all('&after=600')).toEqual([]);
    [jobs.temporal, jobs.worker] = [false, false];
    jobs.breakOff();
    expect(await all('&after=600')).toEqual([]);
  });

  it('prefers Last-Event-ID to ?after=', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 9);
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    const reader = await read(`${url}/v1/jobs/a/events?after=0`, {
      headers: { 'last-event-id': '8' },
    });
    await reader.ended;
    expect(ids(reader.frames)).toEqual([9, 10]);
  });

  it('answers 204 at the last event of a finished job', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 2);
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    const answer = await app.inject({ url: '/v1/jobs/a/events?after=3' });
    expect(answer.statusCode).toBe(204);
  });

  it('answers a position beyond the log with a snapshot', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 2);
    const reader = await read(`${url}/v1/jobs/a/events?after=99`);
    await reader.until((frames) => frames[0]?.event === 'snapshot');
    jobs.warn('a');
    await reader.until((frames) => ids(frames).length === 1);
    expect(ids(reader.frames)).toEqual([3]);
  });

  it.each(['-1', '1.5', 'x', '', '1e3', '99999999999999999'])(
    'refuses position "%s"',
    async (p) => {
      const { app, jobs } = await harness();
      jobs.add('a');
      const answer = await app.inject({ url: `/v1/jobs/a/events?after=${p}` });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ errors: [{ path: 'after' }] });
    },
  );

  it('answers 404 for a job that does not exist', async () => {
    const { app } = await harness();
    expect((await app.inject({ url: '/v1/jobs/none/events' })).statusCode).toBe(404);
  });

  it('continues past the end when the job is retried, with the log of every run in one', async () => {
    const { app, url, jobs, archive } = await harness();
    jobs.add('a', 1);
    const clip = jobs.latest('a').job.clips[0];
    if (clip === undefined) throw new Error('expected a clip');
    const failed = { ...clip, status: 'failed' } as const;
    jobs.tell('a', { type: 'clip.failed', clip_index: 0, clip: failed });
    jobs.tell('a', { type: 'job.failed', error: null, total_cost_usd: 0 });
    await archive.save(jobs.latest('a').job, jobs.log('a'));
    jobs.closeRun('a', 'failed');
    const first = await read(`${url}/v1/jobs/a/events?after=0`);
    expect(await first.ended).toBe(true);
    expect(ids(first.frames)).toEqual([1, 2]);

    const again = await app.inject({ method: 'POST', url: '/v1/jobs/a/retry' });
    expect(again.statusCode).toBe(202);
    expect(again.json()).toMatchObject({ status: 'running', seq: 2 });
    const second = await read(`${url}/v1/jobs/a/events?after=0`);
    await second.until((frames) => ids(frames).length === 2);
    jobs.warn('a', 2);
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    expect(await second.ended).toBe(true);
    expect(ids(second.frames)).toEqual([1, 2, 3, 4, 5]);
  });

  it('ends a terminated job with events of its own, the same on every replay', async () => {
    const { url, jobs } = await harness();
    jobs.add('a', 2);
    jobs.warn('a', 1);
    jobs.closeRun('a', 'terminated');
    const one = await read(`${url}/v1/jobs/a/events?after=0`);
    await one.ended;
    const two = await read(`${url}/v1/jobs/a/events?after=0`);
    await two.ended;
    expect(one.frames.map(({ event }) => event)).toEqual([
      'job.warning',
      'clip.canceled',
      'clip.canceled',
      'job.failed',
    ]);
    expect(two.frames).toEqual(one.frames);
  });

  it('outlives Temporal and the workers going away, with nothing skipped and nothing twice', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    const reader = await read(`${url}/v1/jobs/a/events?after=0`);
    jobs.warn('a', 3);
    await reader.until((frames) => ids(frames).length === 3);
    jobs.worker = false;
    jobs.warn('a', 2);
    jobs.worker = true;
    await reader.until((frames) => ids(frames).length === 5);
    jobs.temporal = false;
    jobs.breakOff();
    jobs.warn('a', 2);
    jobs.temporal = true;
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    await reader.ended;
    expect(ids(reader.frames)).toEqual(upTo(8));
  });

  it('opens from the last known state when no worker answers, and says that it is stale', async () => {
    const { url, jobs } = await harness();
    jobs.add('a', 3);
    jobs.worker = false;
    const reader = await read(`${url}/v1/jobs/a/events`);
    await reader.until((frames) => frames.length === 1);
    const job = JSON.parse(reader.frames[0]?.data ?? '') as Job & { stale?: boolean };
    expect(job).toMatchObject({ stale: true, status: 'queued', total_clips: 3 });
    jobs.warn('a', 2);
    jobs.worker = true;
    await reader.until((frames) => ids(frames).length === 2);
    expect(ids(reader.frames)).toEqual([1, 2]);
  });

  it('waits instead of taking a position for wrong while no worker answers', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    jobs.warn('a', 4);
    jobs.worker = false;
    const reader = await read(`${url}/v1/jobs/a/events?after=4`);
    jobs.worker = true;
    jobs.warn('a', 1);
    await reader.until((frames) => ids(frames).length === 1);
    expect(reader.frames.map(({ event, id }) => [event, id])).toEqual([['job.warning', '5']]);
  });

  it('collects exactly the log in a reader that hangs up at random', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    const collected: number[] = [];
    let random = 7;
    const next = (most: number): number => {
      random = (random * 1103515245 + 12345) % 2147483648;
      return 1 + (random % most);
    };
    const reading = (async () => {
      for (;;) {
        const reader = await read(`${url}/v1/jobs/a/events?after=${String(collected.length)}`);
        if (reader.status === 204) return;
        const stopAt = next(9);
        const enough = reader.until((frames) => ids(frames).length >= stopAt).catch(() => null);
        await Promise.race([enough, reader.ended]);
        collected.push(...ids(reader.frames));
        reader.close();
      }
    })();
    for (let told = 0; told < 200;) {
      const some = next(7);
      jobs.warn('a', some);
      told += some;
      await new Promise((resolve) => setImmediate(resolve));
    }
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    await reading;
    expect(collected).toEqual(jobs.log('a').map(({ seq }) => seq));
  });

  it('follows a job once, however many listen', async () => {
    const { url, jobs } = await harness({ watch_every_ms: 60_000 });
    jobs.add('a');
    const readers = await Promise.all(
      Array.from({ length: 50 }, () => read(`${url}/v1/jobs/a/events?after=0`)),
    );
    jobs.warn('a', 1);
    await Promise.all(readers.map((reader) => reader.until((frames) => ids(frames).length === 1)));
    const { events } = jobs.calls;
    jobs.tell('a', done);
    jobs.closeRun('a', 'completed');
    await Promise.all(readers.map(({ ended }) => ended));
    expect(jobs.calls.events - events).toBeLessThan(5);
    for (const reader of readers) expect(ids(reader.frames)).toEqual([1, 2]);
  });

  it('drops a reader that does not read, and it resumes by id', async () => {
    const { url, jobs } = await harness({
      stream_limits: { frames: 200, bytes: 1 << 20, stall_ms: 60_000 },
    });
    jobs.add('a');
    const reader = await read(`${url}/v1/jobs/a/events?after=0`, { paused: true });
    const message = 'x'.repeat(100_000);
    const dropped = async () =>
      (await (await fetch(`${url}/metrics`)).text()).includes('event_streams_dropped_total 1');
    while (!(await dropped())) jobs.tell('a', { type: 'job.warning', message });
    reader.response.resume();
    expect(await reader.ended).toBe(false);
    const last = jobs.latest('a').job.seq;
    const next = await read(`${url}/v1/jobs/a/events?after=${String(last - 2)}`);
    await next.until((frames) => ids(frames).length === 2);
    expect(ids(next.frames)).toEqual([last - 1, last]);
  });

  it('tells the progress inside an attempt without ids', async () => {
    const { url, jobs } = await harness();
    jobs.add('a');
    const heartbeat = {
      attempt: 2,
      failed_attempts: 1,
      phase: 'rendering',
      prediction_id: 'p1',
      status: 'processing',
      percent: 40,
      until: null,
      message: null,
    } as const;
    jobs.run('a', 1);
    jobs.pend('a', [
      {
        activity_id: 'clip-1',
        state: 'started',
        next_attempt_at: null,
        last_started_at: new Date().toISOString(),
        last_error: 'boom',
        heartbeat,
      },
    ]);
    const reader = await read(`${url}/v1/jobs/a/events?after=0`);
    await reader.until((frames) => frames.some(({ event }) => event === 'clip.progress'));
    const frame = reader.frames.find(({ event }) => event === 'clip.progress');
    expect(frame?.id).toBeNull();
    expect(JSON.parse(frame?.data ?? '')).toEqual({
      job_id: 'a',
      clip_index: 1,
      attempt: 2,
      percent: 40,
      phase: 'rendering',
      last_error: 'boom',
      prediction_id: 'p1',
      estimated: false,
    });
  });

  it('sends a byte while nothing happens', async () => {
    const { url, jobs } = await harness({ keep_alive_ms: 20 });
    jobs.add('a');
    const reader = await read(`${url}/v1/jobs/a/events?after=0`, { paused: true });
    let text = '';
    await new Promise<void>((resolve) => {
      reader.response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        if (text.includes(': keep-alive\n\n')) resolve();
      });
    });
    reader.close();
  });

  it('closes at once with open streams, and they end cleanly', async () => {
    const { app, url, jobs } = await harness();
    jobs.add('a');
    const reader = await read(`${url}/v1/jobs/a/events`);
    await reader.until((frames) => frames.length === 1);
    await app.close();
    expect(await reader.ended).toBe(true);
  });

  it('replays a finished job from what is stored when Temporal is away', async () => {
    const { url, jobs, archive } = await harness();
    jobs.add('a');
    jobs.warn('a', 3);
    jobs.tell('a', done);
    await archive.save(jobs.latest('a').job, jobs.log('a'));
    jobs.runs.clear();
    const reader = await read(`${url}/v1/jobs/a/events?after=1`);
    await reader.ended;
    expect(ids(reader.frames)).toEqual([2, 3, 4]);
  });
});
