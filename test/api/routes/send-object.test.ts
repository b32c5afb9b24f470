/** Files of clips as RFC 9110 has them (ranges, ETags, HEAD), over any store, or at the store's own address. */
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';
import { artifactKey } from '../../../src/adapters/storage/store-keys.js';
import { StoreTrouble } from '../../../src/adapters/storage/store.js';
import type { Store, UrlOptions } from '../../../src/adapters/storage/store.js';
import type { ApiSettings } from '../../../src/api/app.js';
import { PAGE_POLICY } from '../../../src/api/plugins/headers.js';
import { eventually } from '../../support/eventually.js';
import { testFolder } from '../../support/test-folder.js';
import { harness } from '../harness.js';

const VIDEO = '/v1/jobs/a/clips/0/video';
const KEY = artifactKey('a', 0, 'video');
const CONTENT = '0123456789';
const NO_STORE = 'private, no-store';
const BUCKET = 'https://bucket.example';

type Own = (store: Store) => Partial<Store>;

/** An API over a directory, with the parts of the store that a test replaces. */
async function serving(own: Own = () => ({}), settings: Partial<ApiSettings> = {}) {
  const folder = testFolder('objects');
  onTestFinished(folder.remove);
  const directory = createDirectoryStore(folder.path);
  await directory.put(KEY, CONTENT);
  const store = { ...directory, ...own(directory) };
  const { app, url } = await harness(settings, { store });
  const get = (headers: Record<string, string> = {}) => app.inject({ url: VIDEO, headers });
  return { app, url, get, store: directory };
}

/** As a bucket gives them out. */
const addresses =
  (asked: UrlOptions[] = []): Own =>
  () => ({
    url: (key, options) => {
      asked.push(options);
      return Promise.resolve(`${BUCKET}/prefix/${key}?X-Amz-Signature=secret`);
    },
  });

describe('a range of a file', () => {
  it.each([
    ['from and to', 'bytes=2-4', '234', '2-4'],
    ['one byte', 'bytes=0-0', '0', '0-0'],
    ['open', 'bytes=7-', '789', '7-9'],
    ['longer than the file', 'bytes=8-999999999999999999999', '89', '8-9'],
    ['at the end', 'bytes=-3', '789', '7-9'],
    ['at the end, longer than the file', 'bytes=-99', CONTENT, '0-9'],
    ['in capitals and with spaces', 'Bytes = 2 - 4', '234', '2-4'],
  ])('is sent: %s', async (_what, range, body, sent) => {
    const { get } = await serving();
    const answer = await get({ range });
    expect([answer.statusCode, answer.body]).toEqual([206, body]);
    expect(answer.headers).toMatchObject({
      'content-range': `bytes ${sent}/10`,
      'content-length': String(body.length),
      'content-type': 'video/mp4',
      'accept-ranges': 'bytes',
    });
  });

  it.each([
    'bytes=0-1,4-5',
    'bytes=0-1,2-3',
    'bytes=5-2',
    'bytes=a-b',
    'bytes=1x-3',
    'bytes=-',
    'bytes=',
    'bytes',
    'lines=1-2',
    '',
  ])('is the whole where it is none, or more than one: "%s"', async (range) => {
    const { get } = await serving();
    const answer = await get({ range });
    expect([answer.statusCode, answer.body]).toEqual([200, CONTENT]);
    expect(answer.headers['content-length']).toBe('10');
    expect(answer.headers).not.toHaveProperty('content-range');
  });

  it.each(['bytes=10-', 'bytes=99-100', 'bytes=-0'])(
    'that the file does not have is refused with its length: %s',
    async (range) => {
      const { get } = await serving();
      const answer = await get({ range });
      expect(answer.statusCode).toBe(416);
      expect(answer.headers).toMatchObject({
        'content-range': 'bytes */10',
        'content-type': 'application/problem+json; charset=utf-8',
      });
      expect(answer.json()).toMatchObject({
        status: 416,
        detail: `expected a range of the file's 10 bytes, got ${range}`,
      });
    },
  );

  it('of an empty file is refused, and the file itself is empty', async () => {
    const { get, store } = await serving();
    await store.put(KEY, '');
    expect((await get({ range: 'bytes=0-' })).headers['content-range']).toBe('bytes */0');
    const whole = await get();
    expect([whole.statusCode, whole.body, whole.headers['content-length']]).toEqual([200, '', '0']);
  });

  it('is sent only while the file is the one that If-Range names, by ETag or by date', async () => {
    const { get } = await serving();
    const { etag, 'last-modified': date } = (await get()).headers;
    const status = async (condition: unknown): Promise<number> =>
      (await get({ range: 'bytes=2-4', 'if-range': String(condition) })).statusCode;
    expect(await status(etag)).toBe(206);
    expect(await status(date)).toBe(206);
    expect(await status('"another"')).toBe(200);
    expect(await status(`W/${String(etag)}`)).toBe(200);
    expect(await status(new Date(0).toUTCString())).toBe(200);
    // A condition that does not hold makes the range none: it cannot be refused either.
    const beyond = await get({ range: 'bytes=99-', 'if-range': '"another"' });
    expect([beyond.statusCode, beyond.body]).toEqual([200, CONTENT]);
  });
});

