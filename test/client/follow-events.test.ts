import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/client/api-error.js';
import { openEvents } from '../../src/client/create-client.js';
import { followEvents } from '../../src/client/follow-events.js';
import type { FollowItem, FollowOptions } from '../../src/client/follow-events.js';
import { createTransport } from '../../src/client/transport.js';
import { json, scripted, status, stream } from '../support/scripted-server.js';
import type { Answer } from '../support/scripted-server.js';
import { clipOf, eventOf, jobOf } from '../terminal/jobs.js';

const durable = (seq: number): string =>
  `event: job.warning\nid: ${String(seq)}\ndata: ${JSON.stringify(eventOf(seq))}\n\n`;
const durables = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => durable(from + index)).join('');
const frameOf = (event: string, data: unknown): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

const soon = { backoff: () => 1, silence: 5_000 };
const staying = (): AbortSignal => new AbortController().signal;

const opening = (baseUrl: string): FollowOptions['open'] => {
  const transport = createTransport({ baseUrl });
  return (position, signal) => openEvents(transport, 'x', position, { signal });
};

async function collect(url: string, more: Partial<FollowOptions> = {}) {
  const items: FollowItem[] = [];
  const open = opening(url);
  for await (const item of followEvents({ open, after: 0, signal: staying(), ...soon, ...more })) {
    items.push(item);
  }
  const seqs = items.flatMap((item) => (item.kind === 'event' ? [item.event.seq] : []));
  return { items, seqs, kinds: items.map(({ kind }) => kind) };
}

describe('following the events of a job', () => {
  it('begins at the beginning and ends when the server says that the job is over', async () => {
    await using server = await scripted([stream(durables(1, 3), 'end'), status(204)]);
    const { seqs } = await collect(server.url);
    expect(seqs).toEqual([1, 2, 3]);
    expect(server.requests[0]?.url).toBe('/v1/jobs/x/events?after=0');
    expect(server.requests[1]?.headers['last-event-id']).toBe('3');
  });

  it('resumes after a broken connection where it was, with nothing twice and nothing missing', async () => {
    await using server = await scripted([
      stream(durables(1, 4), 'break'),
      status(503),
      stream(durables(3, 6), 'break'),
      stream(durables(7, 9), 'end'),
      status(204),
    ]);
    const { seqs, kinds } = await collect(server.url);
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(kinds).toContain('lost');
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      '4',
      '4',
      '6',
      '9',
    ]);
  });

  it('does not take a frame that was cut off for an event', async () => {
    await using server = await scripted([
      stream(durables(1, 2) + durable(3).slice(0, -2), 'break'),
      stream(durable(3), 'end'),
      status(204),
    ]);
    const { seqs } = await collect(server.url);
    expect(seqs).toEqual([1, 2, 3]);
    expect(server.requests[1]?.headers['last-event-id']).toBe('2');
  });

  it('asks again from the last good event when one is missing', async () => {
    await using server = await scripted([
      stream(durables(1, 2) + durable(4), 'stay'),
      stream(durables(3, 4), 'end'),
      status(204),
    ]);
    expect((await collect(server.url)).seqs).toEqual([1, 2, 3, 4]);
  });

  it('outlives a server that is away, and comes back on the same port', async () => {
    const first = await scripted([stream(durables(1, 2), 'stay')]);
    const { port } = new URL(first.url);
    let second: Awaited<ReturnType<typeof scripted>> | null = null;
    const seqs: number[] = [];
    let failures = 0;
    for await (const item of followEvents({
      open: opening(first.url),
      after: 0,
      signal: staying(),
      ...soon,
    })) {
      if (item.kind === 'event') seqs.push(item.event.seq);
      if (item.kind === 'event' && item.event.seq === 2) await first[Symbol.asyncDispose]();
      if (item.kind === 'lost') failures += 1;
      if (failures === 3) {
        second ??= await scripted([stream(durable(3), 'end'), status(204)], Number(port));
      }
    }
    await second?.[Symbol.asyncDispose]();
    expect(seqs).toEqual([1, 2, 3]);
  });

  it('takes silence for a lost connection', async () => {
    const answer: Answer = (request, response) => {
      if (server.requests.length === 1) return; // accepted, and never answered
      if (request.headers['last-event-id'] === '2') status(204)(request, response);
      else stream(durables(1, 2), 'end')(request, response);
    };
    await using server = await scripted([answer]);
    const { items, seqs } = await collect(server.url, { silence: 500 });
    expect(seqs).toEqual([1, 2]);
    expect(items).toContainEqual({ kind: 'lost', reason: 'the server went silent' });
  });

  it('gives up at once on a job that does not exist, with what the server said', async () => {
    await using server = await scripted([json(404, { detail: 'there is no job "x"' })]);
    const error = await collect(server.url).catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 404, message: 'there is no job "x"' });
    expect(server.requests).toHaveLength(1);
  });

  it('backs off longer with every failure in a row, and only a frame makes it begin again', async () => {
    const asked: number[] = [];
    await using server = await scripted([
      status(500),
      stream(': nothing yet\n\n', 'break'),
      status(500),
      stream(durable(1), 'break'),
      status(500),
      status(204),
    ]);
    await collect(server.url, { backoff: (failures) => asked.push(failures) && 1 });
    expect(asked).toEqual([1, 2, 3, 1, 1]);
  });

  it('passes on snapshots and what clips do now, without counting them', async () => {
    const progress = {
      job_id: 'x',
      clip_index: 0,
      attempt: 1,
      percent: 40,
      phase: 'rendering',
      estimated: true,
    };
    const job = jobOf([clipOf(0)], { seq: 7 });
    await using server = await scripted([
      stream(frameOf('snapshot', job) + frameOf('clip.progress', progress) + durable(8), 'end'),
      status(204),
    ]);
    const { items, seqs } = await collect(server.url, { after: 99 });
    expect(seqs).toEqual([8]);
    expect(items).toContainEqual({ kind: 'snapshot', job });
    expect(items).toContainEqual({ kind: 'progress', progress });
  });

  it('ends quietly when it is no longer wanted', async () => {
    const stop = new AbortController();
    await using server = await scripted([stream(durable(1), 'stay')]);
    const seqs: number[] = [];
    const open = opening(server.url);
    for await (const item of followEvents({ open, after: 0, signal: stop.signal })) {
      if (item.kind !== 'event') continue;
      seqs.push(item.event.seq);
      stop.abort();
    }
    expect(seqs).toEqual([1]);
  });
});
