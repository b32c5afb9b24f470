/**
 * An honest job while other jobs send images and videos that were made to hurt, and clients send requests that were: it ends
 * on its own terms, they end for reasons of their own, and nothing of them is left.
 */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { descendants } from '../../setup/processes.mjs';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { bytes, ImageHost, picture, redirect } from '../support/image-host.js';
import type { Answer } from '../support/image-host.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

const endless: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'image/jpeg' });
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
  };
  response.on('drain', more);
  more();
};

/** A byte a second. */
const drip: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'image/jpeg' }).flushHeaders();
  const timer = setInterval(() => response.write('x'), 1_000);
  response.on('close', () => {
    clearInterval(timer);
  });
};

/** A PNG that says it has 30,000 × 30,000 pixels, in a few bytes. */
const huge = (png: Buffer): Buffer => {
  const header = Buffer.from(png);
  header.writeUInt32BE(30_000, 16);
  header.writeUInt32BE(30_000, 20);
  return header;
};

/** One clip an image, each alone with its trouble. */
const withImages = (urls: readonly string[]): Plan => ({
  min_successful_clips: 1,
  stop_when_unreachable: false,
  clip_prompts: urls.map((url, clip_index) => ({
    clip_index,
    prompt: `with ${String(clip_index)}`,
    duration: 5,
    scene_reference_url: url,
  })),
});

const NEST = '['.repeat(500_000);

/** Requests that are bad, large or never finished; answers or their absence are theirs alone. */
async function attack(url: string): Promise<Socket[]> {
  const { host, port } = new URL(url);
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    }).then(
      ({ status }) => status,
      () => 0,
    );
  const statuses = await Promise.all(
    Array.from({ length: 8 }, () => [
      post('/v1/jobs', NEST),
      post('/v1/jobs/estimate', `{"clip_prompts":${NEST}`),
      post('/v1/jobs', '{"__proto__":{"a":1},"clip_prompts":[{"prompt":1}]}'),
      post('/webhooks/replicate', NEST.slice(0, 1_000)),
      post('/v1/jobs', '{}', { origin: 'https://evil.example' }),
    ]).flat(),
  );
  for (const status of statuses) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  }
  const halves = Array.from({ length: 40 }, () => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /v1/jobs HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n{`,
    );
    return socket;
  });
  await Promise.all(halves.map((socket) => once(socket, 'connect')));
  return halves;
}

/** Files that work on foreign bytes leaves while it lasts. */
async function scratchFiles(dataDir: string): Promise<string[]> {
  const names = await readdir(dataDir, { recursive: true }).catch(() => []);
  return names.filter((name) => /(?:\.part|\/reference-[^/]*|\/hazard-[^/]*)$/.test(name));
}

const childrenOf = async (pid: number): Promise<number> => {
  const lines = await Promise.all(
    descendants(pid).map((child) =>
      readFile(`/proc/${String(child)}/cmdline`, 'utf8').catch(() => ''),
    ),
  );
  return lines.filter((line) => line.includes('media/child')).length;
};

it('a job ends untouched while hostile jobs and requests run, and nothing of them is left', async () => {
  const good = await picture('jpeg', [640, 360]);
  await using host = await ImageHost.start({
    '/good.jpg': bytes(good),
    '/comments.svg': bytes('<!---->'.repeat(146), 'image/svg+xml'),
    '/huge.png': bytes(huge(await picture('png')), 'image/png'),
    '/endless.jpg': endless,
    '/drip.jpg': drip,
    '/cut.jpg': bytes(good.subarray(0, good.length / 2)),
    '/elsewhere.jpg': redirect('http://127.0.0.1:1/'),
    '/page.jpg': bytes('<!doctype html><p>no image</p>'),
  });
  await using world = await World.create({ env: { REFERENCE_ALLOW_HOSTS: host.host } });
  const worker = await world.startWorker();
  const api = await startApi(loadConfig(world.env), { port: 0, settings: { log_level: 'fatal' } });
  const alive = async (): Promise<void> => {
    expect((await fetch(`${api.url}/healthz`)).status).toBe(200);
  };
  try {
    const paths = [
      'comments.svg',
      'huge.png',
      'endless.jpg',
      'drip.jpg',
      'cut.jpg',
      'elsewhere.jpg',
      'page.jpg',
    ];
    const images = await world.start(withImages(paths.map((name) => host.url(`/${name}`))));
    const videos = await world.start(
      planOf(
        ['billion-samples-file', 'box-flood-file', 'too-large-file', 'webm-file', 'odd-output'].map(
          (fault) => `[[${fault}]] a heron`,
        ),
        { min_successful_clips: 1, stop_when_unreachable: false },
      ),
    );
    await expect.poll(() => host.hits.get('/drip.jpg') ?? 0).toBeGreaterThan(0);
    const honest = await world.start({
      ...withImages([host.url('/good.jpg'), host.url('/good.jpg')]),
      min_successful_clips: 2,
    });
    const halves = await attack(api.url);
    await alive();
    const job = await honest.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    for (const { predictions, attempt } of job.clips) {
      expect([predictions.length, attempt]).toEqual([1, 1]);
    }
    await alive();
    const ends: readonly (readonly [Job, readonly string[]])[] = [
      [await images.end(), ['invalid_reference']],
      [await videos.end(), ['output_lost', 'no_output']],
    ];
    for (const [{ clips }, kinds] of ends) {
      for (const { error } of clips) expect(kinds, error?.message).toContain(error?.kind);
    }
    const stats = await world.stats();
    expectSameLedger(stats, job, ...ends.map(([one]) => one));
    await alive();
    for (const socket of halves) socket.destroy();
    await eventually('scratch files and all children but the last to be gone', async () => {
      const left = {
        files: await scratchFiles(world.data_dir),
        children: await childrenOf(worker.pid),
      };
      return { done: left.files.length === 0 && left.children <= 1, value: left };
    });
  } finally {
    await api.close();
  }
});
