import { describe, expect, it, onTestFinished } from 'vitest';
import { KLING, hasEnded, startPeer, type Peer, type Prediction } from './support.js';
import { testFolder } from '../support/test-folder.js';

const outcome = async (peer: Peer, prompt: string): Promise<Prediction> => {
  const { body } = await peer.create(prompt);
  return peer.until(body.id, hasEnded);
};

describe('a prediction that goes wrong on purpose', () => {
  it('fails once for a prompt, and its retry succeeds', async () => {
    const peer = await startPeer();
    expect((await outcome(peer, 'x [[fail-once]]')).status).toBe('failed');
    expect((await outcome(peer, 'x [[fail-once]]')).status).toBe('succeeded');
    expect((await outcome(peer, 'y [[fail-once]]')).status).toBe('failed');
    expect((await peer.stats()).bills.count).toBe(3);
  });

  it('fails as often as it is told, then succeeds', async () => {
    const peer = await startPeer();
    const statuses = [];
    for (let n = 0; n < 3; n += 1) {
      statuses.push((await outcome(peer, '[[interrupted:2]]')).status);
    }
    expect(statuses).toEqual(['failed', 'failed', 'succeeded']);
  });

  it('takes its failures in the order in which they are written', async () => {
    const peer = await startPeer();
    const errors = [];
    for (let n = 0; n < 3; n += 1) {
      errors.push((await outcome(peer, '[[E9828]] then [[interrupted]]')).error);
    }
    expect(errors).toEqual([
      'Director: unexpected error handling prediction (E9828)',
      'Prediction interrupted; please retry (code: PA)',
      null,
    ]);
  });

  it.each([
    ['fail-always', 'failed', /E9828/],
    ['flagged', 'failed', /flagged as sensitive.*\(E005\) \([A-Za-z0-9]{10}\)$/],
    ['invalid', 'failed', /The input was invalid.*\(E006\) \(/],
    ['E8765', 'failed', /\(E8765\)/],
    ['E6716', 'failed', /\(E6716\)/],
    ['E9825', 'failed', /\(E9825\)/],
    ['E003', 'failed', /high demand.*\(E003\)/],
    ['E004', 'failed', /temporarily unavailable.*\(E004\)/],
    ['E001', 'failed', /\(E001\)/],
    ['boot-failed', 'failed', /failed to boot/],
    ['traceback', 'failed', /^ValueError: /],
    ['aborted', 'aborted', null],
    ['fail-empty', 'failed', null],
  ])('%s ends as %s', async (fault, status, error) => {
    const peer = await startPeer();
    const done = await outcome(peer, `x [[${fault}]]`);
    expect(done.status).toBe(status);
    if (error === null) expect(done.error).toBeNull();
    else expect(done.error).toMatch(error);
    expect((await peer.stats()).bills.count).toBe(status === 'aborted' ? 0 : 1);
  });

  it.each([
    ['null-output', null],
    ['empty-output', []],
  ])('%s succeeds without a file', async (fault, output) => {
    const peer = await startPeer();
    const done = await outcome(peer, `[[${fault}]]`);
    expect(done).toMatchObject({ status: 'succeeded', output });
    expect((await outcome(peer, `[[${fault}]]`)).output).toMatch(/mp4$/);
  });

  it.each<[string, unknown]>([
    ['object-output', { file: expect.stringMatching(/output\.mp4$/) as unknown }],
    [
      'mixed-output',
      [expect.stringMatching(/png$/), expect.anything(), expect.stringMatching(/mp4$/)],
    ],
    [
      'data-output',
      expect.stringMatching(/^data:video\/mp4;codecs="avc1";base64,[A-Za-z0-9+/]+=*$/),
    ],
    [
      'data-output-escaped',
      [{ video: expect.stringMatching(/^data:video\/mp4,(?:%[0-9a-f]{2})+$/) as unknown }],
    ],
    ['odd-output', { frames: 120, note: expect.any(String) as unknown, still: 'still.png' }],
    ['text-output', 'The video was sent to your inbox.'],
  ])('%s succeeds with an output of another shape', async (fault, output: unknown) => {
    const peer = await startPeer();
    const done = await outcome(peer, `[[${fault}]]`);
    expect(done).toMatchObject({ status: 'succeeded', output });
    const { body } = await peer.ask('GET', '/v1/predictions');
    expect(body['results']).toMatchObject([{ output }]);
  });

  it('late-output shows its end once without the output, and then with it', async () => {
    const peer = await startPeer();
    const done = await outcome(peer, '[[late-output]]');
    expect(done).toMatchObject({ status: 'succeeded', output: null });
    expect((await peer.get(done.id)).output).toMatch(/mp4$/);
  });

  it('no-metrics says nothing of its run time, and is billed for it', async () => {
    const peer = await startPeer();
    const done = await outcome(peer, '[[no-metrics]]');
    expect(done.status).toBe('succeeded');
    expect(done).not.toHaveProperty('metrics');
    expect((await peer.stats()).bills.count).toBe(1);
  });

  it('expired-file removes everything when its file is asked for, and until then it can be found', async () => {
    const { path: data_dir, remove } = testFolder('simulator');
    onTestFinished(remove);
    const peer = await startPeer({ data_dir });
    const done = await outcome(peer, '[[expired-file]]');
    expect(done).toMatchObject({ status: 'succeeded', data_removed: false });
    expect(done.input).toMatchObject({ prompt: '[[expired-file]]' });
    expect((await fetch(String(done.output))).status).toBe(404);
    const gone = { status: 'succeeded', data_removed: true, output: null, input: {} };
    expect(await peer.get(done.id)).toMatchObject(gone);
    expect((await fetch(String(done.output))).status).toBe(404);
    const restarted = await startPeer({ data_dir });
    expect(await restarted.get(done.id)).toMatchObject(gone);
  });

  it('echo-defaults, echo-files and echo-model say what was not sent, and render what was', async () => {
    const peer = await startPeer();
    const prompt = '[[echo-defaults]] [[echo-files]] [[echo-model]]';
    const start_image = `${peer.origin}/samples/a.png`;
    const path = `/v1/models/${KLING}/predictions`;
    const sent = { prompt, duration: 10, start_image };
    const { body } = await peer.ask<Prediction & { model: string }>('POST', path, { input: sent });
    expect(body.model).not.toBe(KLING);
    expect(body.input).toMatchObject({ prompt, duration: 10, aspect_ratio: '16:9' });
    expect(body.input['start_image']).toMatch(/^https:\/\/replicate\.delivery\//);
    expect((await peer.until(body.id, hasEnded)).status).toBe('succeeded');
  });

  it('hold:while-unlisted is found in the listing once it is released', async () => {
    const peer = await startPeer();
    const { body } = await peer.create('[[hold:while-unlisted]]');
    const listed = async (): Promise<unknown> =>
      (await peer.ask('GET', '/v1/predictions')).body['results'];
    expect(await listed()).toEqual([]);
    await peer.ask('POST', '/simulator/release', { point: 'while-unlisted' });
    expect(await listed()).toMatchObject([{ id: body.id }]);
  });

  it('hidden-from-list is found by its id, not in the listing', async () => {
    const peer = await startPeer();
    const { body } = await peer.create('[[hidden-from-list:3600]]');
    expect((await peer.get(body.id)).id).toBe(body.id);
    expect((await peer.ask('GET', '/v1/predictions')).body['results']).toEqual([]);
  });
});

describe('a create that goes wrong on purpose', () => {
  it.each([
    ['http-401', 401, 'Unauthenticated'],
    ['http-402', 402, 'insufficient credit'],
    ['spend-limit', 402, 'monthly spend limit'],
    ['http-422', 422, '- input.prompt: String length must be less than or equal to 5\\n'],
    ['http-500', 500, 'Internal server error'],
    ['http-502-html', 502, '<html>'],
    ['http-429:7', 429, '"retry_after":7'],
    ['http-429-header:7', 429, 'Request was throttled.'],
    ['http-429-text:7', 429, 'resets in ~7s.'],
    ['low-credit:9', 429, 'less than $5.0 in credit. Your rate limit resets in ~9s.'],
  ])('%s answers %i, accepts nothing, and passes the next time', async (fault, status, text) => {
    const peer = await startPeer();
    const refused = await peer.create(`x [[${fault}]]`);
    expect(refused.status).toBe(status);
    expect(
      typeof refused.body === 'string' ? refused.body : JSON.stringify(refused.body),
    ).toContain(text);
    expect(refused.headers.get('retry-after')).toBe(fault === 'http-429-header:7' ? '7' : null);
    expect((await peer.stats()).creates).toBe(0);
    expect((await peer.create(`x [[${fault}]]`)).status).toBe(201);
  });

  it.each([
    ['reset', 0],
    ['accept-then-drop', 1],
    ['cut-201', 1],
    ['garbled-201', 1],
  ])('%s leaves the client without an id and %i predictions accepted', async (fault, creates) => {
    const peer = await startPeer();
    const id = await peer.create(`x [[${fault}]]`).then(
      ({ body }) => body.id,
      () => undefined,
    );
    expect(id).toBeUndefined();
    expect((await peer.stats()).creates).toBe(creates);
  });

  it.each([
    ['accept-then-500', 500],
    ['accept-then-502', 502],
  ])('%s answers %i although it has accepted', async (fault, status) => {
    const peer = await startPeer();
    expect((await peer.create(`x [[${fault}]]`)).status).toBe(status);
    expect((await peer.stats()).creates).toBe(1);
  });

  it.each([
    ['hang-create', 0],
    ['accept-then-hang', 1],
  ])('%s never answers; %i accepted', async (fault, creates) => {
    const peer = await startPeer();
    const left = new AbortController();
    const hanging = fetch(`${peer.simulator.url}/models/${KLING}/predictions`, {
      method: 'POST',
      headers: { authorization: 'Bearer x', 'content-type': 'application/json' },
      body: JSON.stringify({ input: { prompt: `[[${fault}]]` } }),
      signal: left.signal,
    });
    const failed = expect(hanging).rejects.toThrow();
    for (let seen = 0; seen === 0;) seen = (await peer.stats()).create_requests;
    expect((await peer.stats()).creates).toBe(creates);
    left.abort();
    await failed;
  });
});

describe('a read that goes wrong on purpose', () => {
  it.each([
    ['poll-500', 500],
    ['poll-502-html', 502],
    ['poll-404', 404],
    ['poll-429', 429],
  ])('%s answers %i as often as it is told', async (fault, status) => {
    const peer = await startPeer();
    const times = fault === 'poll-429' ? '1:2' : '2';
    const { body } = await peer.create(`x [[${fault}:${times}]]`);
    const statuses = [];
    for (let n = 0; n < 3; n += 1) {
      statuses.push((await peer.ask('GET', `/v1/predictions/${body.id}`)).status);
    }
    expect(statuses).toEqual([status, status, 200]);
  });

  it.each(['poll-reset', 'poll-garbled', 'poll-cut'])('%s cannot be read', async (fault) => {
    const peer = await startPeer();
    const { body } = await peer.create(`x [[${fault}]]`);
    await expect(peer.get(body.id)).rejects.toThrow();
    expect((await peer.get(body.id)).id).toBe(body.id);
  });
});
