/**
 * STORAGE_REDIRECTS in a real browser: pictures, players and "download all" read from the bucket with a key at the API and none at
 * the bucket; where the bucket's CORS rules do not name the page, "download all" is whole all the same.
 */
import { readFile } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createS3Store } from '../../src/adapters/storage/s3-store.js';
import { artifactKey } from '../../src/adapters/storage/store-keys.js';
import { clipFilePath } from '../../src/domain/job/clip-files.js';
import { encodeClip } from '../../src/simulator/clip/encode.js';
import { harness } from '../api/harness.js';
import { startBucket } from '../support/bucket.js';
import { lacks } from '../support/needed-programs.js';
import { lacksChromium } from './browser.js';
import { clipFact, STEPS } from './sample-job.js';
import { withBrowser } from './scripted-page.js';

const KEY = 'a-key-of-the-api';
const CLIPS = [0, 1];
const PATIENCE = { timeout: 30_000 };

interface Asked {
  method: string;
  path: string;
  range: string | undefined;
  authorization: string | undefined;
}

interface Front {
  endpoint: string;
  /** By presigned addresses: what the API asks itself is signed in a header. */
  asked: Asked[];
}

/** In front of the bucket: keeps what it is asked, and answers as a bucket whose CORS rules name any page, or none. */
async function startFront(to: number, hasCors: boolean): Promise<Front> {
  const asked: Asked[] = [];
  const server = createServer((incoming, answer) => {
    const { method = '', url = '', headers } = incoming;
    const [path = '', query = ''] = url.split('?');
    if (query.includes('X-Amz-Signature')) {
      const { range, authorization } = headers;
      asked.push({ method, path, range, authorization });
    }
    const onward = send(
      { host: '127.0.0.1', port: to, method, path: url, headers, agent: false },
      (response) => {
        const cors =
          hasCors && headers.origin !== undefined
            ? { 'access-control-allow-origin': headers.origin }
            : {};
        answer.writeHead(response.statusCode ?? 502, { ...response.headers, ...cors });
        response.pipe(answer);
      },
    );
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${String(port)}`, asked };
}

describe.skipIf(lacksChromium || lacks('an S3 server'))('with redirects to a bucket', () => {
  let browser: Browser;
  let folder: string;
  withBrowser((opened) => {
    ({ browser, folder } = opened);
  });

  async function open({ hasCors }: { hasCors: boolean }) {
    const bucket = await startBucket();
    const front = await startFront(bucket.port, hasCors);
    for (const [name, value] of Object.entries(bucket.env())) vi.stubEnv(name, value);
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await bucket[Symbol.asyncDispose]();
    });
    const { endpoint } = front;
    const whole = await createS3Store({ url: 's3://clips/p', endpoint, force_path_style: true });
    /** Objects whose bytes went through the API. */
    const sent: string[] = [];
    const store: typeof whole = {
      ...whole,
      get: (key, range) => {
        if (key.startsWith('artifacts/')) sent.push(key);
        return whole.get(key, range);
      },
    };
    const videos = await Promise.all(
      CLIPS.map((index) =>
        encodeClip({
          ...{ caption: `redirected ${String(index)}`, seed: String(index) },
          ...{ width: 640, height: 360, fps: 24, duration: 5 },
        }),
      ),
    );
    const background = { r: 40, g: 90, b: 120 };
    const picture = await sharp({ create: { width: 320, height: 180, channels: 3, background } })
      .jpeg()
      .toBuffer();
    const settings = { page_dir: folder, storage_redirects: true, api_keys: [KEY] };
    const { url, jobs } = await harness(settings, { store });
    jobs.add('film', CLIPS.length);
    for (const [index, video] of videos.entries()) {
      await store.put(artifactKey('film', index, 'video'), video, { media_type: 'video/mp4' });
      await store.put(artifactKey('film', index, 'thumbnail'), picture);
      const media = {
        video: clipFilePath('film', index, 'video'),
        thumbnail: clipFilePath('film', index, 'thumbnail'),
      };
      jobs.tell('film', clipFact(jobs.latest('film').job, index, STEPS.ready(media)));
    }
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const refused: string[] = [];
    page.on('console', (message) => {
      if (/Content.Security.Policy/.test(message.text())) refused.push(message.text());
    });
    await page.addInitScript(`sessionStorage.setItem('api_key', ${JSON.stringify(KEY)})`);
    await page.goto(`${url}/jobs/film`);
    await page.locator('[data-job-status]').waitFor();
    const videosAsked = (): Asked[] => front.asked.filter(({ path }) => path.endsWith('.mp4'));
    return { page, url, front, sent, videos, refused, videosAsked };
  }

  /** The archive that the page saves. */
  async function downloadAll(page: Page): Promise<Buffer> {
    const saved = page.waitForEvent('download', PATIENCE);
    await page.getByRole('button', { name: 'Download what is ready' }).click();
    return readFile(await (await saved).path());
  }
  const held = (archive: Buffer, videos: readonly Uint8Array[]): boolean[] =>
    videos.map((video) => archive.includes(Buffer.from(video)));

  it('pictures, videos and the archive come from there, and the API sends none of their bytes', async () => {
    const { page, front, sent, videos, refused, videosAsked } = await open({ hasCors: true });
    const thumbnail = page.locator('[data-clip-index="0"] img');
    await expect
      .poll(
        () =>
          thumbnail.evaluate((image: unknown) => (image as { naturalWidth: number }).naturalWidth),
        PATIENCE,
      )
      .toBe(320);
    await page.getByRole('button', { name: 'Play Clip 0' }).click();
    const player = page.locator('[data-clip-index="0"] video');
    await expect
      .poll(
        () => player.evaluate((video: unknown) => (video as { currentTime: number }).currentTime),
        PATIENCE,
      )
      .toBeGreaterThan(0.5);
    if (process.env['PICTURES'] !== undefined) {
      await page.screenshot({ path: `${process.env['PICTURES']}/redirects.png` });
    }
    expect(videosAsked()).toHaveLength(1);
    const archive = await downloadAll(page);
    expect(held(archive, videos)).toEqual([true, true]);
    expect(archive.includes('result.json')).toBe(true);
    expect(videosAsked()).toHaveLength(3);
    expect(sent).toEqual([]);
    expect(front.asked.map(({ authorization }) => authorization)).not.toContain(`Bearer ${KEY}`);
    expect(refused).toEqual([]);
  });

  it('the archive is whole where the bucket refuses the page: the API sends the videos, and the bucket is asked once', async () => {
    const { page, sent, videos, videosAsked } = await open({ hasCors: false });
    expect(held(await downloadAll(page), videos)).toEqual([true, true]);
    expect(videosAsked()).toHaveLength(1);
    expect(sent.filter((key) => key.endsWith('.mp4'))).toHaveLength(2);
  });

  it('a bare <video> plays from any place of its file, with a token at the API and without CORS', async () => {
    const { page, url, sent, videosAsked } = await open({ hasCors: false });
    const headers = { authorization: `Bearer ${KEY}` };
    const issued = await fetch(`${url}/v1/jobs/film/token`, { method: 'POST', headers });
    const { token } = (await issued.json()) as { token: string };
    const source = `${url}${clipFilePath('film', 1, 'video')}?token=${token}`;
    await page.evaluate(`{
      const video = Object.assign(document.createElement('video'), { id: 'bare', muted: true });
      video.src = ${JSON.stringify(source)};
      document.body.append(video);
      video.addEventListener('loadedmetadata', () => { video.currentTime = 4; });
    }`);
    const bare = page.locator('#bare');
    const facts = () =>
      bare.evaluate((video: unknown) => {
        const { duration, currentTime, seeking } = video as Record<string, number>;
        return { duration: Math.round(duration ?? 0), currentTime, seeking };
      });
    await expect.poll(facts, PATIENCE).toEqual({ duration: 5, currentTime: 4, seeking: false });
    expect(videosAsked().length).toBeGreaterThan(0);
    expect(videosAsked().every(({ range }) => range?.startsWith('bytes=') === true)).toBe(true);
    expect(sent).toEqual([]);
  });
});
