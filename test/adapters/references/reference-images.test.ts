/** Every way in which a reference can be bad, against real servers; and what is made of the good ones. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactPath } from '../../support/stored-files.js';
import { buildComposite, canvasOf } from '../../../src/adapters/media/composite.js';
import { createHazards } from '../../../src/adapters/media/hazards.js';
import { BadPart, ChildLost, media, TooMuch } from '../../../src/adapters/media/media.js';
import { isPublicAddress } from '../../../src/adapters/network/public-address.js';
import { createReferences } from '../../../src/adapters/references/reference-images.js';
import type { ReferencesOptions } from '../../../src/adapters/references/reference-images.js';
import { createReplicateFiles } from '../../../src/adapters/replicate/files-api.js';
import type { UploadOutcome } from '../../../src/adapters/replicate/files-api.js';
import { safeFetch } from '../../../src/adapters/network/safe-fetch.js';
import type { CompositeReference } from '../../../src/domain/references/composite.schema.js';
import { startSimulator } from '../../../src/simulator/index.js';
import { bytes, ImageHost, picture, redirect, status } from '../../support/image-host.js';
import { testFolder } from '../../support/test-folder.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

let host: ImageHost;
const { path: dataDir, remove } = testFolder('references');
const { signal } = new AbortController();

beforeAll(async () => {
  const jpeg = await sharp(await noise(400, 300))
    .jpeg()
    .toBuffer();
  const png = await sharp(await noise(400, 300))
    .png()
    .toBuffer();
  host = await ImageHost.start({
    '/good.jpg': bytes(jpeg),
    '/good.png': bytes(png),
    '/good.webp': bytes(await picture('webp')),
    '/named-wrongly.txt': bytes(jpeg, 'text/plain'),
    '/clip.mp4': bytes(Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp42', 'latin1'), 'video/mp4'),
    '/song.mp3': bytes(Buffer.from('ID3\x03\0\0\0\0\0\x21', 'latin1'), 'audio/mpeg'),
    '/empty.jpg': bytes(''),
    '/page.jpg': bytes('<!DOCTYPE html><title>sign in</title>'),
    '/body.json': bytes('{"error":"expired"}', 'application/json'),
    '/drawing.svg': bytes(
      '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"><image href="file:///etc/passwd"/></svg>',
      'image/svg+xml',
    ),
    // A pattern with alternatives that overlap took exponential time for these.
    '/comments.svg': bytes('<!---->'.repeat(146)),
    '/comments-then.svg': bytes(`${'<!----> '.repeat(400)}<svg/>`),
    '/moving.gif': bytes(await picture('gif')),
    '/scan.tiff': bytes(await picture('tiff')),
    '/new.avif': bytes(await picture('avif')),
    '/text.pdf': bytes('%PDF-1.7 and so on'),
    '/noise.bin': bytes(Buffer.alloc(5000, 7)),
    '/cut.jpg': bytes(jpeg.subarray(0, jpeg.length - 2000)),
    '/cut.png': bytes(png.subarray(0, png.length / 2)),
    '/header.jpg': bytes(jpeg.subarray(0, 20)),
    '/tiny.png': bytes(await picture('png', [63, 800])),
    '/huge.png': bytes(await picture('png', [8000, 6251])),
    '/announced.jpg': (_request, response) => {
      response.writeHead(200, { 'content-length': String(30 * 2 ** 20) }).flushHeaders();
    },
    '/endless.jpg': (_request, response) => {
      const chunk = Buffer.alloc(2 ** 20);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', more);
      };
      response.writeHead(200);
      more();
    },
    '/silent.jpg': () => undefined,
    '/stalling.jpg': (_request, response) => {
      response.writeHead(200).write(jpeg.subarray(0, 500));
    },
    '/broken.jpg': (_request, response) => {
      response.writeHead(200, { 'content-length': String(jpeg.length) });
      response.write(jpeg.subarray(0, 500), () => response.destroy());
    },
    '/reset.jpg': (request) => {
      request.socket.destroy();
    },
    '/gone.jpg': status(404),
    '/forbidden.jpg': status(403),
    '/down.jpg': status(503),
    '/loop.jpg': redirect('/loop.jpg'),
    '/moved.jpg': redirect('/good.jpg', 301),
    '/to-file.jpg': redirect('file:///etc/passwd'),
    '/to-data.jpg': redirect('data:image/png;base64,AAAA'),
    '/to-user.jpg': redirect('http://user:pass@127.0.0.1/x.jpg'),
    '/to-metadata.jpg': redirect('http://169.254.169.254/latest/meta-data/'),
    '/to-name.jpg': redirect('http://localhost:1/x.jpg'),
    '/nowhere.jpg': redirect('http://[not-an-address/'),
  });
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  remove();
});

/** Compresses badly, so that a cut is felt. */
async function noise(width: number, height: number): Promise<Buffer> {
  const raw = { width, height, channels: 3 } as const;
  let state = 1;
  const pixels = Buffer.alloc(width * height * 3).map(
    () => (state = (state * 48271) % 2147483647) & 0xff,
  );
  return sharp(pixels, { raw }).png().toBuffer();
}

