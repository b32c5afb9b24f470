import { describe, expect, it } from 'vitest';
import { KLING, SVD, hasEnded, startPeer } from './support.js';

describe('the simulator, asked by the replicate client', () => {
  it('takes a prediction from creation to a file that is exactly as long as asked', async () => {
    const peer = await startPeer();
    const created = await peer.client.predictions.create({
      model: KLING,
      input: { prompt: 'a lighthouse', duration: 10 },
    });
    expect(created.status).toBe('starting');
    const done = await peer.until(created.id, hasEnded);
    expect(done.status).toBe('succeeded');
    expect(done.output).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/delivery\/.+\.mp4$/);
  });

  it('lists, cancels, and knows the account and its secret', async () => {
    const peer = await startPeer();
    const { client } = peer;
    const created = await client.predictions.create({
      model: KLING,
      input: { prompt: 'to be canceled [[stuck-processing]]' },
    });
    await peer.until(created.id, ({ status }) => status === 'processing');
    expect((await client.predictions.cancel(created.id)).status).toBe('canceled');
    expect((await client.predictions.list()).results.map(({ id }) => id)).toEqual([created.id]);
    expect((await client.accounts.current()).username).toBe('simulator');
    expect((await client.webhooks.default.secret.get()).key).toMatch(/^whsec_/);
  });

  it('runs a community model by its version', async () => {
    const peer = await startPeer();
    const model = await peer.client.models.get('stability-ai', 'stable-video-diffusion');
    const version = model.latest_version?.id ?? '';
    const created = await peer.client.predictions.create({
      version,
      input: { input_image: `${peer.origin}/samples/scene.jpg` },
    });
    expect(created).toMatchObject({ model: SVD, version });
  });

  it('sees six creates when the client repeats one whose socket was dropped', async () => {
    const peer = await startPeer();
    const input = { prompt: 'dropped [[accept-then-drop:always]]' };
    await expect(peer.client.predictions.create({ model: KLING, input })).rejects.toThrow();
    expect(await peer.stats()).toMatchObject({ creates: 6, create_requests: 6 });
  });

  it('sees six requests and no create when the client runs into a 429', async () => {
    const peer = await startPeer();
    const input = { prompt: 'throttled [[http-429:1:always]]' };
    await expect(peer.client.predictions.create({ model: KLING, input })).rejects.toThrow('429');
    expect(await peer.stats()).toMatchObject({ creates: 0, create_requests: 6 });
  });

  it('stores U+FFFD for half a surrogate pair, as everything does that keeps UTF-8', async () => {
    const peer = await startPeer();
    const created = await peer.client.predictions.create({
      model: KLING,
      input: { prompt: 'half \ud83d, whole \u{1f600}', duration: 5 },
    });
    const kept = { prompt: 'half \ufffd, whole \u{1f600}', duration: 5 };
    expect(created.input).toEqual(kept);
    expect((await peer.client.predictions.list()).results[0]?.input).toEqual(kept);
  });

  it('keeps an uploaded file and gives it back', async () => {
    const peer = await startPeer();
    const file = await peer.client.files.create(new Blob(['pixels'], { type: 'image/png' }), {
      scene: 1,
    });
    expect(file).toMatchObject({ size: 6, content_type: 'image/png', metadata: { scene: 1 } });
    const download = await peer.ask('GET', `/v1/files/${file.id}/download`);
    expect(download.body).toBe('pixels');
    expect(await peer.client.files.delete(file.id)).toBe(true);
    expect((await peer.ask('GET', `/v1/files/${file.id}`)).status).toBe(404);
  });
});