describe('a file', () => {
  it('is not sent again to who has it, by its ETag: alone, in a list, weak, or any', async () => {
    const { get } = await serving();
    const etag = String((await get()).headers.etag);
    for (const known of [etag, `"x", ${etag}`, `W/${etag}`, `"x" ,W/${etag},"y"`, '*', ' * ']) {
      const answer = await get({ 'if-none-match': known });
      expect([answer.statusCode, answer.body], known).toEqual([304, '']);
      expect(answer.headers.etag, known).toBe(etag);
    }
    for (const other of ['"x"', `"x${etag.slice(1)}`, etag.slice(1, -1), '']) {
      expect((await get({ 'if-none-match': other })).statusCode, other).toBe(200);
    }
    const both = await get({ 'if-none-match': etag, range: 'bytes=99-' });
    expect(both.statusCode).toBe(304);
  });

  it('has another ETag once it is another', async () => {
    const { get, store } = await serving();
    const { etag } = (await get()).headers;
    await store.put(KEY, 'abcdefghij');
    const answer = await get({ 'if-none-match': String(etag) });
    expect([answer.statusCode, answer.body]).toEqual([200, 'abcdefghij']);
  });

  it('answers HEAD as GET without its bytes, which are not read', async () => {
    const reads: string[] = [];
    const { app, get } = await serving((store) => ({
      get: (key, range) => {
        reads.push(key);
        return store.get(key, range);
      },
    }));
    const whole = await get();
    expect(reads).toEqual([KEY]);
    for (const headers of [{}, { range: 'bytes=2-4' }]) {
      const head = await app.inject({ method: 'HEAD', url: VIDEO, headers });
      expect([head.statusCode, head.body]).toEqual([200, '']);
      const { date: _date, connection: _connection, ...told } = whole.headers;
      expect(head.headers).toMatchObject(told);
    }
    expect(reads).toEqual([KEY]);
  });

  it('that is replaced between the look at it and its reading is sent as the new one', async () => {
    let replaced = false;
    const { get } = await serving((store) => ({
      get: async (key, range) => {
        if (!replaced) await store.put(KEY, 'another, and longer');
        replaced = true;
        return store.get(key, range);
      },
    }));
    const answer = await get({ range: 'bytes=0-3' });
    expect([answer.statusCode, answer.body]).toEqual([206, 'anot']);
    expect(answer.headers['content-range']).toBe('bytes 0-3/19');
  });

  it('that is replaced again and again is never sent under the length of another', async () => {
    let count = 0;
    const bodies: Readable[] = [];
    const { get } = await serving((store) => ({
      get: async (key, range) => {
        count += 1;
        await store.put(KEY, CONTENT.repeat(count + 1));
        const found = await store.get(key, range);
        if (found !== null) bodies.push(found.body);
        return found;
      },
    }));
    const answer = await get();
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(answer.json()).toMatchObject({ detail: expect.stringContaining('ask again') as string });
    expect(bodies.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  });

  it('that is gone between the look at it and its reading is not there', async () => {
    const { get } = await serving(() => ({ get: () => Promise.resolve(null) }));
    expect((await get()).statusCode).toBe(404);
  });

  it.each(['0'.repeat(1_000), 'ü'.repeat(100), '..', '.', 'a/../../b'])(
    'of a job whose id no store could keep is not there: %s',
    async (jobId) => {
      const { app } = await serving();
      const answer = await app.inject({
        url: VIDEO.replace('/a/', `/${encodeURIComponent(jobId)}/`),
      });
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([
        404,
        'application/problem+json; charset=utf-8',
      ]);
    },
  );

  it.each(['head', 'get'] as const)(
    'of a store in trouble is a 503 with what to do (%s)',
    async (call) => {
      const trouble = () => Promise.reject(new StoreTrouble('expected a bucket; set STORAGE_URL'));
      const { get } = await serving(() => ({ [call]: trouble }), { log_level: 'silent' });
      const answer = await get();
      expect(answer.statusCode).toBe(503);
      expect(answer.json()).toMatchObject({ detail: 'expected a bucket; set STORAGE_URL' });
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.headers).not.toHaveProperty('content-range');
    },
  );
});

