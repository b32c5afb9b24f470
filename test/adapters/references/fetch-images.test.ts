/** What the images of a plan may take of a host, of time and of bytes; against real hosts that count. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DownloadSlots } from '../../../src/adapters/network/download-slots.js';
import { createReferenceFetch } from '../../../src/adapters/references/fetch-images.js';
import type { ReferenceFetchOptions } from '../../../src/adapters/references/fetch-images.js';
import { bytes, ImageHost, redirect } from '../../support/image-host.js';
import type { Answer } from '../../support/image-host.js';

const { signal } = new AbortController();
let host: ImageHost;
beforeEach(async () => {
  host = await ImageHost.start({});
});
afterEach(() => host[Symbol.asyncDispose]());

const many = (answer: Answer, count: number, prefix = '/'): string[] =>
  Array.from({ length: count }, (_, index) => {
    const path = `${prefix}${String(index)}.jpg`;
    host.set(path, answer);
    return host.url(path);
  });

const open = { total: 100, per_job: 100, beyond_first: 100 };

/** All at once, as no plan ever asks. */
function fetchAll(urls: string[], options: Partial<ReferenceFetchOptions> = {}) {
  const fetching = createReferenceFetch('job', {
    allow_hosts: ['127.0.0.1'],
    retry_after: [1, 1],
    slots: new DownloadSlots(open),
    ...options,
  });
  const used = () => Promise.resolve(null);
  return Promise.all(urls.map((url) => fetching.fetch(url, signal, used)));
}

/** One byte now, then one each 20 ms, without an end. */
const drip: Answer = (_request, response) => {
  response.writeHead(200).write('x');
  const timer = setInterval(() => response.write('x'), 20);
  response.on('close', () => {
    clearInterval(timer);
  });
};

/** Answers an image after so many milliseconds, and counts the most requests that it had at a time. */
function countingHandler(milliseconds: number) {
  let atOnce = 0;
  const counted = { most: 0 };
  const handler: Parameters<typeof many>[0] = (_request, response) => {
    counted.most = Math.max(counted.most, ++atOnce);
    setTimeout(() => {
      atOnce -= 1;
      response.end('an image');
    }, milliseconds);
  };
  return Object.assign(counted, { handler });
}

describe('a host', () => {
  it('has few connections at a time, and one request for each image, for any number of images', async () => {
    const counted = countingHandler(5);
    const urls = many(counted.handler, 60);
    const slots = new DownloadSlots({ ...open, per_host: { slots: 3, per_second: 10_000 } });
    const [one, other] = [urls.slice(0, 30), urls.slice(30)];
    await Promise.all([fetchAll(one, { slots }), fetchAll(other, { slots })]);
    expect(host.requests).toHaveLength(60);
    expect(counted.most).toBe(3);
  });

  it('has at most four connections by default, over all jobs', async () => {
    const counted = countingHandler(400);
    const urls = many(counted.handler, 24);
    const use = () => Promise.resolve(null);
    const fetched = ['a', 'b', 'c'].flatMap((job, place) => {
      const fetching = createReferenceFetch(job, { allow_hosts: ['127.0.0.1'] });
      return urls.slice(place * 8, place * 8 + 8).map((url) => fetching.fetch(url, signal, use));
    });
    await Promise.all(fetched);
    expect(host.requests).toHaveLength(24);
    expect(counted.most).toBe(4);
  });

  it('has its own limit when another host redirects to it', async () => {
    let atOnce = 0;
    let most = 0;
    host.set('/goal.jpg', (_request, response) => {
      most = Math.max(most, ++atOnce);
      setTimeout(() => {
        atOnce -= 1;
        response.end('an image');
      }, 5);
    });
    await using front = await ImageHost.start(
      Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [
          `/${String(index)}`,
          redirect(host.url('/goal.jpg')),
        ]),
      ),
    );
    const slots = new DownloadSlots({ ...open, per_host: { slots: 2, per_second: 10_000 } });
    const urls = Array.from({ length: 20 }, (_, index) => front.url(`/${String(index)}`));
    expect(await fetchAll(urls, { slots })).toEqual(urls.map(() => null));
    expect(most).toBe(2);
  });

  it.each([429, 503])('that answers %i and asks to wait is not asked before', async (code) => {
    const times: number[] = [];
    host.set('/a.jpg', (_request, response) => {
      times.push(performance.now());
      if (times.length > 1) response.end('an image');
      else response.writeHead(code, { 'retry-after': '1' }).end();
    });
    expect(await fetchAll([host.url('/a.jpg')])).toEqual([null]);
    const [first = 0, second = 0] = times;
    // What it asked for, not how fast this machine is.
    expect(second - first).toBeGreaterThanOrEqual(990);
  });

  it('that asks for a longer wait than the plan has left is given up, and the reason says so', async () => {
    host.set('/a.jpg', (_request, response) => {
      response.writeHead(503, { 'retry-after': '600' }).end();
    });
    const [reason] = await fetchAll([host.url('/a.jpg')], { limits: { overall: 5_000 } });
    expect(reason).toMatch(/HTTP 503.* 600 s, which is longer than this plan has left/);
    expect(host.requests).toHaveLength(1);
  });
});

