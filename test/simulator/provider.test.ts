import { describe, expect, it } from 'vitest';
import { KLING, SVD, VEO, hasEnded, startPeer, stoppedClock } from './support.js';

const model = (id: string): string => `/v1/models/${id}/predictions`;

describe('what the simulator refuses, in the words of Replicate', () => {
  it('answers 401 without a token and takes both spellings of one', async () => {
    const peer = await startPeer();
    const without = await peer.ask('GET', '/v1/account', undefined, { authorization: '' });
    expect(without).toMatchObject({
      status: 401,
      body: {
        title: 'Unauthenticated',
        detail: 'You did not pass a valid authentication token',
        status: 401,
      },
    });
    expect(without.headers.get('content-type')).toContain('application/problem+json');
    for (const authorization of ['Bearer r8_x', 'Token r8_x']) {
      const given = await peer.ask('GET', '/v1/account', undefined, { authorization });
      expect(given.status).toBe(200);
    }
  });

  it('says simulator in a header of every answer', async () => {
    const peer = await startPeer();
    for (const path of ['/v1/account', '/v1/nothing', '/simulator/stats', '/']) {
      const { headers } = await peer.ask('GET', path);
      expect(headers.get('x-replicate-simulator'), path).toBe('true');
    }
  });

  it.each([
    ['a missing prompt', {}, 'required', '- input: prompt is required\n'],
    [
      'a duration that is not on the list',
      { prompt: 'x', duration: 7 },
      'enum',
      '- input.duration: duration must be one of the following: 5, 10\n',
    ],
    [
      'a wrong type',
      { prompt: 'x', duration: '5' },
      'invalid_type',
      '- input.duration: Invalid type. Expected: integer, given: string\n',
    ],
    [
      'an unknown name',
      { prompt: 'x', cfg_scale: 1 },
      'additional_property_not_allowed',
      '- input: Additional property cfg_scale is not allowed\n',
    ],
  ])('answers 422 for %s', async (_name, input, type, detail) => {
    const peer = await startPeer();
    const answer = await peer.ask('POST', model(KLING), { input });
    expect(answer).toMatchObject({
      status: 422,
      body: { title: 'Input validation failed', status: 422, detail, invalid_fields: [{ type }] },
    });
    expect((await peer.stats()).creates).toBe(0);
  });

  it('answers 422 for a number beyond its bounds', async () => {
    const peer = await startPeer();
    const { version } = {
      version: '3f0457e4619daac51203dedb472816fd4af51f3149fa7a9e0b5ffcf1b8172438',
    };
    const input = { input_image: 'https://example.com/a.png', motion_bucket_id: 256 };
    const answer = await peer.ask('POST', '/v1/predictions', { version, input });
    expect(answer.body['detail']).toBe(
      '- input.motion_bucket_id: Must be less than or equal to 255\n',
    );
  });

  it('lets unknown inputs pass when it is told to', async () => {
    const peer = await startPeer({ settings: { unknown_inputs: 'ignore' } });
    const input = { prompt: 'x', cfg_scale: 1 };
    expect((await peer.ask('POST', model(KLING), { input })).status).toBe(201);
  });

  it('answers 422 for anything extra at the top of the body', async () => {
    const peer = await startPeer();
    const answer = await peer.ask('POST', '/v1/predictions', { model: KLING, input: {} });
    expect(answer).toMatchObject({
      status: 422,
      body: { detail: '- version is required\n- Additional property model is not allowed\n' },
    });
  });

  it.each([
    ['a model that does not exist', 'POST', '/v1/models/no/body/predictions', { input: {} }, 404],
    ['a community model by name', 'POST', model(SVD), { input: {} }, 404],
    ['the version latest', 'POST', '/v1/predictions', { version: `${SVD}:latest`, input: {} }, 422],
    [
      'a community model without a version',
      'POST',
      '/v1/predictions',
      { version: SVD, input: {} },
      422,
    ],
    ['an unknown prediction', 'GET', '/v1/predictions/none', undefined, 404],
    ['a body that is not JSON', 'POST', model(KLING), undefined, 400],
    ['a bad date', 'GET', '/v1/predictions?created_after=yesterday', undefined, 400],
  ])('refuses %s', async (_name, method, path, body, status) => {
    const peer = await startPeer();
    expect((await peer.ask(method, path, body)).status).toBe(status);
  });

  it('throttles creates with retry_after, and by the minute', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now, settings: { creates_per_minute: 2 } });
    const statuses = async (): Promise<number> => (await peer.create('x')).status;
    expect([await statuses(), await statuses(), await statuses()]).toEqual([201, 201, 429]);
    expect((await peer.create('x')).body).toMatchObject({ status: 429, retry_after: 30 });
    clock.advance(30);
    expect(await statuses()).toBe(201);
  });

  it('allows six creates a minute, one at a time, when credit is low', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now, settings: { low_credit: true } });
    expect((await peer.create('x')).status).toBe(201);
    const refused = await peer.create('x');
    expect(refused.body).toMatchObject({ retry_after: 10 });
    expect(JSON.stringify(refused.body)).toContain('while you have less than $5.0 in credit');
    clock.advance(10);
    expect((await peer.create('x')).status).toBe(201);
  });

  it('answers 402 when the credit is used up', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now });
    await peer.ask('POST', '/simulator/settings', { credit_usd: 0.3 });
    await peer.create('costs 0.35');
    clock.advance(1);
    const refused = await peer.create('one more');
    expect(refused).toMatchObject({ status: 402, body: { title: 'Insufficient credit' } });
  });
});