describe('a reader that goes away', () => {
  const LARGE = 8 * 1024 * 1024;

  it('in the middle leaves no open file behind', async () => {
    const bodies: Readable[] = [];
    const { url, store } = await serving((store) => ({
      get: async (key, range) => {
        const found = await store.get(key, range);
        if (found !== null) bodies.push(found.body);
        return found;
      },
    }));
    await store.put(KEY, new Uint8Array(LARGE));
    const readers = Array.from({ length: 5 }, () => reader(`${url}${VIDEO}`));
    await Promise.all(readers.map(({ begun }) => begun));
    expect(bodies.map(({ closed }) => closed)).toEqual([false, false, false, false, false]);
    for (const { leave } of readers) leave();
    await eventually('every file to be closed', async () => ({
      done: bodies.every(({ closed }) => closed),
      value: bodies.length,
    }));
  });

  it('before the first byte is there has its object closed all the same', async () => {
    let body: Readable | null = null;
    let begin: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (begin = resolve));
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const { url, app } = await serving((store) => ({
      get: async (key, range) => {
        begin();
        await answered;
        const found = await store.get(key, range);
        body = found?.body ?? null;
        return found;
      },
    }));
    const { leave } = reader(`${url}${VIDEO}`);
    await asked;
    leave();
    await eventually('its connection to be gone', async () => ({
      done: (await connections(app.server)) === 0,
      value: null,
    }));
    answer();
    await eventually('the object to be closed', async () => ({
      done: body?.destroyed === true,
      value: null,
    }));
  });

  it('is cut off where the store fails in the middle: never a short file that looks whole', async () => {
    const { url } = await serving(
      (store) => ({
        get: async (key) => {
          const facts = await store.head(key);
          const body = Readable.from(
            (async function* () {
              yield Buffer.from('012');
              throw new StoreTrouble('the bucket has gone');
            })(),
          );
          return facts === null ? null : { ...facts, body };
        },
      }),
      { log_level: 'silent' },
    );
    const answer = await fetch(`${url}${VIDEO}`);
    expect(answer.headers.get('content-length')).toBe('10');
    await expect(answer.text()).rejects.toThrow();
  });
});

const connections = (server: http.Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });

/** Reads the first bytes and then nothing. */
function reader(url: string): { begun: Promise<void>; leave: () => void } {
  const request = http.get(url, { agent: false });
  request.on('error', () => undefined);
  const begun = new Promise<void>((resolve) => {
    request.on('response', (response) => {
      response.on('error', () => undefined);
      response.once('data', () => {
        response.pause();
        resolve();
      });
    });
  });
  return { begun, leave: () => request.destroy() };
}

