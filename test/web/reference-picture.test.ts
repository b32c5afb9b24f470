/** The composed reference on a clip's card, in a real browser against a scripted API. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { lacksChromium } from './browser.js';
import type { MockApi } from './mock-api.js';
import { clipFact, sampleJob, started, STEPS } from './sample-job.js';
import { still } from './scenes.js';
import { withScriptedPage } from './scripted-page.js';

const composite = (index: number): string => `/v1/jobs/film/clips/${String(index)}/composite`;

let page: Page;
let mock: MockApi;

const reference = (index: number) =>
  page.getByRole('img', { name: `Reference of Clip ${String(index)}`, exact: true });

describe.skipIf(lacksChromium)('the reference of a clip', () => {
  withScriptedPage(async (opened) => {
    ({ page, mock } = opened);
    const job = sampleJob('film', 4);
    const clips = job.clips.map((clip) =>
      clip.clip_index === 3 ? clip : { ...clip, composite_url: composite(clip.clip_index) },
    );
    mock.add({ ...job, clips });
    mock.files.set(composite(0), { type: 'image/jpeg', bytes: await still(0) });
    mock.emit('film', started(mock.job('film')));
  }, {});

  it('is shown from its start on, asked for only where there is one, and leads to the whole picture', async () => {
    for (const index of [0, 1, 3]) {
      mock.emit('film', clipFact(mock.job('film'), index, STEPS.rendering()));
    }
    await page.goto(`${mock.url}/jobs/film`);
    await reference(0).waitFor();
    expect(await reference(0).getAttribute('loading')).toBe('lazy');
    const link = page.locator('[data-clip-index="0"] .clip__reference');
    expect(await link.getAttribute('href')).toBe(`${mock.url}${composite(0)}`);
    // Clip 1 was made without images: its picture was never made.
    await expect.poll(() => mock.asked('GET', composite(1)).length).toBe(1);
    await expect.poll(() => page.locator('.clip__reference:visible').count()).toBe(1);
    // Clip 2 has not started, clip 3 has no references.
    for (const index of [2, 3]) expect(mock.asked('GET', composite(index))).toEqual([]);
  });
});
