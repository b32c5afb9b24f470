/** Addresses on the page of a server that asks for a key, in a real browser against the real API: no key, and not for long. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { artifactPath } from '../support/stored-files.js';
import { harness } from '../api/harness.js';
import type { Harness } from '../api/harness.js';
import { lacksChromium } from './browser.js';
import { clipFact, started, STEPS } from './sample-job.js';
import { still } from './scenes.js';
import { withBrowser } from './scripted-page.js';

const KEY = 'a-secret-key-of-many';
const MINUTE = 60_000;

let folder: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** Every address that the browser asked for. */
let urls: string[];

const path0 = (file: string): string => `/v1/jobs/film/clips/0/${file}`;

/** A job with one finished clip: a video, a thumbnail and a composed reference. */
async function withFilm(settings: Parameters<typeof harness>[0]): Promise<Harness> {
  const opened = await harness({ page_dir: folder, ...settings });
  const { jobs, data_dir } = opened;
  jobs.add('film', 2);
  jobs.tell('film', started(jobs.latest('film').job));
  const ready = STEPS.ready({ video: path0('video'), thumbnail: path0('thumbnail') });
  jobs.tell('film', {
    ...clipFact(jobs.latest('film').job, 0, (clip) => {
      const { type, clip: made } = ready(clip);
      return { type, clip: { ...made, composite_url: path0('composite') } };
    }),
  });
  for (const name of ['video', 'thumbnail', 'composite'] as const) {
    const file = artifactPath(data_dir, 'film', 0, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, await still(0));
  }
  return opened;
}

async function open({ url }: Harness): Promise<void> {
  await page.goto(`${url}/jobs/film`);
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Use this key' }).click();
}

const download = () => page.getByRole('link', { name: 'Download Clip 0' });
const reference = () => page.locator('[data-clip-index="0"] .clip__reference');
const hrefs = async (): Promise<string[]> =>
  Promise.all(
    [download(), reference()].map(async (link) => (await link.getAttribute('href')) ?? ''),
  );
const tokensAsked = (): number => urls.filter((url) => url.endsWith('/token')).length;

describe.skipIf(lacksChromium)('the page of a server with keys', () => {
  withBrowser((opened) => {
    ({ folder, browser } = opened);
  });

  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    urls = [];
    page.on('request', (request) => urls.push(request.url()));
    onTestFinished(() => context.close());
  });

  it('shows pictures, plays and links, and no address has the key', async () => {
    const opened = await withFilm({ api_keys: [KEY] });
    await open(opened);
    for (const image of [
      page.locator('[data-clip-index="0"] .screen img'),
      page.getByRole('img', { name: 'Reference of Clip 0' }),
    ]) {
      await expect
        .poll(() =>
          image.evaluate((element: unknown) => (element as { naturalWidth: number }).naturalWidth),
        )
        .toBe(320);
    }
    await expect
      .poll(async () => (await hrefs()).every((href) => href.includes('?token=')))
      .toBe(true);
    await page.getByRole('button', { name: 'Play Clip 0' }).click();
    await page.locator('[data-clip-index="0"] video').waitFor();
    expect(tokensAsked()).toBe(1);
    const all = [...urls, await page.content(), page.url()];
    expect(all.filter((text) => text.includes(KEY) || text.includes('api_key='))).toEqual([]);
  });

  it('links work where they are copied to, until they expire', async () => {
    let late = 0;
    const opened = await withFilm({ api_keys: [KEY], now: () => Date.now() + late });
    await open(opened);
    await expect.poll(async () => (await hrefs()).every((href) => href !== '')).toBe(true);
    for (const href of await hrefs()) {
      late = 0;
      expect((await fetch(href)).status).toBe(200);
      late = 15 * MINUTE;
      expect((await fetch(href)).status).toBe(401);
    }
  });

  it('links are made anew before they expire', async () => {
    await page.clock.install();
    const opened = await withFilm({ api_keys: [KEY] });
    await open(opened);
    await expect.poll(async () => (await hrefs()).every((href) => href !== '')).toBe(true);
    const before = await hrefs();
    await page.clock.fastForward(11 * MINUTE);
    await expect
      .poll(async () => (await hrefs()).filter((href) => before.includes(href)))
      .toEqual([]);
    for (const href of await hrefs()) expect((await fetch(href)).status).toBe(200);
    expect(tokensAsked()).toBe(2);
  });

  it('asks for no token where the server asks for no key', async () => {
    const opened = await withFilm({});
    await page.goto(`${opened.url}/jobs/film`);
    await expect
      .poll(hrefs)
      .toEqual([`${opened.url}${path0('video')}`, `${opened.url}${path0('composite')}`]);
    expect(tokensAsked()).toBe(0);
  });
});