describe('with redirects, a file', () => {
  const redirecting = { storage_redirects: true };

  it('is read at the address of the store, for a quarter of an hour and under its own name', async () => {
    const asked: UrlOptions[] = [];
    const { get, app, store } = await serving(addresses(asked), redirecting);
    const answer = await get({ range: 'bytes=2-4' });
    expect([answer.statusCode, answer.body]).toEqual([302, '']);
    expect(answer.headers).toMatchObject({
      location: `${BUCKET}/prefix/${KEY}?X-Amz-Signature=secret`,
      'cache-control': NO_STORE,
    });
    expect(asked).toEqual([
      { expires_in: 900, media_type: 'video/mp4', file_name: 'clip_000.mp4' },
    ]);
    for (const name of ['thumbnail', 'composite'] as const) {
      await store.put(artifactKey('a', 0, name), 'picture');
      const picture = await app.inject({ url: `/v1/jobs/a/clips/0/${name}` });
      expect([picture.statusCode, asked.at(-1)]).toEqual([
        302,
        { expires_in: 900, media_type: 'image/jpeg' },
      ]);
    }
  });

  it.each<[string, Own, Partial<ApiSettings>, string]>([
    ['the store has no address', () => ({}), redirecting, ''],
    ['they are not wanted', addresses(), {}, ''],
    ['the reader does not want them', addresses(), redirecting, '?redirect=false'],
  ])('is sent from here where %s', async (_what, own, settings, query) => {
    const { app } = await serving(own, settings);
    const answer = await app.inject({ url: `${VIDEO}${query}`, headers: { range: 'bytes=2-4' } });
    expect([answer.statusCode, answer.body]).toEqual([206, '234']);
  });

  it('is looked up first: what is not there, and what one has, is told here', async () => {
    const asked: UrlOptions[] = [];
    const { app, get } = await serving(addresses(asked), redirecting);
    const head = await app.inject({ method: 'HEAD', url: VIDEO });
    expect([head.statusCode, head.headers['content-length']]).toEqual([200, '10']);
    expect(head.headers).not.toHaveProperty('location');
    expect((await get({ 'if-none-match': String(head.headers.etag) })).statusCode).toBe(304);
    expect((await app.inject({ url: VIDEO.replace('/0/', '/7/') })).statusCode).toBe(404);
    expect(asked).toEqual([]);
  });

  it('gives its address to those with a key or a token of the job alone', async () => {
    const asked: UrlOptions[] = [];
    const keys = { api_keys: ['a-key-of-the-api'], wrong_key_pause: 0 };
    const { app } = await serving(addresses(asked), { ...redirecting, ...keys });
    const bearer = { authorization: 'Bearer a-key-of-the-api' };
    const issued = await app.inject({ method: 'POST', url: '/v1/jobs/a/token', headers: bearer });
    const { token } = issued.json<{ token: string }>();
    const statuses = [];
    for (const [url, headers] of [
      [VIDEO, {}],
      [VIDEO, { authorization: 'Bearer another' }],
      [VIDEO.replace('/a/', '/b/') + `?token=${token}`, {}],
    ] as const) {
      statuses.push((await app.inject({ url, headers })).statusCode);
    }
    expect(statuses).toEqual([401, 401, 401]);
    expect(asked).toEqual([]);
    const opened = await app.inject({ url: `${VIDEO}?token=${token}` });
    expect([opened.statusCode, asked.length]).toEqual([302, 1]);
    expect(opened.headers.location).not.toContain(token);
    expect((await app.inject({ url: VIDEO, headers: bearer })).statusCode).toBe(302);
  });

  it('of a store in trouble is a 503 as well', async () => {
    const url = () => Promise.reject(new StoreTrouble('expected credentials, got none'));
    const { get } = await serving(() => ({ url }), { ...redirecting, log_level: 'silent' });
    const answer = await get();
    expect([answer.statusCode, answer.headers.location]).toEqual([503, undefined]);
    expect(answer.json()).toMatchObject({ detail: 'expected credentials, got none' });
  });

  it('has its address in no log, whatever the level', async () => {
    const { app, get } = await serving(addresses(), { ...redirecting, log_level: 'trace' });
    const lines: string[] = [];
    const stream = Reflect.get(app.log, pino.symbols.streamSym) as { write: unknown };
    stream.write = (line: string) => lines.push(line);
    await get();
    app.log.info('the end');
    expect(lines.join('')).toMatch(/"status":302.*the end/s);
    expect(lines.join('')).not.toContain('X-Amz');
  });
});

describe('the page', () => {
  const policyOf = async (own: Own, settings: Partial<ApiSettings>): Promise<string> => {
    const page = testFolder('page');
    onTestFinished(page.remove);
    await mkdir(path.join(page.path, 'web'));
    await writeFile(path.join(page.path, 'web', 'index.html'), '<!doctype html>');
    const { app } = await serving(own, { page_dir: page.path, ...settings });
    const { headers } = await app.inject({ url: '/' });
    return String(headers['content-security-policy']);
  };

  it('may load from the bucket that files are redirected to, and from nowhere else', async () => {
    const policy = await policyOf(addresses(), { storage_redirects: true });
    const named = policy.split('; ').filter((rule) => rule.includes(BUCKET));
    expect(named).toEqual([
      `connect-src 'self' ${BUCKET}`,
      `img-src 'self' ${BUCKET}`,
      `media-src 'self' blob: ${BUCKET}`,
    ]);
  });

  it.each<[string, Own, Partial<ApiSettings>]>([
    ['without redirects', addresses(), {}],
    ['with a store that has no addresses', () => ({}), { storage_redirects: true }],
    [
      'with a store that has none at the moment',
      () => ({ url: () => Promise.reject(new StoreTrouble('away')) }),
      { storage_redirects: true },
    ],
  ])('loads from its own origin alone %s', async (_what, own, settings) => {
    expect(await policyOf(own, settings)).toBe(PAGE_POLICY);
  });
});
