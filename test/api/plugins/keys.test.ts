/** What guessing keys comes to, and what tokens of a job open. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artifactPath } from '../../support/stored-files.js';
import { clientOf, createWrongKeys } from '../../../src/api/plugins/wrong-keys.js';
import { harness, read } from '../harness.js';
import type { Harness } from '../harness.js';
import { createDirectoryStore } from '../../../src/adapters/storage/directory-store.js';

const [ONE, TWO] = ['first-key-of-many', 'second-key-of-many'] as const;
const FILES = ['video', 'thumbnail', 'composite'] as const;

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('wrong keys', () => {
  const jobs = (key: string, remoteAddress: string) => ({
    url: '/v1/jobs',
    headers: bearer(key),
    remoteAddress,
  });

  it('are answered later after 20 in a minute, and as before after it', async () => {
    let now = Date.parse('2026-11-25T10:00:00Z');
    const { app } = await harness({ api_keys: [ONE, TWO], now: () => now });
    const ask = async (key: string, address = '192.0.2.1') => app.inject(jobs(key, address));
    const waitOf = async (key: string, address?: string) =>
      (await ask(key, address)).headers['retry-after'];
    for (let count = 1; count <= 20; count += 1) {
      const { statusCode, headers } = await ask(`wrong-${String(count)}`);
      expect([count, statusCode, headers['retry-after']]).toEqual([count, 401, undefined]);
    }
    now += 15_000;
    const refused = await ask('wrong');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([401, '45']);
    expect(refused.headers['content-type']).toContain('application/problem+json');
    expect((await ask(ONE)).statusCode).toBe(200);
    expect(await waitOf('wrong', '192.0.2.2')).toBeUndefined();
    // Without a key there is nothing to guess with.
    const bare = await app.inject({ url: '/v1/jobs', remoteAddress: '192.0.2.1' });
    expect([bare.statusCode, bare.headers['retry-after']]).toEqual([401, undefined]);
    now += 45_000;
    expect(await waitOf('wrong')).toBeUndefined();
  });

  it('that come many at a time are refused with 429, and a right one at the same time is not', async () => {
    const { app } = await harness({ api_keys: [ONE] });
    for (let count = 0; count < 20; count += 1) await app.inject(jobs('wrong', '192.0.2.1'));
    const guesses = Array.from({ length: 12 }, (_, index) =>
      app.inject(jobs(`wrong-${String(index)}`, '192.0.2.1')),
    );
    const right = await app.inject(jobs(ONE, '192.0.2.1'));
    expect(right.statusCode).toBe(200);
    const statuses = (await Promise.all(guesses)).map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401)).toHaveLength(4);
    expect(statuses.filter((status) => status === 429)).toHaveLength(8);
  });

  it('in queries and made-up tokens count like any other', async () => {
    const { app } = await harness({ api_keys: [ONE] });
    const waits: unknown[] = [];
    for (let count = 0; count < 24; count += 1) {
      const word = count % 2 === 0 ? 'api_key' : 'token';
      const url = `/v1/jobs/a/clips/0/video?${word}=${String(count)}`;
      waits.push((await app.inject({ url })).headers['retry-after']);
    }
    expect(waits.map((wait) => wait !== undefined)).toEqual([
      ...Array<boolean>(20).fill(false),
      ...Array<boolean>(4).fill(true),
    ]);
  });

  it('of ever new addresses take no more room than 10,000 of them', () => {
    const wrongKeys = createWrongKeys(() => 0);
    const shown = (address: string, times: number): (number | null)[] =>
      Array.from({ length: times }, () => wrongKeys.count(address));
    expect(shown('192.0.2.1', 21).at(-1)).toBe(60);
    for (let index = 0; index < 9_999; index += 1) wrongKeys.count(`client-${String(index)}`);
    expect(wrongKeys.count('192.0.2.1')).toBe(60);
    wrongKeys.count('one more');
    expect(wrongKeys.count('192.0.2.1')).toBeNull(); // the oldest made room
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:5:6:7:8', true],
    ['::1', '::2', true],
    ['fe80::1%eth0', 'fe80::2%eth1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['', '', true],
  ])('from %s and %s: one client? %s', (a, b, isOne) => {
    expect(clientOf(a) === clientOf(b)).toBe(isOne);
  });
});

describe("a job's token", () => {
  async function withFiles(settings: Parameters<typeof harness>[0] = {}): Promise<Harness> {
    const opened = await harness({ api_keys: [ONE, TWO], ...settings });
    for (const id of ['a', 'b']) {
      opened.jobs.add(id);
      for (const name of FILES) {
        const file = artifactPath(opened.data_dir, id, 0, name);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, '0123456789');
      }
    }
    return opened;
  }

  async function tokenOf({ app }: Harness, jobId: string, key: string = ONE) {
    const url = `/v1/jobs/${encodeURIComponent(jobId)}/token`;
    const answer = await app.inject({ method: 'POST', url, headers: bearer(key) });
    expect([answer.statusCode, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    return answer.json<{ token: string; expires_at: string }>();
  }

  it('opens the files and events of that job, and is asked for with a key alone', async () => {
    const opened = await withFiles();
    const { token } = await tokenOf(opened, 'a');
    for (const file of FILES) {
      const url = `/v1/jobs/a/clips/0/${file}?token=${token}`;
      expect([file, (await opened.app.inject({ url })).statusCode]).toEqual([file, 200]);
    }
    const stream = await read(`${opened.url}/v1/jobs/a/events?token=${token}`);
    expect(stream.status).toBe(200);
    stream.close();
    for (const url of ['/v1/jobs/a/token', `/v1/jobs/a/token?token=${token}`]) {
      expect((await opened.app.inject({ method: 'POST', url })).statusCode).toBe(401);
    }
  });

  it('opens nothing of another job, nothing else of its own, and no act', async () => {
    const opened = await withFiles();
    const { token } = await tokenOf(opened, 'a');
    const refused: ['GET' | 'POST', string][] = [
      ...FILES.map((file) => ['GET', `/v1/jobs/b/clips/0/${file}`] as ['GET', string]),
      ['GET', '/v1/jobs/b/events'],
      ['GET', '/v1/jobs/a'],
      ['GET', '/v1/jobs'],
      ['GET', '/metrics'],
      ['POST', '/v1/jobs'],
      ...['cancel', 'pause', 'resume', 'retry', 'max-cost', 'clips/0/cancel', 'clips/0/retry'].map(
        (act) => ['POST', `/v1/jobs/a/${act}`] as ['POST', string],
      ),
    ];
    for (const [method, url] of refused) {
      const inQuery = await opened.app.inject({ method, url: `${url}?token=${token}` });
      const asKey = await opened.app.inject({ method, url, headers: bearer(token) });
      expect([url, inQuery.statusCode, asKey.statusCode]).toEqual([url, 401, 401]);
    }
    expect(opened.jobs.signals).toEqual([]);
  });

  it('expires, and says so', async () => {
    let now = Date.parse('2026-11-25T10:00:00Z');
    const opened = await withFiles({ now: () => now });
    const { token, expires_at } = await tokenOf(opened, 'a');
    const url = `/v1/jobs/a/clips/0/video?token=${token}`;
    expect(expires_at).toBe('2026-11-25T10:15:00.000Z');
    now = Date.parse(expires_at) - 1;
    expect((await opened.app.inject({ url })).statusCode).toBe(200);
    now += 1;
    for (let count = 0; count < 30; count += 1) {
      const late = await opened.app.inject({ url });
      // What has once been right is no guess.
      expect([late.statusCode, late.body]).toEqual([401, expect.stringContaining('expired')]);
    }
  });

  it('works on every process with the key that asked, and dies with the key', async () => {
    const opened = await withFiles();
    const { token } = await tokenOf(opened, 'a', TWO);
    const url = `/v1/jobs/a/clips/0/video?token=${token}`;
    const statusWith = async (api_keys: string[]) => {
      const { app } = await harness({ api_keys }, { store: createDirectoryStore(opened.data_dir) });
      return (await app.inject({ url })).statusCode;
    };
    expect(await statusWith(['third-key-of-many', TWO])).toBe(200);
    expect(await statusWith([ONE, 'third-key-of-many'])).toBe(401);
  });

  it('is not needed where no keys are set', async () => {
    const opened = await withFiles({ api_keys: [] });
    expect(await tokenOf(opened, 'a')).toEqual({ token: null, expires_at: null });
    const { app } = opened;
    expect((await app.inject({ url: '/v1/jobs/a/clips/0/video?token=x' })).statusCode).toBe(200);
  });

  it('cannot be made, moved to another job or given more time', async () => {
    const opened = await withFiles({
      now: () => Date.parse('2026-11-25T10:00:00Z'),
      wrong_key_pause: 0,
    });
    const { token } = await tokenOf(opened, 'a');
    const changed = fc.oneof(
      fc.string(),
      fc.nat(token.length - 1).map((at) => token.slice(0, at)),
      fc.nat(token.length - 1).map((at) => token.slice(0, at) + token.slice(at + 1)),
      fc
        .tuple(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 2 }))
        .map(([at, by]) => token.slice(0, at) + by + token.slice(at)),
      fc.bigInt({ min: 0n }).map((later) => `${String(later)}.${token.split('.')[1] ?? ''}`),
    );
    await fc.assert(
      fc.asyncProperty(changed, async (text) => {
        fc.pre(text !== token);
        const url = `/v1/jobs/a/clips/0/video?token=${encodeURIComponent(text)}`;
        expect((await opened.app.inject({ url })).statusCode).not.toBe(200);
      }),
    );
  });

  it('is of any id that a workflow may have', async () => {
    const opened = await withFiles();
    for (const id of ['a/b', 'ä', 'a?b', '%', 'a b']) {
      const { token } = await tokenOf(opened, id);
      const url = `/v1/jobs/${encodeURIComponent(id)}/clips/0/video?token=${token}`;
      expect([id, (await opened.app.inject({ url })).statusCode]).toEqual([id, 404]);
    }
  });
});
