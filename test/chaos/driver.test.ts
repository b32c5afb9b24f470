/** The users of a chaos run repeat a request until it is answered, and keep the answers. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Driver } from '../../chaos/driver.js';
import type { Action, Timed } from '../../chaos/schedule.js';

/** An API that answers as it is told to, and 202 when it is told nothing; a null breaks the connection. */
async function answering(status: Record<string, (number | null)[]>): Promise<string> {
  const server = createServer((request, response) => {
    const next = status[request.url ?? '']?.shift();
    if (next === null) request.socket.destroy();
    else response.writeHead(next ?? 202).end(JSON.stringify({ run_id: 'r1' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

const jobWith = (...actions: Timed<Action>[]) => ({
  at: 0,
  job_id: 'j',
  plan: { clip_prompts: [] },
  faults: [],
  actions,
});

it('every action has its answer, how often it was sent, and the run that answered', async () => {
  const url = await answering({
    '/v1/jobs/j/pause': [null, 503, 202],
    '/v1/jobs/j/clips/3/cancel': [409],
  });
  const answers = await new Driver(url, new AbortController().signal).play(
    jobWith(
      { at: 0, kind: 'pause', seconds: 0.01 },
      { at: 0, kind: 'cancel_clip', clip_index: 3 },
      { at: 0, kind: 'raise_cap', max_cost_usd: 2 },
    ),
  );
  expect(answers).toMatchObject([
    { request: { kind: 'pause' }, sent: 3, status: 202, run_id: 'r1' },
    { request: { kind: 'resume' }, sent: 1, status: 202, run_id: 'r1' },
    { request: { kind: 'cancel_clip', clip_index: 3 }, sent: 1, status: 409 },
    { request: { kind: 'raise_cap', max_cost_usd: 2 }, sent: 1, status: 202 },
  ]);
  for (const { asked_at, answered_at } of answers) expect(answered_at >= asked_at).toBe(true);
});

it('a refused connection does not count as sent, because the request cannot have been carried out', async () => {
  const fails = (code: string) => new TypeError('fetch failed', { cause: { code } });
  const fetching = vi
    .spyOn(globalThis, 'fetch')
    .mockRejectedValueOnce(fails('ECONNREFUSED'))
    .mockRejectedValueOnce(fails('ECONNRESET'))
    .mockResolvedValueOnce(new Response('{}', { status: 202 }));
  onTestFinished(() => {
    fetching.mockRestore();
  });
  const driver = new Driver('http://127.0.0.1:1', new AbortController().signal);
  expect(await driver.ask('POST', '/v1/jobs/j/retry')).toEqual({ status: 202, body: {}, sent: 2 });
});