const storedIn = (dataDir: string) => ({
  store: createDirectoryStore(dataDir),
  scratch: path.join(dataDir, 'scratch'),
});

const never = { upload: () => Promise.reject(new Error('nothing is to be uploaded')) };

const referencesWith = (options: Partial<ReferencesOptions> = {}) =>
  createReferences({
    ...storedIn(dataDir),
    files: never,
    provider: 'here',
    allow_hosts: [host.host],
    retry_after: [1, 1],
    timeout: 5_000,
    ...options,
  })('job');

const check = (url: string, options: Partial<ReferencesOptions> = {}): Promise<string | null> =>
  referencesWith(options).check(url, { keep: false, signal });

describe('a good reference', () => {
  it.each(['/good.jpg', '/good.png', '/good.webp', '/named-wrongly.txt', '/moved.jpg'])(
    'is one by its bytes: %s',
    async (file) => {
      expect(await check(host.url(file))).toBeNull();
    },
  );

  it('is asked for once, without credentials or cookies', async () => {
    const before = host.requests.length;
    await check(host.url('/good.jpg'));
    const asked = host.requests.slice(before);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.headers).not.toHaveProperty('authorization');
    expect(asked[0]?.headers).not.toHaveProperty('cookie');
  });

  it('may come back after a passing failure', async () => {
    let answers = 0;
    const good = await picture();
    host.set('/passing.jpg', (request, response) => {
      (++answers === 1 ? status(503) : bytes(good))(request, response);
    });
    expect(await check(host.url('/passing.jpg'))).toBeNull();
  });
});

describe('a video or a sound', () => {
  it.each([
    ['video', 'clip.mp4', null],
    ['audio', 'song.mp3', null],
    ['video', 'song.mp3', /^expected a video, got an MP3/],
    ['audio', 'clip.mp4', /^expected a sound, got an MP4/],
    ['video', 'good.jpg', /^expected a video, got a JPEG image$/],
    ['video', 'none.mp4', /^expected a video, got HTTP 404$/],
  ] as const)('is taken as %s by its bytes: %s', async (kind, name, says) => {
    const references = referencesWith();
    const found = await references.checkMedia({ kind, url: host.url(`/${name}`) }, signal);
    if (says === null) expect(found).toBeNull();
    else expect(found).toMatch(says);
  });
});

