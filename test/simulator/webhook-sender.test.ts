import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { validateWebhook } from 'replicate';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WEBHOOK_SECRET } from '../../src/simulator/index.js';
import { KLING, hasEnded, startPeer, type Peer } from './support.js';

interface Call {
  headers: IncomingHttpHeaders;
  body: string;
  status: string;
}

/** Receives webhooks, and lets a test wait for the nth. The first answers may be given. */
async function receiver(answers: number[] = []): Promise<{
  url: string;
  calls: Call[];
  nth: (count: number) => Promise<Call[]>;
}> {
  const calls: Call[] = [];
  const waiting: { count: number; go: (calls: Call[]) => void }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      response.statusCode = answers[calls.length] ?? 200;
      const { status } = JSON.parse(body) as { status: string };
      calls.push({ headers: request.headers, body, status });
      response.end();
      for (const { count, go } of waiting) if (calls.length >= count) go(calls);
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook?key=7`,
    calls,
    nth: (count) =>
      calls.length >= count
        ? Promise.resolve(calls)
        : new Promise((go) => waiting.push({ count, go })),
  };
}

async function create(
  peer: Peer,
  webhook: string,
  prompt = 'x',
  events?: string[],
): Promise<string> {
  const { body } = await peer.ask('POST', `/v1/models/${KLING}/predictions`, {
    input: { prompt },
    webhook,
    ...(events === undefined ? {} : { webhook_events_filter: events }),
  });
  return String(body['id']);
}

describe('webhooks', () => {
  it('are signed so that the client can verify them, and echo their address', async () => {
    const peer = await startPeer();
    const target = await receiver();
    const id = await create(peer, target.url, 'x', ['completed']);
    const [call] = await target.nth(1);
    expect(call?.status).toBe('succeeded');
    expect((await peer.get(id)).webhook).toBe(target.url);
    const { headers, body = '' } = call ?? {};
    const valid = await validateWebhook({
      id: String(headers?.['webhook-id']),
      timestamp: String(headers?.['webhook-timestamp']),
      signature: String(headers?.['webhook-signature']),
      body,
      secret: WEBHOOK_SECRET,
    });
    expect(valid).toBe(true);
  });

  it('come for the events that were asked for, in order', async () => {
    const peer = await startPeer();
    const target = await receiver();
    const id = await create(peer, target.url, '[[hold:while-processing]]', ['start', 'completed']);
    await target.nth(1);
    await peer.ask('POST', '/simulator/release', { prediction_id: id });
    const calls = await target.nth(2);
    expect(calls.map(({ status }) => status)).toEqual(['processing', 'succeeded']);
  });

  it('are tried again with the same id when the last one was refused', async () => {
    const peer = await startPeer();
    const target = await receiver([500, 503]);
    await create(peer, target.url, 'x', ['completed']);
    const calls = await target.nth(3);
    expect(new Set(calls.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('come for what was canceled', async () => {
    const peer = await startPeer();
    const target = await receiver();
    const id = await create(peer, target.url, '[[stuck-processing]]', ['completed']);
    await peer.until(id, ({ status }) => status === 'processing');
    await peer.ask('POST', `/v1/predictions/${id}/cancel`);
    expect((await target.nth(1))[0]?.status).toBe('canceled');
  });

  it('come twice when that is set', async () => {
    const peer = await startPeer();
    const target = await receiver();
    await peer.ask('POST', '/simulator/settings', { webhooks: 'duplicate' });
    await create(peer, target.url, 'x', ['completed']);
    const twice = await target.nth(2);
    expect(twice[0]?.headers['webhook-id']).toBe(twice[1]?.headers['webhook-id']);
  });

  it('come the wrong way round when that is set, of one prediction as of several', async () => {
    const peer = await startPeer();
    const target = await receiver();
    await peer.ask('POST', '/simulator/settings', { webhooks: 'out_of_order' });
    const events = ['start', 'completed'];
    const first = await create(peer, target.url, '[[hold:while-processing]] first', events);
    const last = await create(peer, target.url, '[[hold:while-processing]] last', events);
    // Their boots differ: the second may run before the first.
    for (const id of [first, last]) await peer.until(id, ({ status }) => status === 'processing');
    await peer.ask('POST', '/simulator/release', { all: true });
    const told = (await target.nth(4)).map(({ status }) => status);
    expect(told).toEqual(['succeeded', 'succeeded', 'processing', 'processing']);
  });

  it('are lost when that is set', async () => {
    const peer = await startPeer();
    const target = await receiver();
    await peer.ask('POST', '/simulator/settings', { webhooks: 'lost' });
    await peer.until(await create(peer, target.url), hasEnded);
    await peer.ask('POST', '/simulator/settings', { webhooks: 'normal' });
    await create(peer, target.url, 'y', ['completed']);
    expect((await target.nth(1)).map(({ body }) => body)).toEqual([
      expect.stringContaining('"prompt":"y"'),
    ]);
  });

  it('never leave this machine', async () => {
    const peer = await startPeer();
    const target = await receiver();
    const fetched = vi.spyOn(globalThis, 'fetch');
    const away = target.url.replace('127.0.0.1', 'webhooks.invalid');
    await peer.until(await create(peer, away), hasEnded);
    await create(peer, target.url, 'near', ['completed']);
    await target.nth(1);
    const asked = fetched.mock.calls.map(([to]) => (to instanceof Request ? to.url : String(to)));
    expect(asked).toContain(target.url);
    expect(asked).not.toContain(away);
  });
});
