/** What browsers are told. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { artifactPath } from '../../support/stored-files.js';
import * as schemas from '../../../src/api/schemas.js';
import { rawRequest } from '../../support/raw-request.js';
import { harness } from '../harness.js';

const SECURE = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' };
const PROBLEM = 'application/problem+json; charset=utf-8';

/** Requests, most of them bad, and how they are answered. */
const REQUESTS: [what: string, lines: string[], status: number, type?: string][] = [
  ['a job', ['GET /v1/jobs/a HTTP/1.1'], 200, 'application/json; charset=utf-8'],
  ['an event stream', ['GET /v1/jobs/a/events HTTP/1.1'], 200, 'text/event-stream; charset=utf-8'],
  ['the end of a stream', ['GET /v1/jobs/over/events?after=1 HTTP/1.1'], 204],
  ['a file', ['GET /v1/jobs/a/clips/0/video HTTP/1.1'], 200, 'video/mp4'],
  ['a part of it', ['GET /v1/jobs/a/clips/0/video HTTP/1.1', 'Range: bytes=1-2'], 206, 'video/mp4'],
  ['no part of it', ['GET /v1/jobs/a/clips/0/video HTTP/1.1', 'Range: bytes=99-'], 416, PROBLEM],
  ['what one has', ['GET /v1/jobs/a/clips/0/video HTTP/1.1', 'If-None-Match: *'], 304, 'video/mp4'],
  ['its headers', ['HEAD /v1/jobs/a/clips/0/video HTTP/1.1'], 200, 'video/mp4'],
  ['the description', ['GET /openapi.json HTTP/1.1'], 200, 'application/json; charset=utf-8'],
  ['its viewer', ['GET /docs HTTP/1.1'], 200, 'text/html; charset=utf-8'],
  ['a file of it that is not there', ['GET /docs/static/none HTTP/1.1'], 404, PROBLEM],
  ['a file of the page that is not there', ['GET /assets/none HTTP/1.1'], 404, PROBLEM],
  ['no such place', ['GET /nothing HTTP/1.1'], 404, PROBLEM],
  ['no such job', ['GET /v1/jobs/none HTTP/1.1'], 404, PROBLEM],
  ['another method', ['DELETE /v1/jobs/a HTTP/1.1'], 405, PROBLEM],
  ['a method with a body', ['QUERY /healthz HTTP/1.1'], 405, PROBLEM],
  ['the server as a whole', ['OPTIONS * HTTP/1.1'], 404, PROBLEM],
  ['a path that is none', ['GET /%zz HTTP/1.1'], 400, PROBLEM],
  ['a path too long', [`GET /v1/jobs/${'a'.repeat(13_000)} HTTP/1.1`], 414, PROBLEM],
  [
    'another type',
    ['POST /v1/jobs HTTP/1.1', 'Content-Type: text/plain', 'Content-Length: 0'],
    415,
    PROBLEM,
  ],
  [
    'too large a body',
    ['POST /v1/jobs HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 9999999'],
    413,
    PROBLEM,
  ],
  ['too many headers', ['GET /healthz HTTP/1.1', `X-Much: ${'a'.repeat(20_000)}`], 431, PROBLEM],
  ['a header that is none', ['GET /healthz HTTP/1.1', 'X Y: z'], 400, PROBLEM],
  [
    'two lengths',
    ['POST /v1/jobs HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'],
    400,
    PROBLEM,
  ],
  ['something else than HTTP', ['hello'], 400, PROBLEM],
  ['two Hosts', ['GET /healthz HTTP/1.1', 'Host: localhost'], 400, PROBLEM],
  [
    'an expectation',
    ['GET /healthz HTTP/1.1', 'Expect: tea'],
    200,
    'application/json; charset=utf-8',
  ],
];

describe('every answer', () => {
  it.each(REQUESTS)(
    'says, asked for %s, that its type is no guess, and keeps its address',
    async (_what, lines, status, type) => {
      const { url, jobs, data_dir } = await harness();
      jobs.add('a');
      jobs.add('over');
      jobs.tell('over', { type: 'job.completed', error: null, total_cost_usd: 0 });
      jobs.closeRun('over', 'completed');
      const video = artifactPath(data_dir, 'a', 0, 'video');
      await mkdir(path.dirname(video), { recursive: true });
      await writeFile(video, '0123456789');
      const answer = await rawRequest(
        url,
        [...lines, 'Host: localhost', 'Connection: close'],
        ({ body }) => body.includes('event: snapshot'),
      );
      expect([answer.status, answer.headers['content-type']]).toEqual([status, type]);
      expect(answer.headers).toMatchObject(SECURE);
      if (type === PROBLEM) {
        expect(schemas.Problem.parse(JSON.parse(answer.body))).toMatchObject({ status });
      }
    },
  );

  it('is of the same kind while the server stops', async () => {
    const { app, url, jobs } = await harness();
    jobs.add('a');
    const find = jobs.find.bind(jobs);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const asked = new Promise<void>((resolve) => {
      jobs.find = async (jobId) => {
        resolve();
        await held;
        return find(jobId);
      };
    });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const ended = once(socket, 'close');
    const ask = (place: string) => socket.write(`GET ${place} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    ask('/v1/jobs/a');
    await asked;
    const closed = app.close();
    await expect.poll(() => app.server.listening).toBe(false);
    const arrived = once(app.server, 'request');
    ask('/healthz');
    await arrived;
    release();
    await closed;
    await ended;
    const second = text.slice(text.lastIndexOf('HTTP/1.1 '));
    expect(second).toMatch(/^HTTP\/1\.1 503 /);
    expect(second).toContain('x-content-type-options: nosniff');
    expect(second).toContain('content-type: application/problem+json');
  });
});

describe('the page', () => {
  it('may load from its own origin only, and not be framed', async () => {
    const { app, data_dir } = await harness();
    await mkdir(path.join(data_dir, 'page', 'web'), { recursive: true });
    await writeFile(path.join(data_dir, 'page', 'web', 'index.html'), '<title>page</title>');
    for (const url of ['/', '/jobs/some-job']) {
      const policy = String((await app.inject({ url })).headers['content-security-policy']);
      expect(policy).toMatch(/^default-src 'self';/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
    }
  });
});

describe('documents', () => {
  it.each([
    ['/', './'],
    ['/jobs/some-job', '../'],
    ['/jobs/a%2Fb', '../'],
    ['/docs', './docs/'],
    ['/docs/', './'],
  ])(
    'name at %s what they load relatively, so that any path may lie before it',
    async (url, up) => {
      const { app, data_dir } = await harness();
      await mkdir(path.join(data_dir, 'page', 'web'), { recursive: true });
      const source = new URL('../../../src/web/index.html', import.meta.url);
      await copyFile(source, path.join(data_dir, 'page', 'web', 'index.html'));
      const { body } = await app.inject({ url });
      const named = [...body.matchAll(/(?:href|src)="([^"#]+)"/g)].map(
        ([, address = '']) => address,
      );
      expect(named.length).toBeGreaterThan(4);
      expect(named.filter((address) => !address.startsWith(up))).toEqual([]);
    },
  );
});
