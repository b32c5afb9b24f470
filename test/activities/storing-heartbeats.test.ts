/** Downloads of clips take turns and say so; what the provider says again and again is final. */
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApplicationFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createStoreClip } from '../../src/activities/store-clip.js';
import { SAME_ANSWERS } from '../../src/activities/storing-heartbeats.js';
import { createHazards } from '../../src/adapters/media/hazards.js';
import { media } from '../../src/adapters/media/media.js';
import { DownloadSlots } from '../../src/adapters/network/download-slots.js';
import type {
  DownloadHeartbeat,
  StoreClipInput,
  StoreClipResult,
} from '../../src/contract/activities.js';
import { testFolder, type TestFolder } from '../support/test-folder.js';
import { artifactsIn } from '../support/stores.js';

let own: TestFolder;
let dataDir: string;
let server: Server;
let answer: RequestListener;

beforeEach(async () => {
  own = testFolder('storing');
  dataDir = own.path;
  server = createServer((request, response) => {
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  own.remove();
});

/** One execution after another of one activity, each given what the one before told with its last heartbeat. */
class Storing {
  #told: DownloadHeartbeat | undefined;
  attempt = 0;
  readonly beats: DownloadHeartbeat[] = [];
  readonly #more: Partial<Deps>;
  constructor(more: Partial<Deps> = {}) {
    this.#more = more;
  }
  async execute(): Promise<ApplicationFailure | StoreClipResult> {
    const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const output_url = `${origin}/a.mp4`;
    const deps = {
      store: artifactsIn(dataDir),
      hazards: createHazards(dataDir),
      media,
      replicate: { get: () => Promise.resolve({ type: 'failed', message: 'no answer' }) },
      provider_origin: origin,
      token: 'r8_test',
      ...this.#more,
    } as unknown as Deps;
    const environment = new MockActivityEnvironment({
      attempt: ++this.attempt,
      heartbeatDetails: this.#told,
    });
    environment.on('heartbeat', (told: DownloadHeartbeat) => {
      this.#told = told;
      this.beats.push(told);
    });
    try {
      return await environment.run<
        [StoreClipInput],
        StoreClipResult,
        ReturnType<typeof createStoreClip>
      >(createStoreClip(deps), {
        clip_index: 0,
        requested_duration: 5,
        prediction_id: 'p',
        output_url,
        expires_at: '2030-01-01T00:00:00Z',
      });
    } catch (error) {
      if (error instanceof ApplicationFailure) return error;
      throw error;
    }
  }
}

const saying =
  (code: number, body = ''): RequestListener =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/octet-stream' }).end(body);
  };
const NOISE = 'noise '.repeat(100);

describe('an answer that is not the file', () => {
  it.each<[string, RequestListener]>([
    ['HTTP 206', saying(206)],
    [
      'a redirect in a circle',
      (_request, response) => response.writeHead(302, { location: '/a.mp4' }).end(),
    ],
    ['a file that cannot be measured', saying(200, `\\0\\0\\0\\x18ftypisom${NOISE}`)],
    ['a text', saying(200, NOISE)],
  ])('is final when it comes so many times in a row: %s', async (_what, listener) => {
    answer = listener;
    const storing = new Storing();
    for (let time = 1; time < SAME_ANSWERS; time++) {
      expect(await storing.execute()).toMatchObject({ type: 'output_lost', nonRetryable: false });
    }
    expect(await storing.execute()).toMatchObject({
      type: 'output_lost',
      nonRetryable: true,
      message: expect.stringContaining(`the same ${String(SAME_ANSWERS)} times in a row`) as string,
    });
  });

  it('counts from the first again after another answer, or after trouble', async () => {
    const storing = new Storing();
    for (const listener of [saying(206), saying(503), saying(204)]) {
      answer = listener;
      for (let time = 1; time < SAME_ANSWERS; time++) {
        expect(await storing.execute()).toMatchObject({ nonRetryable: false });
      }
    }
  });

  it('that may pass is tried for as long as the file is kept', async () => {
    answer = saying(503);
    const storing = new Storing();
    for (let time = 0; time < 3 * SAME_ANSWERS; time++) {
      expect(await storing.execute()).toMatchObject({ nonRetryable: false });
    }
  });
});

describe('a download', () => {
  it('says that it waits for its turn, until it has one', async () => {
    const downloads = new DownloadSlots({ total: 1, per_job: 1, beyond_first: 0 });
    const first = await downloads.acquire(
      { job: 'other', host: 'x' },
      new AbortController().signal,
    );
    answer = saying(503);
    const storing = new Storing({ downloads });
    const ended = storing.execute();
    await expect.poll(() => storing.beats.at(-1)?.waits_for).toMatch(/waits for its turn/);
    first[Symbol.dispose]();
    await ended;
    expect(storing.beats.at(-1)?.waits_for).toBeNull();
    expect(downloads.held).toBe(0);
  });
});

it('a disk that cannot be written is tried again within a minute, after any number of failures', async () => {
  const store = {
    ...artifactsIn(dataDir),
    open: () => Promise.reject(new Error('ENOSPC')),
  };
  const storing = new Storing({ store });
  storing.attempt = 30;
  expect(await storing.execute()).toMatchObject({ type: 'storage_error', nextRetryDelay: '60s' });
});