describe('a slow image', () => {
  it('is given up when it comes below the least rate, long before its time is over', async () => {
    const [reason] = await fetchAll(many(drip, 1), { rate: { bytes: 500, window: 0.2 } });
    expect(reason).toMatch(/at least 500 bytes a second, got \d+ in 0.2 s/);
    expect(host.requests).toHaveLength(1);
  });

  it('is given up when its time is over, which all redirects share and waiting for a slot does not count', async () => {
    const slots = new DownloadSlots({ total: 1, per_job: 1, beyond_first: 0 });
    const urls = many(drip, 3);
    const reasons = await fetchAll(urls, { slots, timeout: 200 });
    expect(reasons).toEqual(
      urls.map(() => 'expected the whole image within 0.2 s, got no end of it'),
    );
    // Each was asked: what the ones before took is not theirs.
    expect(host.requests).toHaveLength(3);
  });
});

describe('a plan', () => {
  it.each<[string, NonNullable<ReferenceFetchOptions['limits']>, RegExp]>([
    ['failed', { failed: 300 }, /\d+ images of this plan could not be fetched, which took/],
    ['overall', { overall: 300 }, /may take 0 s together/],
  ])('of a thousand dead hosts ends soon (%s)', async (_what, limits, message) => {
    const urls = many(() => undefined, 1_000);
    const slots = new DownloadSlots({ total: 6, per_job: 6, beyond_first: 6 });
    const reasons = await fetchAll(urls, { slots, timeout: 100, limits });
    expect(reasons.every((reason) => reason !== null)).toBe(true);
    expect(reasons.filter((reason) => message.test(reason ?? '')).length).toBeGreaterThan(900);
    expect(host.requests.length).toBeLessThan(100);
  });

  it('of images that are too large together has the rest refused with the figures', async () => {
    const urls = many(bytes(Buffer.alloc(2 ** 20)), 20);
    const slots = new DownloadSlots({ total: 1, per_job: 1, beyond_first: 0 });
    const reasons = await fetchAll(urls, { slots, limits: { bytes: 5 * 2 ** 20 } });
    expect(reasons.filter((reason) => reason === null)).toHaveLength(5);
    expect(reasons.at(-1)).toBe(
      'not fetched: the images of a plan may have 5 MB together, 5 of them were read before that',
    );
    expect(host.requests).toHaveLength(6);
  });

  it('counts the bytes of endless bodies, too', async () => {
    const urls = many((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(2 ** 20)));
        response.once('drain', more);
      };
      response.writeHead(200);
      more();
    }, 10);
    const slots = new DownloadSlots({ total: 1, per_job: 1, beyond_first: 0 });
    const reasons = await fetchAll(urls, { slots, limits: { bytes: 50 * 2 ** 20 } });
    expect(reasons[0]).toMatch(/at most 20 MB/);
    expect(reasons.at(-1)).toMatch(/may have 50 MB together/);
    expect(host.requests.length).toBeLessThan(5);
  });

  it('says that it waits while other jobs hold every slot, and no longer', async () => {
    const slots = new DownloadSlots({ total: 1, per_job: 1, beyond_first: 0 });
    const other = await slots.acquire({ job: 'other', host: 'x' }, signal);
    const [url = ''] = many(bytes('an image'), 1);
    const fetching = createReferenceFetch('job', { allow_hosts: ['127.0.0.1'], slots });
    expect(fetching.waiting()).toBeNull();
    const fetched = fetching.fetch(url, signal, () => Promise.resolve(null));
    await expect.poll(() => fetching.waiting()).toMatch(/waits for its turn/);
    other[Symbol.dispose]();
    expect(await fetched).toBeNull();
    expect(fetching.waiting()).toBeNull();
  });
});