describe('a bad reference', () => {
  it.each([
    ['/empty.jpg', /an empty file/],
    ['/page.jpg', /an HTML page/],
    ['/body.json', /JSON/],
    ['/drawing.svg', /an SVG/],
    ['/moving.gif', /a GIF/],
    ['/scan.tiff', /a TIFF/],
    ['/new.avif', /an AVIF image/],
    ['/text.pdf', /a PDF/],
    ['/comments.svg', /an XML document/],
    ['/comments-then.svg', /an SVG/],
    ['/noise.bin', /something else/],
    ['/cut.jpg', /a JPEG that is cut off or broken/],
    ['/cut.png', /a PNG that is cut off or broken/],
    ['/header.jpg', /a JPEG that is cut off or broken/],
    ['/tiny.png', /at least 64 pixels a side, got 63×800/],
    ['/huge.png', /at most 50 megapixels, got 8000×6251/],
    ['/announced.jpg', /at most 20 MB/],
    ['/endless.jpg', /at most 20 MB/],
    ['/broken.jpg', /a broken connection/],
    ['/reset.jpg', /a broken connection/],
    ['/gone.jpg', /HTTP 404/],
    ['/forbidden.jpg', /HTTP 403/],
    ['/down.jpg', /HTTP 503/],
    ['/loop.jpg', /more than 3 redirects/],
    ['/to-file.jpg', /http\(s\) URL after a redirect, got "file:"/],
    ['/to-data.jpg', /http\(s\) URL after a redirect, got "data:"/],
    ['/to-user.jpg', /without a user name or password after a redirect/],
    ['/to-metadata.jpg', /a public address, got 169\.254\.169\.254/],
    ['/to-name.jpg', /a public address, got localhost/],
    ['/nowhere.jpg', /http\(s\) URL after a redirect, got none/],
  ])('%s is refused with the reason', async (file, reason) => {
    expect(await check(host.url(file))).toMatch(reason);
  });

  it('is one that crashed two workers, until it is tried once more', async () => {
    const url = host.url('/good.png');
    for (let count = 0; count < 2; count++) {
      // A worker that dies in the middle: what it began never ends.
      await new Promise<void>((begun) => {
        void createHazards(path.join(dataDir, 'scratch')).guard('job', url, () => {
          begun();
          return new Promise(() => undefined);
        });
      });
    }
    expect(await check(url)).toMatch(/2 processes ended/);
    expect(await check(url)).toBeNull();
  });

  it.each(['/silent.jpg', '/stalling.jpg'])('%s is not waited for', async (file) => {
    expect(await check(host.url(file), { timeout: 300 })).toMatch(/within 0.3 s/);
  });

  it.each([
    ['ftp://example.com/a.jpg', /got "ftp:"/],
    ['file:///etc/passwd', /got "file:"/],
    ['data:image/png;base64,AAAA', /got "data:"/],
    ['https://user:secret@example.com/a.jpg', /without a user name/],
    ['not a URL', /http\(s\) URL, got none/],
    ['http://127.0.0.1:1/a.jpg', /a public address/],
    ['http://2130706433/a.jpg', /got 127\.0\.0\.1/],
    ['http://0x7f.1/a.jpg', /got 127\.0\.0\.1/],
    ['http://[::1]/a.jpg', /got ::1/],
    ['http://[::ffff:10.0.0.1]/a.jpg', /a public address/],
    ['http://localhost/a.jpg', /localhost, which is inside a private network/],
    ['http://LOCALHOST/a.jpg', /inside a private network/],
    ['http://no-such-host.invalid/a.jpg', /a known host, got no-such-host\.invalid/],
  ])('%s is refused without a request', async (url, reason) => {
    const before = host.requests.length;
    const message = await check(url);
    expect(message).toMatch(reason);
    expect(message).not.toContain('secret');
    expect(host.requests).toHaveLength(before);
  });

  it('on loopback is asked for only at the host and port that are allowed', async () => {
    const url = host.url('/good.jpg');
    expect(await check(url, { allow_hosts: ['127.0.0.1:1', 'localhost'] })).toMatch(
      /public address/,
    );
    expect(await check(url, { allow_hosts: ['127.0.0.1'] })).toBeNull();
  });
});

describe('a name that resolves', () => {
  const from = async (addresses: readonly string[], allow: string[] = []) => {
    let asked = 0;
    const fetched = await safeFetch(
      `http://pictures.example:${new URL(host.url('/')).port}/good.jpg`,
      {
        allow_hosts: allow,
        signal,
        resolve: () => {
          asked += 1;
          const families = addresses.map((address) => (address.includes(':') ? 6 : 4));
          return Promise.resolve(
            addresses.map((address, place) => ({ address, family: families[place] ?? 4 })),
          );
        },
      },
    );
    return { fetched, asked };
  };

  it('to loopback, a private network or to both inside and outside is refused', async () => {
    const before = host.requests.length;
    for (const addresses of [['127.0.0.1'], ['10.1.2.3'], ['8.8.8.8', '127.0.0.1'], ['::1']]) {
      expect((await from(addresses)).fetched).toMatchObject({
        type: 'refused',
        message: expect.stringContaining('pictures.example, which is inside') as string,
      });
    }
    expect(host.requests).toHaveLength(before);
  });

  it('is resolved once, and connected to by that answer, so that a second answer changes nothing', async () => {
    // No server of names knows this one: only the answer given here can have led to the image.
    const { fetched, asked } = await from(['127.0.0.1'], ['pictures.example']);
    expect(fetched.type).toBe('fetched');
    expect(asked).toBe(1);
  });
});

