import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../src/simulator/index.js';
import { KLING, hasEnded, startPeer, type Peer, type Prediction } from './support.js';

const outcome = async (peer: Peer, prompt: string): Promise<Prediction> => {
  const { body } = await peer.create(prompt);
  return peer.until(body.id, hasEnded);
};

describe('faults by control call', () => {
  it('strike whom they match, as often as they may', async () => {
    const peer = await startPeer();
    await peer.ask('POST', '/simulator/faults', {
      match: 'lighthouse',
      fault: 'fail-once',
      times: 2,
    });
    expect((await outcome(peer, 'a harbour')).status).toBe('succeeded');
    expect((await outcome(peer, 'a lighthouse')).status).toBe('failed');
    expect((await outcome(peer, 'another lighthouse')).status).toBe('failed');
    expect((await outcome(peer, 'a lighthouse')).status).toBe('succeeded');
  });

  it('reach predictions that exist already, and the listing', async () => {
    const peer = await startPeer();
    const { body } = await peer.create('x');
    await peer.ask('POST', '/simulator/faults', { match: KLING, fault: 'poll-500' });
    await peer.ask('POST', '/simulator/faults', { fault: 'list-500' });
    expect((await peer.ask('GET', `/v1/predictions/${body.id}`)).status).toBe(500);
    expect((await peer.ask('GET', '/v1/predictions')).status).toBe(500);
    expect((await peer.ask('GET', '/v1/predictions')).status).toBe(200);
  });

  it('are counted when they strike, like tags, and not before', async () => {
    const peer = await startPeer();
    await peer.ask('POST', '/simulator/faults', { match: 'lighthouse', fault: 'fail-once' });
    await outcome(peer, 'a harbour [[poll-500:2]]');
    expect((await peer.stats()).struck).toEqual({ 'poll-500': 2 });
    await outcome(peer, 'a lighthouse');
    expect((await peer.stats()).struck).toEqual({ 'poll-500': 2, 'fail-once': 1 });
  });

  it('are forgotten on request', async () => {
    const peer = await startPeer();
    await peer.ask('POST', '/simulator/faults', { fault: 'fail-always', times: 'always' });
    await peer.ask('DELETE', '/simulator/faults');
    expect((await outcome(peer, 'x')).status).toBe('succeeded');
  });

  it('refuse a name that is none, and tags that name nothing are reported', async () => {
    const peer = await startPeer();
    const refused = await peer.ask('POST', '/simulator/faults', { fault: 'fail-twice' });
    expect(refused.status).toBe(400);
    await peer.create('x [[fail-twice]]');
    expect((await peer.stats()).unknown_faults).toEqual(['fail-twice']);
  });

  it('are all described', async () => {
    const peer = await startPeer();
    const { body } = await peer.ask<{ available: { name: string; says: string }[] }>(
      'GET',
      '/simulator/faults',
    );
    expect(body.available.map(({ name }) => name)).toEqual(Object.keys(FAULTS));
  });
});

describe('holding', () => {
  it.each([
    ['before-accept', 0],
    ['after-accept', 1],
  ])('keeps a create %s until it is released, with %i accepted', async (point, creates) => {
    const peer = await startPeer();
    const created = peer.create(`x [[hold:${point}]]`);
    await peer.untilHeld(point);
    expect((await peer.stats()).creates).toBe(creates);
    const { body } = await peer.ask('POST', '/simulator/release', { point });
    expect(body['released']).toBe(1);
    expect((await created).status).toBe(201);
    expect(await peer.stats()).toMatchObject({ creates: 1, held: [] });
  });

  it('accepts nothing for a client that hung up before it was accepted', async () => {
    const peer = await startPeer();
    const left = new AbortController();
    const request = fetch(`${peer.simulator.url}/models/${KLING}/predictions`, {
      method: 'POST',
      headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
      body: JSON.stringify({ input: { prompt: 'x [[hold:before-accept]]', duration: 5 } }),
      signal: left.signal,
    });
    const failed = expect(request).rejects.toThrow();
    await peer.untilHeld('before-accept');
    left.abort();
    await failed;
    for (let held = 1; held > 0;) held = (await peer.stats()).held.length;
    expect((await peer.create('x [[hold:before-accept]]')).status).toBe(201);
    expect((await peer.stats()).creates).toBe(1);
  });

  it('keeps a prediction processing until it is released', async () => {
    const peer = await startPeer();
    const { body } = await peer.create('x [[hold:while-processing]]');
    await peer.untilHeld('while-processing');
    expect((await peer.get(body.id)).status).toBe('processing');
    await peer.ask('POST', '/simulator/release', { prediction_id: body.id });
    expect((await peer.until(body.id, hasEnded)).status).toBe('succeeded');
  });

  it('lets a held prediction be canceled', async () => {
    const peer = await startPeer();
    const { body } = await peer.create('x [[hold:while-processing]]');
    await peer.untilHeld('while-processing');
    await peer.ask('POST', `/v1/predictions/${body.id}/cancel`);
    expect((await peer.get(body.id)).status).toBe('canceled');
    expect((await peer.stats()).held).toEqual([]);
  });

  it('does not keep the simulator from closing', async () => {
    const peer = await startPeer();
    const held = expect(peer.create('x [[hold:after-accept]]')).rejects.toThrow();
    await peer.untilHeld('after-accept');
    await peer.simulator.close();
    await held;
  });
});

describe('the ledger', () => {
  it('count what was alive at once, and start anew after a reset', async () => {
    const peer = await startPeer();
    await Promise.all(['a', 'b', 'c'].map((name) => peer.create(`${name} [[stuck-processing]]`)));
    expect(await peer.stats()).toMatchObject({ creates: 3, alive: 3, peak_alive: 3 });
    await peer.ask('POST', '/simulator/reset');
    expect(await peer.stats()).toMatchObject({
      creates: 0,
      alive: 0,
      peak_alive: 0,
      predictions: [],
    });
  });

  it('show a page that says what it is', async () => {
    const peer = await startPeer();
    await peer.create('a <b>lighthouse</b>');
    const { body } = await peer.ask<string>('GET', '/');
    expect(body).toContain('This is a simulator');
    expect(body).toContain('a &lt;b>lighthouse');
  });

  it('refuse settings that do not exist or cannot be', async () => {
    const peer = await startPeer();
    for (const change of [{ sped: 1 }, { speed: 0 }, { webhooks: 'maybe' }]) {
      expect((await peer.ask('POST', '/simulator/settings', change)).status).toBe(400);
    }
  });
});
