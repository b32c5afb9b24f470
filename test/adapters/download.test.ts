/** Where outputs may come from, who gets the token, and what counts as a whole file. */
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { download, mayHoldOutputs } from '../../src/adapters/download.js';
import type { DownloadOptions } from '../../src/adapters/download.js';

const ORIGIN = 'https://api.replicate.com';

describe('an output', () => {
  it.each([
    ['https://replicate.delivery/xezq/a/out.mp4', true],
    ['https://pbxt.replicate.delivery/a/out.mp4', true],
    ['https://api.replicate.com/v1/files/x/download', true],
    ['http://replicate.delivery/a.mp4', false],
    ['https://replicate.delivery:8443/a.mp4', false],
    ['https://replicate.delivery.evil.example/a.mp4', false],
    ['https://evilreplicate.delivery/a.mp4', false],
    ['https://169.254.169.254/latest', false],
    ['http://127.0.0.1:3000/a.mp4', false],
  ])('%s: may be fetched: %s', (url, isAllowed) => {
    expect(mayHoldOutputs(new URL(url), ORIGIN)).toBe(isAllowed);
  });
});

describe('download', () => {
  let folder = '';
  const closers: (() => void)[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'download-'));
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) close();
    await rm(folder, { recursive: true, force: true });
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  }

  const get = (origin: string, more: Partial<DownloadOptions> = {}) =>
    download(`${origin}/a.mp4`, createWriteStream(path.join(folder, 'a.mp4')), {
      provider_origin: origin,
      token: 'r8_secret',
      signal: new AbortController().signal,
      ...more,
    });

  it('writes the file and its hash, and sends the token to the provider itself', async () => {
    let authorization: string | undefined;
    const origin = await serve((request, response) => {
      authorization = request.headers.authorization;
      response.writeHead(200, { 'content-type': 'video/mp4' }).end('bytes');
    });
    const done = await get(origin);
    expect(done).toMatchObject({ type: 'done', bytes: 5 });
    expect(await readFile(path.join(folder, 'a.mp4'), 'utf8')).toBe('bytes');
    expect(authorization).toBe('Bearer r8_secret');
  });

  it('follows no redirect to another host, and shows it nothing', async () => {
    let visits = 0;
    const elsewhere = await serve((_request, response) => {
      visits++;
      response.end('gotcha');
    });
    const origin = await serve((_request, response) => {
      response.writeHead(302, { location: `${elsewhere}/a.mp4` }).end();
    });
    expect(await get(origin)).toMatchObject({ type: 'failed', kind: 'output_lost' });
    expect(visits).toBe(0);
  });

  it.each<[string, RequestListener, RegExp]>([
    [
      'an HTML page',
      (_q, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      /html/,
    ],
    ['a 404', (_q, r) => void r.writeHead(404).end(), /404/],
    [
      'half of what was announced',
      (_q, r) => {
        r.writeHead(200, { 'content-type': 'video/mp4', 'content-length': '10' });
        r.write('half!', () => r.socket?.destroy());
      },
      /broke off|expected/,
    ],
    [
      'more than the cap, announced',
      (_q, r) => void r.writeHead(200, { 'content-length': '5000' }).end('x'.repeat(5000)),
      /at most 1000/,
    ],
    [
      'more than the cap, not announced',
      (_q, r) => void r.writeHead(200).end('x'.repeat(5000)),
      /exceeds 1000|at most 1000/,
    ],
    [
      'an endless loop of redirects',
      (_q, r) => void r.writeHead(302, { location: '/again' }).end(),
      /redirects/,
    ],
  ])('fails, to be tried again, on %s', async (_name, listener, words) => {
    const origin = await serve(listener);
    const failed = await get(origin, { max_bytes: 1000 });
    expect(failed).toMatchObject({ type: 'failed', kind: 'output_lost', final: false });
    expect(failed.type === 'failed' && failed.message).toMatch(words);
    expect(JSON.stringify(failed)).not.toContain('r8_secret');
  });

  it('gives up on a download that stalls', async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4' }).write('some');
    });
    expect(await get(origin, { idle: 200 })).toMatchObject({
      type: 'failed',
      message: 'the download stalled',
    });
  });

  it('calls a disk that cannot be written a storage_error', async () => {
    const origin = await serve((_request, response) => void response.end('bytes'));
    const failed = await download(
      `${origin}/a.mp4`,
      createWriteStream(path.join(folder, 'missing', 'a.mp4')),
      { provider_origin: origin, token: 't', signal: new AbortController().signal },
    );
    expect(failed).toMatchObject({ type: 'failed', kind: 'storage_error', final: false });
  });
});