describe('isPublicAddress', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'])(
    'is true of %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it.each([
    ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '127.255.255.254'],
    ...['168.63.129.16', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...['192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
    ...['239.1.1.1', '240.0.0.1', '255.255.255.255'],
    ...['::', '::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '64:ff9b::7f00:1'],
    ...['fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1'],
    ...['2002:7f00:1::', '2001::1', '100::1', '3fff::1', 'example.com', ''],
  ])('is false of %s', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('a composite', () => {
  const colours = async (jpeg: Uint8Array) => {
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    return (across: number, down: number): number[] => {
      const [x, y] = [Math.floor(across * info.width), Math.floor(down * info.height)];
      return [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
    };
  };
  const near = (colour: readonly number[], wanted: readonly number[]): boolean =>
    colour.every((value, place) => Math.abs(value - (wanted[place] ?? NaN)) < 12);

  it.each([
    ['16:9', 1280, 720],
    ['9:16', 720, 1280],
    ['1:1', 1280, 1280],
    ['3:2', 1280, 854],
  ])('has the target ratio %s', async (aspect_ratio, width, height) => {
    expect(canvasOf(aspect_ratio)).toEqual({ width, height });
    const scene = await picture('jpeg', [500, 900]);
    const built = await buildComposite({ aspect_ratio, scene, characters: [scene], objects: [] });
    expect(await sharp(built).metadata()).toMatchObject({ format: 'jpeg', width, height });
  });

  it('shows characters side by side in the lower half, and the scene everywhere else', async () => {
    const at = await colours(
      await buildComposite({
        aspect_ratio: '16:9',
        scene: await picture('jpeg', [1280, 720], '#0000ff'),
        characters: [
          await picture('png', [300, 400], '#ff0000'),
          await picture('png', [300, 400], '#00ff00'),
        ],
        objects: [],
      }),
    );
    expect(near(at(0.4, 0.75), [255, 0, 0])).toBe(true);
    expect(near(at(0.6, 0.75), [0, 255, 0])).toBe(true);
    for (const [across, down] of [
      [0.4, 0.4],
      [0.6, 0.4],
      [0.05, 0.9],
      [0.95, 0.9],
      [0.5, 0.9],
    ] as const) {
      expect(near(at(across, down), [0, 0, 255])).toBe(true);
    }
  });

  it('keeps the outline of a cut-out, and shrinks a row that is too wide', async () => {
    const ring = await sharp({
      create: { width: 400, height: 400, channels: 4, background: '#00000000' },
    })
      .composite([{ input: await picture('png', [200, 200], '#ff0000'), gravity: 'centre' }])
      .png()
      .toBuffer();
    const at = await colours(
      await buildComposite({
        aspect_ratio: '16:9',
        scene: await picture('jpeg', [1280, 720], '#0000ff'),
        characters: Array.from({ length: 6 }, () => ring),
        objects: [],
      }),
    );
    // Six squares of half the height do not fit next to each other: each is a sixth of the row.
    const first = 0.04 + 0.92 / 12;
    expect(near(at(first, 0.87), [255, 0, 0])).toBe(true);
    expect(near(at(first, 0.99), [0, 0, 255])).toBe(true);
    expect(near(at(0.97, 0.87), [0, 0, 255])).toBe(true);
  });
});

/** What libjpeg only warns of: a sequential scan that says it has one coefficient. */
function withOddScan(jpeg: Buffer): Buffer {
  const odd = Buffer.from(jpeg);
  const scan = odd.indexOf(Buffer.from([0xff, 0xda]));
  const components = odd[scan + 4] ?? 0;
  odd[scan + 4 + 2 * components + 2] = 0;
  return odd;
}

describe('upload', () => {
  const composite = (): CompositeReference => ({
    input: 'start_image',
    aspect_ratio: '16:9',
    scene_url: host.url('/good.jpg'),
    character_urls: [host.url('/good.png')],
    object_urls: [],
  });
  const inFolder = async (data_dir: string): Promise<string[]> =>
    (await readdir(path.join(data_dir, 'artifacts', 'job'))).sort();
  const kept = async (references: ReturnType<typeof referencesWith>): Promise<void> => {
    const { scene_url, character_urls } = composite();
    for (const url of [scene_url, ...character_urls]) {
      expect(await references.check(url, { keep: true, signal })).toBeNull();
    }
  };
  /** Answers one after another; the last one for ever. */
  const scripted = (...outcomes: UploadOutcome[]) => {
    const files = {
      uploads: 0,
      upload: () => {
        const outcome = outcomes[Math.min(files.uploads++, outcomes.length - 1)];
        return outcome === undefined ? Promise.reject(new Error()) : Promise.resolve(outcome);
      },
    };
    return files;
  };
  const done = (url: string, expires_at: string | null = null): UploadOutcome => ({
    type: 'uploaded',
    url,
    expires_at,
  });

  it('goes through the files API, and its URL can be fetched', async () => {
    const simulator = await startSimulator({ port: 0, speed: 30, data_dir: null });
    try {
      const data_dir = path.join(dataDir, 'real');
      const files = createReplicateFiles({ token: 'r8_test', base_url: simulator.url });
      const references = referencesWith({ ...storedIn(data_dir), files });
      await kept(references);
      const uploaded = await references.upload(composite(), signal);
      if (uploaded.type !== 'uploaded') throw new Error(uploaded.message);
      const about = (await (
        await fetch(uploaded.url, { headers: { authorization: 'Bearer r8_test' } })
      ).json()) as object;
      expect(about).toMatchObject({ content_type: 'image/jpeg' });
      await references.tidy();
      expect(await inFolder(data_dir)).toEqual([
        expect.stringMatching(/^composite-[0-9a-f]{16}\.jpg$/),
        expect.stringMatching(/^composite-[0-9a-f]{16}\.json$/),
      ]);
    } finally {
      await simulator.close();
    }
  });

  it('happens once for a set, whichever process asks again', async () => {
    const data_dir = path.join(dataDir, 'once');
    const files = scripted(done('https://a/1'), done('https://a/2'));
    await kept(referencesWith({ ...storedIn(data_dir), files }));
    const first = await referencesWith({ ...storedIn(data_dir), files }).upload(
      composite(),
      signal,
    );
    expect(
      await referencesWith({ ...storedIn(data_dir), files }).upload(composite(), signal),
    ).toEqual(first);
    expect(files.uploads).toBe(1);
    expect(await referencesWith({ ...storedIn(data_dir) }).isBuilt(composite())).toBe(true);
    const elsewhere = referencesWith({ ...storedIn(data_dir), files, provider: 'there' });
    expect(await elsewhere.upload(composite(), signal)).toMatchObject({ url: 'https://a/2' });
  });

  it.each(['scene', 'character', 'object'] as const)(
    'takes as %s every image that the check has found good, also one with warnings',
    async (place) => {
      const data_dir = path.join(dataDir, `odd-${place}`);
      const url = host.url('/odd.jpg');
      host.set(
        '/odd.jpg',
        bytes(
          withOddScan(
            await sharp(await noise(300, 300))
              .jpeg()
              .toBuffer(),
          ),
        ),
      );
      const odd = {
        ...composite(),
        ...(place === 'scene' && { scene_url: url }),
        ...(place === 'character' && { character_urls: [url] }),
        ...(place === 'object' && { object_urls: [url] }),
      };
      const references = referencesWith({
        ...storedIn(data_dir),
        files: scripted(done('https://a/1')),
      });
      await kept(references);
      expect(await references.check(url, { keep: true, signal })).toBeNull();
      expect(await references.upload(odd, signal)).toMatchObject({ type: 'uploaded' });
    },
  );

  it.each([
    [new BadPart(1, 'expected something else'), /^http[^ ]*\/good\.png: expected something else$/],
    [new TooMuch('the file took more than 1 MB'), /good\.jpg, .*good\.png: .*more than 1 MB$/],
    [new ChildLost('ended from outside'), /good\.jpg, .*good\.png: ended from outside$/],
  ])(
    'whose images cannot be composed is refused, with the image by name: %s',
    async (error, message) => {
      const data_dir = path.join(dataDir, 'refused', error.name);
      const images = { ...media, compose: () => Promise.reject(error) };
      const references = referencesWith({ ...storedIn(data_dir), images });
      await kept(references);
      expect(await references.upload(composite(), signal)).toEqual({
        type: 'failed',
        kind: 'invalid_reference',
        message: expect.stringMatching(message) as string,
      });
    },
  );

  it('decodes one image at a time, whichever job asks for it', async () => {
    let [at, most] = [0, 0];
    const counted = async <T>(work: () => Promise<T>): Promise<T> => {
      most = Math.max(most, ++at);
      return work().finally(() => at--);
    };
    const images = {
      inspect: (...given: Parameters<typeof media.inspect>) =>
        counted(() => media.inspect(...given)),
      compose: (...given: Parameters<typeof media.compose>) =>
        counted(() => media.compose(...given)),
    };
    const data_dir = path.join(dataDir, 'one-at-a-time');
    const one = referencesWith({
      ...storedIn(data_dir),
      images,
      files: scripted(done('https://a/1')),
    });
    const other = createReferences({
      ...{
        ...storedIn(data_dir),
        images,
        files: never,
        provider: 'here',
        allow_hosts: [host.host],
      },
    })('another');
    await kept(one);
    await Promise.all([
      one.upload(composite(), signal),
      ...['/good.jpg', '/good.png', '/good.webp'].map((file) =>
        other.check(host.url(file), { keep: false, signal }),
      ),
    ]);
    expect(most).toBe(1);
  });

  it('can be found by every clip it is for, however often it is assigned', async () => {
    const data_dir = path.join(dataDir, 'assigned');
    const references = referencesWith({
      ...storedIn(data_dir),
      files: scripted(done('https://a/1')),
    });
    await kept(references);
    await references.upload(composite(), signal);
    const name = (index: number) => artifactPath(data_dir, 'job', index, 'composite');
    await writeFile(name(0), 'of an older job of this name');
    for (const index of [0, 3, 3]) await references.assign(composite(), index);
    const [picture] = (await inFolder(data_dir)).filter((file) => file.startsWith('composite-'));
    const whole = await readFile(path.join(path.dirname(name(0)), picture ?? ''));
    expect(whole.equals(await readFile(name(0)))).toBe(true);
    expect(whole.equals(await readFile(name(3)))).toBe(true);
    await expect(references.assign({ ...composite(), aspect_ratio: '1:1' }, 5)).rejects.toThrow();
  });

  it('happens again, from the picture alone, after half of its lifetime', async () => {
    const data_dir = path.join(dataDir, 'again');
    const start = Date.parse('2026-01-01T00:00:00Z');
    const files = scripted(done('https://a/1', '2026-01-01T01:00:00Z'), done('https://a/2'));
    const at = (minute: number) =>
      referencesWith({ ...storedIn(data_dir), files, now: () => start + minute * 60_000 });
    await kept(at(0));
    expect(await at(0).upload(composite(), signal)).toEqual({
      type: 'uploaded',
      url: 'https://a/1',
      renew_at: '2026-01-01T00:30:00.000Z',
    });
    await at(0).tidy();
    expect(await at(29).upload(composite(), signal)).toMatchObject({ url: 'https://a/1' });
    expect(await at(31).upload(composite(), signal)).toMatchObject({ url: 'https://a/2' });
  });

  it('is tried again when that may help, and says why it was given up', async () => {
    const later: UploadOutcome = { type: 'later', seconds: 0, message: 'HTTP 503' };
    const data_dir = path.join(dataDir, 'later');
    const files = scripted(later, later, done('https://a/1'));
    await kept(referencesWith({ ...storedIn(data_dir) }));
    expect(
      (await referencesWith({ ...storedIn(data_dir), files }).upload(composite(), signal)).type,
    ).toBe('uploaded');
    const other = { ...composite(), aspect_ratio: '1:1' };
    expect(
      await referencesWith({ ...storedIn(data_dir), files: scripted(later) }).upload(other, signal),
    ).toEqual({ type: 'failed', kind: 'provider_error', message: 'HTTP 503' });
    const refused = scripted({ type: 'rejected', kind: 'unauthorized', message: 'HTTP 401' });
    expect(
      await referencesWith({ ...storedIn(data_dir), files: refused }).upload(other, signal),
    ).toMatchObject({
      kind: 'unauthorized',
    });
    expect(refused.uploads).toBe(1);
  });
});
