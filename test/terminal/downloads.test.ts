import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.js';
import { startDownloads, writeResult } from '../../src/terminal/downloads.js';
import { clipOf, doneClip, jobOf } from './jobs.js';
import { scripted } from '../support/scripted-server.js';
import type { Answer } from '../support/scripted-server.js';
import { testFolder } from '../support/test-folder.js';

let out: string;
beforeEach(() => {
  const own = testFolder('downloads');
  out = own.path;
  return own.remove;
});

const bytes =
  (text: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': text.length }).end(text);
  };
/** Says more than it sends, and then hangs up. */
const cutOff: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': 100 });
  response.write('half', () => response.destroy());
};
const gone: Answer = (_request, response) => {
  response.writeHead(404, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ detail: 'the file is gone' }));
};
const away: Answer = (_request, response) => response.writeHead(503).end();

async function download(answers: Answer[], job = jobOf([doneClip(0)])) {
  await using server = await scripted(answers);
  const saved: number[] = [];
  const downloads = startDownloads(
    createClient({ baseUrl: server.url, apiKey: 'key' }),
    out,
    (clip) => saved.push(clip),
  );
  downloads.offer(job);
  downloads.offer(job);
  return { ...(await downloads.finish()), saved, requests: server.requests };
}

describe('files of a job', () => {
  it('come under their numbers, each once, with the key that the API wants', async () => {
    const job = jobOf([doneClip(0), clipOf(1, { status: 'running' }), doneClip(12)]);
    const byPath: Answer = (request, response) => {
      bytes(request.url ?? '')(request, response);
    };
    const { files, failures, saved, requests } = await download([byPath], job);
    expect(failures).toEqual([]);
    expect([...files.values()]).toEqual(['clip_000.mp4', 'clip_012.mp4']);
    expect(saved.sort()).toEqual([0, 12]);
    expect((await readdir(out)).sort()).toEqual([
      'clip_000.jpg',
      'clip_000.mp4',
      'clip_012.jpg',
      'clip_012.mp4',
    ]);
    expect(await readFile(path.join(out, 'clip_012.mp4'), 'utf8')).toContain('/clips/12/video');
    expect(requests).toHaveLength(4);
    expect(requests.every(({ headers }) => headers.authorization === 'Bearer key')).toBe(true);
  });

  it('are fetched again when the connection breaks or the server is away, and are never half', async () => {
    const { files, failures } = await download([cutOff, away, bytes('whole'), bytes('small')]);
    expect(failures).toEqual([]);
    expect(files.get(0)).toBe('clip_000.mp4');
    expect(await readFile(path.join(out, 'clip_000.mp4'), 'utf8')).toBe('whole');
    expect((await readdir(out)).sort()).toEqual(['clip_000.jpg', 'clip_000.mp4']);
  });

  it('are fetched again when their content is not that of the job', async () => {
    const video_sha256 = createHash('sha256').update('right').digest('hex');
    const job = jobOf([{ ...doneClip(0), video_sha256 }]);
    const answers = [bytes('wrong'), bytes('right'), bytes('small')];
    const { files, failures, requests } = await download(answers, job);
    expect([failures, requests.length, [...files.values()]]).toEqual([[], 3, ['clip_000.mp4']]);
    expect(await readFile(path.join(out, 'clip_000.mp4'), 'utf8')).toBe('right');
  });

  it('come through a redirect to a bucket, which is not given the key', async () => {
    await using bucket = await scripted([
      cutOff,
      (request, response) => {
        bytes(request.url?.startsWith('/bucket/') === true ? 'from it' : '')(request, response);
      },
    ]);
    const redirect: Answer = (request, response) => {
      response.writeHead(302, { location: `${bucket.url}/bucket${request.url ?? ''}` }).end();
    };
    const { failures, requests } = await download([redirect]);
    expect(failures).toEqual([]);
    expect(await readFile(path.join(out, 'clip_000.mp4'), 'utf8')).toBe('from it');
    expect(requests.every(({ headers }) => headers.authorization === 'Bearer key')).toBe(true);
    expect(bucket.requests).toHaveLength(3);
    expect(bucket.requests.some(({ headers }) => 'authorization' in headers)).toBe(false);
  });

  it('that cannot be had are named, and leave nothing behind', async () => {
    const { files, failures } = await download([gone, gone]);
    expect(files.size).toBe(0);
    expect(failures).toEqual([
      'clip_000.mp4 could not be fetched: the file is gone',
      'clip_000.jpg could not be fetched: the file is gone',
    ]);
    expect(await readdir(out)).toEqual([]);
  });

  it('do not need a thumbnail', async () => {
    const job = jobOf([{ ...doneClip(0), thumbnail_url: null }]);
    const { files, failures } = await download([bytes('video')], job);
    expect(failures).toEqual([]);
    expect(files.size).toBe(1);
  });

  it('include the job itself, replacing an older one whole', async () => {
    await writeFile(path.join(out, 'result.json'), 'old');
    const job = jobOf([doneClip(0)]);
    await writeResult(out, job);
    expect(JSON.parse(await readFile(path.join(out, 'result.json'), 'utf8'))).toEqual(job);
    expect(await readdir(out)).toEqual(['result.json']);
  });
});
