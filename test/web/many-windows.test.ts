/**
 * Many tabs and windows of one browser, which has six connections for all of them: an act is answered at once,
 * however many are open; a hidden tab holds nothing; every window is up to date. On the real API, whose own count of streams is asked.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { harness, type Harness } from '../api/harness.js';
import { lacksChromium } from './browser.js';
import { MockApi } from './mock-api.js';
import { begin, complete } from './scenes.js';
import { withBrowser } from './scripted-page.js';

const WINDOWS = 8;
const PATIENCE = { timeout: 60_000 };

let folder: string;
let browser: Browser;
let context: BrowserContext;

const names = Array.from({ length: WINDOWS }, (_, index) => `job-${String(index)}`);
const seqOf = async (page: Page): Promise<number> =>
  Number(await page.locator('[data-job-status]').getAttribute('data-seq'));

async function open(url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('[data-job-status]').waitFor(PATIENCE);
  return page;
}

async function openAll(base: string, jobs: readonly string[]): Promise<Page[]> {
  const pages: Page[] = [];
  for (const job of jobs) pages.push(await open(`${base}/jobs/${job}`));
  return pages;
}

async function streams({ url }: Harness): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^clip_generator_api_open_event_streams (\d+)$/m.exec(text)?.[1]);
}

/** As the browser says it to a page; headless pages are visible for ever. */
const setVisibility = (page: Page, state: 'hidden' | 'visible'): Promise<void> =>
  page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  `);

async function pauseJob(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator('.toast', { hasText: 'Pausing' }).waitFor(PATIENCE);
}

async function expectCurrent(pages: readonly Page[], seqs: () => number[]): Promise<void> {
  await expect.poll(() => Promise.all(pages.map(seqOf)), PATIENCE).toEqual(seqs());
}

describe.skipIf(lacksChromium)('with many windows open', () => {
  withBrowser((opened) => {
    ({ folder, browser } = opened);
  });
  beforeEach(async () => {
    context = await browser.newContext({ reducedMotion: 'reduce' });
  });
  afterEach(() => context.close());

  const begun = async (jobs: readonly string[]): Promise<Harness> => {
    const world = await harness({ page_dir: folder });
    for (const job of jobs) {
      world.jobs.add(job);
      world.jobs.warn(job);
    }
    return world;
  };

  it.each([
    ['eight jobs', names],
    ['one job', names.map(() => 'job-0')],
  ])(
    'of %s, an act in any of them is answered, and all are current',
    async (_what, jobs) => {
      const world = await begun(jobs.filter((job, index) => jobs.indexOf(job) === index));
      const pages = await openAll(world.url, jobs);
      for (const page of [pages.at(-1), pages[0], pages[4]]) if (page) await pauseJob(page);
      expect(world.jobs.signals.filter(({ signal }) => signal.name === 'pause')).toHaveLength(3);
      for (const job of new Set(jobs)) world.jobs.warn(job, 3);
      await expectCurrent(pages, () => jobs.map((job) => world.jobs.latest(job).job.seq));
      expect(await streams(world)).toBeLessThanOrEqual(3); // two, and perhaps a short answer
    },
    120_000,
  );

  it('gives back the stream of a tab that is hidden, to one that has none, and misses nothing', async () => {
    const world = await begun(names);
    const pages = await openAll(world.url, names.slice(0, 2));
    await expect.poll(() => streams(world), PATIENCE).toBe(2);
    for (const page of pages) await setVisibility(page, 'hidden');
    await expect.poll(() => streams(world), PATIENCE).toBe(0);
    const seen = await Promise.all(pages.map(seqOf));
    for (const job of names) world.jobs.warn(job, 60);

    const third = await open(`${world.url}/jobs/job-2`);
    await expect.poll(() => streams(world), PATIENCE).toBe(1);
    expect(await Promise.all(pages.map(seqOf))).toEqual(seen);

    await pages[0]?.evaluate(`
      window.seen = [];
      const read = window.fetch;
      window.fetch = (...asked) => {
        window.seen.push(asked[1]?.headers?.['last-event-id']);
        return read(...asked);
      };
    `);
    for (const page of pages) await setVisibility(page, 'visible');
    await expectCurrent([...pages, third], () =>
      names.slice(0, 3).map((job) => world.jobs.latest(job).job.seq),
    );
    expect(await pages[0]?.evaluate('window.seen.find((id) => id !== undefined)')).toBe(
      String(seen[0]),
    );
    const warnings = await pages[0]?.locator('.notice li').allTextContents();
    expect(new Set(warnings).size).toBe(warnings?.length);
  }, 120_000);

  it('takes over the stream of a tab that was killed', async () => {
    const world = await begun(names);
    const pages = await openAll(world.url, names.slice(0, 4));
    await expect.poll(() => streams(world), PATIENCE).toBe(2);
    for (const page of pages.slice(0, 2)) {
      const session = await context.newCDPSession(page);
      void session.send('Page.crash').catch(() => undefined);
    }
    const rest = pages.slice(2);
    const followed = (page: Page): Promise<boolean> =>
      page.evaluate('navigator.locks.query().then(({ held }) => held.length > 0)');
    await expect.poll(() => followed(rest[0] as Page), PATIENCE).toBe(true);
    await expect.poll(() => streams(world), PATIENCE).toBe(2);
    for (const job of names) world.jobs.warn(job);
    await expectCurrent(rest, () =>
      [2, 3].map((index) => world.jobs.latest(names[index] ?? '').job.seq),
    );
  }, 120_000);

  it('works where a browser cannot share turns: no stream is held, and all are current', async () => {
    const world = await begun(names);
    await context.addInitScript(
      "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })",
    );
    const pages = await openAll(world.url, names);
    const last = pages.at(-1);
    if (last) await pauseJob(last);
    for (const job of names) world.jobs.warn(job, 2);
    await expectCurrent(pages, () => names.map((job) => world.jobs.latest(job).job.seq));
    await expect.poll(() => streams(world), PATIENCE).toBe(0);
  }, 120_000);

  it('and pictures, videos and answers that never come, an act is answered', async () => {
    const mock = new MockApi(folder);
    await mock.start();
    const silent = (): void => undefined;
    for (const job of names) {
      await begin(mock, job, 12);
      for (let index = 0; index < 8; index += 1) {
        await complete(mock, job, index);
        const path = `/v1/jobs/${job}/clips/${String(index)}`;
        mock.raw.set(`${path}/thumbnail`, silent).set(`${path}/video`, silent);
      }
    }
    try {
      const pages = await openAll(mock.url, names);
      for (const page of pages) {
        await page.getByRole('button', { name: 'Play Clip 0' }).click();
        await page.getByRole('button', { name: 'Play Clip 1' }).click();
      }
      mock.raw.set('/readyz', silent).set('/v1/jobs', silent).set('/v1/models', silent);
      await expect.poll(() => mock.asked('GET', '/readyz').length, PATIENCE).toBeGreaterThan(0);
      for (const page of pages) await pauseJob(page);
      for (const job of names) expect(mock.asked('POST', `/v1/jobs/${job}/pause`)).toHaveLength(1);
    } finally {
      await context.close();
      await mock.stop();
    }
  }, 120_000);
});
