/** An output that no process can look into: its clip fails for good, at once and with the reason; a picture never matters. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ApplicationFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createStoreClip } from '../../src/activities/store-clip.js';
import { createHazards } from '../../src/adapters/media/hazards.js';
import { ChildLost, media, TooMuch } from '../../src/adapters/media/media.js';
import type { Media } from '../../src/adapters/media/media.js';
import type { StoreClipInput, StoreClipResult } from '../../src/contract/activities.js';
import { encodeClip } from '../../src/simulator/clip/encode.js';
import { fragment, ftyp, moov } from '../../src/simulator/clip/boxes.js';
import { testFolder, type TestFolder } from '../support/test-folder.js';
import { artifactsIn } from '../support/stores.js';

let own: TestFolder;
let dataDir: string;
let server: Server;
const outputs = new Map<string, Uint8Array>();

beforeAll(async () => {
  own = testFolder('hostile');
  dataDir = own.path;
  server = createServer((request, response) => {
    response.writeHead(200, { 'content-type': 'video/mp4' }).end(outputs.get(request.url ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  outputs.set('/hostile', Buffer.concat([ftyp, moov(), fragment(0xffffffff)]));
  const size = { width: 320, height: 180 };
  outputs.set(
    '/good',
    await encodeClip({ caption: 'a', seed: 's', ...size, fps: 12, duration: 5 }),
  );
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  own.remove();
});

const inJob = () => readdir(path.join(dataDir, 'artifacts', 'test')).catch(() => []);

function store(clip: number, output: string, own: Partial<Media> = {}): Promise<StoreClipResult> {
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const deps = {
    store: artifactsIn(dataDir),
    hazards: createHazards(dataDir),
    media: { ...media, ...own },
    provider_origin: origin,
    token: 'r8_test',
  } as unknown as Deps;
  return new MockActivityEnvironment().run<
    [StoreClipInput],
    StoreClipResult,
    ReturnType<typeof createStoreClip>
  >(createStoreClip(deps), {
    clip_index: clip,
    requested_duration: 5,
    prediction_id: `p${String(clip)}`,
    output_url: `${origin}${output}`,
    expires_at: '2030-01-01T00:00:00Z',
  });
}

const failureOf = (work: Promise<unknown>): Promise<ApplicationFailure> =>
  work.then(
    () => Promise.reject(new Error('expected a failure, got none')),
    (error: unknown) => error as ApplicationFailure,
  );

describe('an output', () => {
  it('that takes too much to measure fails its clip for good, and leaves nothing', async () => {
    expect(await failureOf(store(0, '/hostile'))).toMatchObject({
      type: 'output_lost',
      nonRetryable: true,
      message: expect.stringMatching(/more than \d+ MB of memory to measure/) as string,
    });
    expect(await inJob()).toEqual([]);
  });

  it('whose measuring was ended from outside is measured again', async () => {
    const measure = () => Promise.reject(new ChildLost('ended from outside'));
    expect(await failureOf(store(1, '/good', { measure }))).toMatchObject({ nonRetryable: false });
    const good = outputs.get('/good') ?? new Uint8Array();
    expect(await store(1, '/good')).toMatchObject({
      actual_duration: 5,
      video_bytes: good.length,
      video_sha256: createHash('sha256').update(good).digest('hex'),
    });
  });

  it.each([
    ['takes too much', () => Promise.reject(new TooMuch('the file took more than 512 MB'))],
    ['cannot be had', () => Promise.reject(new Error('no frame'))],
  ])('whose picture %s is kept without one', async (_what, thumbnail) => {
    const stored = await store(2, '/good', { thumbnail });
    expect(stored).toMatchObject({ actual_duration: 5, thumbnail_url: null });
  });

  it('that took two workers with it while it was measured fails its clip at the third', async () => {
    for (let count = 0; count < 2; count++) {
      // A worker that dies in the middle: what it began never ends.
      await new Promise<void>((begun) => {
        const measure = () => {
          begun();
          return new Promise<never>(() => undefined);
        };
        void store(3, '/good', { measure });
      });
    }
    expect(await failureOf(store(3, '/good'))).toMatchObject({
      type: 'output_lost',
      nonRetryable: true,
      message: expect.stringContaining('2 processes ended') as string,
    });
  });

  it('that took two workers with it while it was pictured is kept without a picture', async () => {
    for (let count = 0; count < 2; count++) {
      await new Promise<void>((begun) => {
        const thumbnail = () => {
          begun();
          return new Promise<never>(() => undefined);
        };
        void store(4, '/good', { thumbnail });
      });
    }
    expect(await store(4, '/good')).toMatchObject({ actual_duration: 5, thumbnail_url: null });
  });
});
