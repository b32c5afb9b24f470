import { BufferSource, EncodedPacketSink, Input, MP4 } from 'mediabunny';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { KLING, SVD, hasEnded, startPeer, type Peer } from './support.js';

/** The address of a finished clip. */
async function rendered(peer: Peer, input: object, model = KLING): Promise<string> {
  const { body } = await peer.ask('POST', `/v1/models/${model}/predictions`, { input });
  const { output } = await peer.until(String(body['id']), hasEnded);
  return String(output);
}

async function probe(bytes: ArrayBuffer): Promise<Record<string, unknown> & { complete: boolean }> {
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  if (track === null) throw new Error('expected a video track, got none');
  return {
    duration: await track.computeDuration(),
    width: await track.getDisplayWidth(),
    height: await track.getDisplayHeight(),
    codec: await track.getCodec(),
    complete: (await new EncodedPacketSink(track).getPacket(Infinity)) !== null,
  };
}

const download = async (url: string): Promise<ArrayBuffer> => (await fetch(url)).arrayBuffer();

describe('a finished clip', () => {
  it('is the same file for all of a length and size, where that is set', async () => {
    const peer = await startPeer({ settings: { one_clip: true } });
    const urls = [await rendered(peer, { prompt: 'a' }), await rendered(peer, { prompt: 'b' })];
    const [one, other] = await Promise.all(urls.map(download));
    expect(one).toEqual(other);
    expect((await probe(one ?? new ArrayBuffer())).complete).toBe(true);
  });

  it.each([
    ['16:9', 5, 640, 360],
    ['9:16', 10, 360, 640],
    ['1:1', 5, 640, 640],
  ])('is H.264 in %s and lasts exactly %i s', async (aspect_ratio, duration, width, height) => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: 'a lighthouse', aspect_ratio, duration });
    const found = await probe(await download(url));
    expect(found).toMatchObject({ width, height, codec: 'avc', complete: true });
    expect(found['duration']).toBeCloseTo(duration, 3);
  });

  it('is as long as its frames for a model that counts frames', async () => {
    const peer = await startPeer();
    const created = await peer.ask('POST', '/v1/predictions', {
      version: '3f0457e4619daac51203dedb472816fd4af51f3149fa7a9e0b5ffcf1b8172438',
      input: {
        input_image: 'https://example.com/a.png',
        video_length: '25_frames_with_svd_xt',
        frames_per_second: 10,
      },
    });
    expect(created.body['model']).toBe(SVD);
    const { output } = await peer.until(String(created.body['id']), hasEnded);
    expect((await probe(await download(String(output))))['duration']).toBeCloseTo(2.5, 3);
  });

  it('is a list where the model answers with one', async () => {
    const peer = await startPeer();
    const version = '8c47da666861d081eeb4d1261853087de23923a268a69b63febdf5dc1dee08e4';
    const input = { prompt: 'x', length: 97 };
    const created = await peer.ask('POST', '/v1/predictions', { version, input });
    const { output } = await peer.until(String(created.body['id']), hasEnded);
    expect(output).toEqual([expect.stringMatching(/\.mp4$/)]);
  });

  it('differs from every other clip, also from one with the same prompt', async () => {
    const peer = await startPeer();
    const urls = [
      await rendered(peer, { prompt: 'one' }),
      await rendered(peer, { prompt: 'one' }),
      await rendered(peer, { prompt: 'two' }),
    ];
    const files = await Promise.all(urls.map(async (url) => Buffer.from(await download(url))));
    expect(new Set(files.map((file) => file.toString('base64'))).size).toBe(3);
  });

  it('can carry any text', async () => {
    const peer = await startPeer();
    for (const prompt of [
      '<b>&amp; "quotes"',
      '\u0000\u0007',
      '日本語 🎬 \ud800',
      'x'.repeat(10_000),
    ]) {
      const found = await probe(await download(await rendered(peer, { prompt })));
      expect(found.complete, prompt.slice(0, 20)).toBe(true);
    }
  });

  it('comes in ranges, and not again to whom has it', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: 'a lighthouse' });
    const whole = await fetch(url);
    const bytes = Buffer.from(await whole.arrayBuffer());
    const etag = whole.headers.get('etag') ?? '';
    expect(whole.headers.get('content-type')).toBe('video/mp4');
    expect(Number(whole.headers.get('content-length'))).toBe(bytes.length);
    const ask = (headers: Record<string, string>): Promise<Response> => fetch(url, { headers });
    const part = await ask({ range: 'bytes=10-19', 'if-range': etag });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 10-19/${String(bytes.length)}`);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20));
    const tail = await ask({ range: 'bytes=-5' });
    expect(Buffer.from(await tail.arrayBuffer())).toEqual(bytes.subarray(-5));
    expect((await ask({ range: `bytes=${String(bytes.length)}-` })).status).toBe(416);
    expect((await ask({ range: 'bytes=0-1', 'if-range': '"other"' })).status).toBe(200);
    expect((await ask({ 'if-none-match': etag })).status).toBe(304);
  });

  it('is fetched without credentials, and the stats count requests that sent them', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: 'a lighthouse' });
    await download(url);
    expect(await peer.stats()).toMatchObject({ downloads: 1, authorization_on_files: 0 });
    await fetch(url, { headers: { authorization: 'Bearer r8_secret' } });
    expect(await peer.stats()).toMatchObject({ downloads: 2, authorization_on_files: 1 });
  });

  it('is not there before it is finished', async () => {
    const peer = await startPeer();
    const { body } = await peer.create('x [[hold:while-processing]]');
    await peer.untilHeld('while-processing');
    expect((await peer.get(body.id)).output).toBeNull();
    expect((await fetch(`${peer.origin}/delivery/nonsense/output.mp4`)).status).toBe(404);
  });
});

describe('a download that goes wrong on purpose', () => {
  it('truncated-file dies halfway, and is whole the next time', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: '[[truncated-file]]' });
    await expect(download(url)).rejects.toThrow();
    expect((await probe(await download(url))).complete).toBe(true);
  });

  it.each([
    ['short-file', 'lacks its end'],
    ['corrupt-file', 'has its index only'],
  ])('%s %s', async (fault) => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: `[[${fault}]]` });
    const [spoiled, whole] = [await download(url), await download(url)];
    expect(Buffer.from(spoiled).equals(Buffer.from(whole))).toBe(false);
    if (fault === 'short-file') expect((await probe(spoiled)).complete).toBe(false);
  });

  it('empty-file and html-file are no videos', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: '[[empty-file]] [[html-file]]' });
    const answers = [await fetch(url), await fetch(url), await fetch(url)];
    expect(answers.map(({ headers }) => headers.get('content-type'))).toEqual([
      'video/mp4',
      'text/html; charset=utf-8',
      'video/mp4',
    ]);
    expect(answers[0]?.headers.get('content-length')).toBe('0');
  });

  it('file-404 and file-500 pass after as many times as told', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: '[[file-404:2]] [[file-500]]' });
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await fetch(url)).status);
    expect(statuses).toEqual([404, 404, 500, 200]);
  });

  it('slow-file comes in pieces and is whole', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: '[[slow-file:0.2]]' });
    expect((await probe(await download(url))).complete).toBe(true);
  });

  it('too-large-file announces more than a client accepts', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: '[[too-large-file]]' });
    const response = await fetch(url);
    expect(Number(response.headers.get('content-length'))).toBe(10 * 1024 ** 3);
    await response.body?.cancel();
  });

  it('redirect-file leads to another host, where each client that follows is counted', async () => {
    const peer = await startPeer();
    const url = await rendered(peer, { prompt: '[[redirect-file]]' });
    const response = await fetch(url, { redirect: 'manual' });
    expect(response.status).toBe(302);
    const target = response.headers.get('location') ?? '';
    expect(new URL(target).hostname).toBe('localhost');
    await fetch(target.replace('localhost', '127.0.0.1'));
    expect((await peer.stats()).downloads_elsewhere).toBe(1);
  });

  it('wrong-duration is far from what was asked, as often as told', async () => {
    const peer = await startPeer();
    const input = { prompt: '[[wrong-duration:1]]', duration: 5 };
    const durations = [];
    for (let n = 0; n < 2; n += 1) {
      durations.push((await probe(await download(await rendered(peer, input))))['duration']);
    }
    expect(durations).toEqual([expect.closeTo(10, 3), expect.closeTo(5, 3)]);
  });
});

describe('sample images', () => {
  it.each(['scene.jpg', 'scene.png', 'character.jpg', 'character-2.jpg', 'object.png'])(
    '%s is a picture',
    async (name) => {
      const peer = await startPeer();
      const metadata = await sharp(await download(`${peer.origin}/samples/${name}`)).metadata();
      expect(metadata.format).toBe(name.endsWith('png') ? 'png' : 'jpeg');
      expect(metadata.width).toBeGreaterThan(500);
    },
  );

  it('are refused by other names', async () => {
    const peer = await startPeer();
    expect((await fetch(`${peer.origin}/samples/constructor.jpg`)).status).toBe(404);
  });
});
