/** Where outputs may come from, who gets the token, and what counts as a whole file. */
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { download, mayHoldOutputs } from '../../../src/adapters/replicate/download-output.js';
import type { DownloadOptions } from '../../../src/adapters/replicate/download-output.js';
import { testFolder } from '../../support/test-folder.js';

/** The beginning of an MP4, and noise that compresses badly enough to be longer than nothing. */
const VIDEO = Buffer.concat([
  Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isommp41', 'latin1'),
  Buffer.alloc(20_000, 'moov and mdat '),
]);

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
  beforeEach(() => {
    const own = testFolder('download');
    folder = own.path;
    return () => {
      for (const close of closers.splice(0)) close();
      own.remove();
    };
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
      response.writeHead(200, { 'content-type': 'video/mp4' }).end(VIDEO);
    });
    const done = await get(origin);
    expect(done).toMatchObject({ type: 'done', bytes: VIDEO.length });
    expect(await readFile(path.join(folder, 'a.mp4'))).toEqual(VIDEO);
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

  it.each<[string, RequestListener]>([
    [
      'announced',
      (_q, r) => void r.writeHead(200, { 'content-length': '5000' }).end('x'.repeat(5000)),
    ],
    ['not announced', (_q, r) => void r.writeHead(200).end('x'.repeat(5000))],
    [
      'endless',
      (_q, r) => {
        r.writeHead(200);
        const pour = (): void => {
          if (!r.destroyed && r.write('x'.repeat(999))) setImmediate(pour);
        };
        r.on('drain', pour);
        pour();
      },
    ],
    [
      'unpacked to it',
      (_q, r) =>
        void r.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(500_000))),
    ],
  ])('fails for good on a file above the cap: %s', async (_name, listener) => {
    const failed = await get(await serve(listener), { max_bytes: 1000 });
    expect(failed).toMatchObject({ type: 'failed', kind: 'output_lost', final: true });
    expect(failed.type === 'failed' && failed.message).toMatch(/at most 1000 bytes/);
  });

  const CODINGS: readonly (readonly [coding: string, code: (bytes: Buffer) => Buffer])[] = [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['gzip, br', (bytes) => brotliCompressSync(gzipSync(bytes))],
    ['identity', (bytes) => bytes],
    ['Identity', (bytes) => bytes],
  ];
  it.each(CODINGS)(
    'keeps the file as it is, asked for uncoded and sent as %s, with its length or in chunks',
    async (coding, code) => {
      const asked: unknown[] = [];
      for (const isChunked of [false, true]) {
        const coded = code(VIDEO);
        const origin = await serve((request, response) => {
          asked.push(request.headers['accept-encoding']);
          response.writeHead(200, {
            'content-encoding': coding,
            'content-type': 'video/mp4',
            ...(isChunked ? {} : { 'content-length': String(coded.length) }),
          });
          response.end(coded);
        });
        expect(await get(origin)).toMatchObject({ type: 'done', bytes: VIDEO.length });
        expect(await readFile(path.join(folder, 'a.mp4'))).toEqual(VIDEO);
      }
      expect(asked).toEqual(['identity', 'identity']);
    },
  );

  it('tries again when the answer is coded in a way that cannot be decoded', async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'x-unknown' }).end('(\xb5/\xfd\x04', 'latin1');
    });
    expect(await get(origin)).toMatchObject({ type: 'failed', kind: 'output_lost', final: false });
  });

  const OTHERS: readonly (readonly [name: string, bytes: string])[] = [
    ['a WebM video', '\x1aE\xdf\xa3\x9f\x42\x82\x84webm'],
    ['a Matroska video', '\x1aE\xdf\xa3\x9f\x42\x82\x88matroska'],
    ['an AVI video', 'RIFF\x10\0\0\0AVI LIST'],
    ['a GIF', 'GIF89a\x01\0'],
    ['a PNG image', '\x89PNG\r\n\x1a\n'],
    ['a JPEG image', '\xff\xd8\xff\xe0'],
    ['a WebP image', 'RIFF\x10\0\0\0WEBPVP8 '],
    ['an AVIF image', '\0\0\0\x10ftypavif\0\0\0\0'],
    ['a ZIP archive', 'PK\x03\x04\x14'],
    ['a WAV sound', 'RIFF\x10\0\0\0WAVEfmt '],
    ['a PDF', '%PDF-1.7\n%\xe2\xe3'],
  ];
  it.each(OTHERS)('fails for good on %s, with any name', async (name, bytes) => {
    for (const type of ['video/mp4', 'application/octet-stream', '']) {
      const origin = await serve((_request, response) => {
        response.writeHead(200, type === '' ? {} : { 'content-type': type });
        response.end(bytes, 'latin1');
      });
      expect(await get(origin)).toEqual({
        type: 'failed',
        kind: 'no_output',
        message: `expected an MP4 video, got ${name}`,
        final: true,
      });
    }
  });

  it.each(['<!doctype html><title>Just a moment</title>', '{"detail":"gone"}', 'upstream error'])(
    'tries again on a text that is called a video, for it may be the page of an edge in trouble: %s',
    async (text) => {
      const origin = await serve((_request, response) => {
        response.writeHead(200, { 'content-type': 'video/mp4' }).end(text);
      });
      expect(await get(origin)).toMatchObject({ kind: 'output_lost', final: false });
    },
  );

  it.each<[string, Partial<DownloadOptions>, RegExp]>([
    [
      'less than the least rate',
      { rate: { bytes: 1_000, window: 0.2 } },
      /at least 1000 bytes a second, got \d+ in 0.2 s/,
    ],
    ['for longer than a download may take', { overall: 200 }, /all of the file within 0.2 s/],
  ])('ends a download that sends %s, never silent, and says so', async (_what, limits, message) => {
    const origin = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4' }).write(VIDEO.subarray(0, 40));
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => {
        clearInterval(drip);
      });
    });
    const ended = await get(origin, limits);
    expect(ended).toMatchObject({ type: 'failed', kind: 'output_lost', final: false });
    expect(ended).toMatchObject({ message: expect.stringMatching(message) as string });
    expect(ended).not.toHaveProperty('answered');
  });

  it('lets a file pass that keeps the rate', async () => {
    const origin = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4' });
      let sent = 0;
      const piece = setInterval(() => {
        response.write(VIDEO.subarray(sent, sent + 2_000));
        sent += 2_000;
        if (sent < VIDEO.length) return;
        clearInterval(piece);
        response.end();
      }, 20);
    });
    const rate = { bytes: 10_000, window: 0.2 };
    expect(await get(origin, { rate })).toMatchObject({ type: 'done', bytes: VIDEO.length });
  });

  it.each<[string, RequestListener, RegExp]>([
    ...[201, 202, 203, 206, 300, 304, 410].map((code): [string, RequestListener, RegExp] => [
      `HTTP ${String(code)}`,
      (_request, response) => {
        response.writeHead(code).end(code === 304 ? undefined : VIDEO);
      },
      new RegExp(`HTTP ${String(code)}`),
    ]),
    ['HTTP 204', (_request, response) => response.writeHead(204).end(), /HTTP 204/],
    [
      'a redirect in a circle',
      (_request, response) => response.writeHead(302, { location: '/a.mp4' }).end(),
      /3 redirects/,
    ],
    [
      'a redirect to another host',
      (_request, response) => response.writeHead(302, { location: 'https://a.example/' }).end(),
      /refused to fetch from a.example/,
    ],
    [
      'a redirect to nowhere',
      (_request, response) => response.writeHead(302, { location: 'http://[x/' }).end(),
      /a URL of a file/,
    ],
    [
      'headers without an end',
      (request) => {
        const more = () => {
          while (
            !request.socket.destroyed &&
            request.socket.write(`x-a: ${'a'.repeat(1_000)}\r\n`)
          );
        };
        request.socket.write('HTTP/1.1 200 OK\r\n');
        request.socket.on('drain', more).on('error', () => undefined);
        more();
      },
      /header/i,
    ],
    [
      'fewer bytes than announced',
      (_request, response) => {
        response.writeHead(200, { 'content-length': '30000' });
        response.write(VIDEO.subarray(0, 500), () => response.socket?.end());
      },
      /after 500 bytes/,
    ],
    [
      'a page',
      (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      /text\/html/,
    ],
  ])('tells %s as an answer, in the same words each time', async (_what, listener, message) => {
    const origin = await serve(listener);
    const first = await get(origin);
    expect(first).toMatchObject({
      type: 'failed',
      kind: 'output_lost',
      final: false,
      answered: true,
      message: expect.stringMatching(message) as string,
    });
    expect(await get(origin)).toEqual(first);
  });

  it.each<[string, RequestListener]>([
    ...[400, 403, 404, 408, 429, 500, 502, 503, 504].map((code): [string, RequestListener] => [
      `HTTP ${String(code)}`,
      (_request, response) => {
        response.writeHead(code).end();
      },
    ]),
    ['a reset connection', (request) => request.socket.destroy()],
  ])('tells %s as something that may pass', async (_what, listener) => {
    const failed = await get(await serve(listener));
    expect(failed).toMatchObject({ type: 'failed', final: false });
    expect(failed).not.toHaveProperty('answered');
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