describe('what a prediction looks like', () => {
  it('lets a prediction wait in its queue as long as is set', async () => {
    const peer = await startPeer({ speed: 1, settings: { queue_seconds: 0 } });
    const { body } = await peer.create('[[slow:0.001]] no queue');
    const { created_at, started_at } = await peer.until(body.id, hasEnded);
    expect(started_at).toBe(created_at);
  });

  it('has every field of the real one when it succeeded', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now, speed: 1 });
    const { body: created, status, headers } = await peer.create('a lighthouse');
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(created.urls.get);
    expect(created).toMatchObject({ status: 'starting', output: null, error: null, logs: '' });
    expect(created.id).toMatch(/^[a-z0-9]{26}$/);
    expect(created.started_at).toBeUndefined();
    clock.advance(200);
    expect(await peer.get(created.id)).toMatchObject({
      model: KLING,
      version: 'hidden',
      status: 'succeeded',
      source: 'api',
      input: { prompt: 'a lighthouse', duration: 5 },
      data_removed: false,
      logs: expect.stringMatching(/simulator.*100%\|█+\| 50\/50/s) as string,
      metrics: { predict_time: expect.any(Number) as number },
    });
  });

  it('takes about the usual time of its model, divided by the speed', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now, speed: 20 });
    const { body } = await peer.create('a lighthouse');
    clock.advance(1000);
    const { started_at = '', completed_at = '', metrics } = await peer.get(body.id);
    const seconds = (Date.parse(completed_at) - Date.parse(started_at)) / 1000;
    expect(seconds).toBeGreaterThanOrEqual((90 * 0.8) / 20);
    expect(seconds).toBeLessThanOrEqual((90 * 1.2) / 20);
    expect(metrics?.predict_time).toBeCloseTo(seconds * 20, 1);
  });

  it('fails late, with E006, where only the model knows that inputs exclude each other', async () => {
    const peer = await startPeer();
    const input = { prompt: 'x', duration: 4, reference_images: ['https://example.com/a.png'] };
    const created = await peer.ask('POST', model(VEO), { input });
    expect(created.status).toBe(201);
    const done = await peer.until(String(created.body['id']), hasEnded);
    expect(done).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('(E006)') as string,
    });
  });

  it('waits for the end when asked to, and answers 202 when that did not come', async () => {
    const peer = await startPeer();
    const done = await peer.create('quick', { prefer: 'wait' });
    expect(done).toMatchObject({ status: 201, body: { status: 'succeeded' } });
    expect(done.headers.get('preference-applied')).toBe('wait');
    const stuck = await peer.create('[[stuck-processing]]', { prefer: 'wait=1' });
    expect(stuck).toMatchObject({ status: 202, body: { output: null } });
  });

  it.each([
    ['[[stuck-starting]]', 'aborted', false],
    ['[[stuck-processing]]', 'canceled', true],
  ])('ends %s by Cancel-After as %s', async (prompt, status, billed) => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now });
    const { body } = await peer.create(prompt, { 'cancel-after': '1m30s' });
    expect(body.deadline).toBe(new Date(clock.now() + 90_000).toISOString());
    clock.advance(89);
    expect(hasEnded(await peer.get(body.id))).toBe(false);
    clock.advance(1);
    expect((await peer.get(body.id)).status).toBe(status);
    expect((await peer.stats()).predictions[0]).toMatchObject({ status, billed });
  });

  it.each(['4', '4s', '25h', 'soon', ''])('refuses Cancel-After: %s', async (after) => {
    const peer = await startPeer();
    expect((await peer.create('x', { 'cancel-after': after })).status).toBe(400);
  });

  it('cancels once, and never what has ended', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now });
    const [running, done] = [await peer.create('[[stuck-processing]]'), await peer.create('x')];
    clock.advance(10);
    const cancel = (id: string): Promise<unknown> =>
      peer.ask('POST', `/v1/predictions/${id}/cancel`).then(({ body }) => body['status']);
    expect(await cancel(running.body.id)).toBe('canceled');
    expect(await cancel(running.body.id)).toBe('canceled');
    expect(await cancel(done.body.id)).toBe('succeeded');
    expect(await peer.stats()).toMatchObject({ cancels: 1, bills: { count: 2 } });
  });

  it('forgets input, output, logs and file an hour after the end', async () => {
    const clock = stoppedClock();
    const peer = await startPeer({ now: clock.now });
    const { body } = await peer.create('soon gone');
    clock.advance(10);
    const { output } = await peer.get(body.id);
    clock.advance(3600);
    expect(await peer.get(body.id)).toMatchObject({
      status: 'succeeded',
      data_removed: true,
      input: {},
      output: null,
      logs: null,
    });
    expect((await fetch(String(output))).status).toBe(404);
  });
});
