/**
 * "Download all" in a real browser: videos go to the archive as they come, to the disk where the browser may write there,
 * and what does not come whole leaves a sentence and no archive.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { lacksChromium } from './browser.js';
import type { MockApi } from './mock-api.js';
import { begin, complete } from './scenes.js';
import { withScriptedPage } from './scripted-page.js';

let page: Page;
let mock: MockApi;
let downloads: string[];

const video = (index: number): string => `/v1/jobs/film/clips/${String(index)}/video`;
const toast = (text: string) => page.locator('.toast', { hasText: text });
const start = () => page.getByRole('button', { name: 'Download what is ready' }).click();

/** A disk that a test can look at: what was written, and how it ended. */
const FAKE_PICKER = `
  window.disk = { bytes: 0, ended: null, removed: false };
  window.showSaveFilePicker = async ({ suggestedName }) => {
    window.disk.name = suggestedName;
    return {
      getFile: async () => new Blob([]),
      remove: async () => void (window.disk.removed = true),
      createWritable: async () => new WritableStream({
        write: (chunk) => void (window.disk.bytes += chunk.length),
        close: () => void (window.disk.ended = 'whole'),
        abort: () => void (window.disk.ended = 'thrown away'),
      }),
    };
  };
`;
const disk = (): Promise<unknown> => page.evaluate('window.disk');
const written = (): Promise<number> => page.evaluate('window.disk.bytes');

type Raw = (request: IncomingMessage, response: ServerResponse) => void;
const MB = Buffer.alloc(1_000_000, 7);
const headers = (length: number | null, type = 'video/mp4') => ({
  'content-type': type,
  ...(length === null ? {} : { 'content-length': length }),
});
/** HEAD says what is promised, GET does what the test says. */
const promising =
  (length: number | null, send: Raw): Raw =>
  (request, response) => {
    response.writeHead(200, headers(length));
    if (request.method === 'HEAD') response.end();
    else send(request, response);
  };
const cut: Raw = (_request, response) => {
  response.write(MB, () => response.destroy());
};

describe.skipIf(lacksChromium)('downloading everything', () => {
  withScriptedPage(async (opened) => {
    ({ page, mock } = opened);
    await begin(mock, 'film', 4);
    for (const index of [0, 1, 2]) await complete(mock, 'film', index);
    downloads = [];
    page.on('download', (download) => downloads.push(download.suggestedFilename()));
  });

  const openJob = async (script?: string): Promise<void> => {
    if (script !== undefined) await page.addInitScript(script);
    await page.goto(`${mock.url}/jobs/film`);
    await page.locator('[data-job-status]').waitFor();
  };

  it('writes the first video to the disk before the second is asked for', async () => {
    let finish: () => void = () => undefined;
    mock.raw.set(
      video(0),
      promising(2 * MB.length, (_request, response) => {
        response.write(MB);
        finish = () => response.end(MB);
      }),
    );
    await openJob(FAKE_PICKER);
    await start();
    await expect.poll(written).toBeGreaterThan(900_000);
    expect(mock.asked('GET', video(1))).toEqual([]);
    await page.getByText('Fetching video 1 of 3 · 1 MB of 2 MB').waitFor();
    if (process.env['PICTURES'] !== undefined) {
      await page.screenshot({ path: `${process.env['PICTURES']}/download.png` });
    }
    finish();
    await toast('The download is complete').waitFor();
    expect(await disk()).toMatchObject({ name: 'film.zip', ended: 'whole', removed: false });
    expect(downloads).toEqual([]);
    expect(await page.locator('.download').isVisible()).toBe(false);
  });

  it.each<[string, Raw, string]>([
    ['cut short of its length', promising(3_000_000, cut), 'Clip 1 could not be fetched'],
    ['cut in an answer of unknown length', promising(null, cut), 'Clip 1 could not be fetched'],
    [
      'of another length than was said',
      (request, response) => {
        response.writeHead(200, headers(request.method === 'HEAD' ? 10 : 12));
        response.end(request.method === 'HEAD' ? undefined : 'twelve bytes');
      },
      'Clip 1 was made anew meanwhile',
    ],
    [
      'that is a page of a proxy',
      (_request, response) => response.writeHead(200, headers(null, 'text/html')).end('Log in'),
      'Clip 1 could not be fetched: expected a video, got text/html',
    ],
    ['that is gone', (_request, response) => response.writeHead(404).end(), 'Clip 1 could not be'],
  ])('refuses a video %s by name, and leaves no archive', async (_what, raw, sentence) => {
    mock.raw.set(video(1), raw);
    await openJob();
    await start();
    await toast(sentence).waitFor();
    await page.reload();
    await page.evaluate(FAKE_PICKER);
    await start();
    await toast(sentence).waitFor();
    expect(await disk()).toMatchObject({ removed: true });
    expect(await disk()).not.toMatchObject({ ended: 'whole' });
    expect(downloads).toEqual([]);
    expect(mock.asked('GET', video(2))).toEqual([]);
  });

  it('can be canceled, leaves nothing, and can be started again', async () => {
    let isClosed = false;
    mock.raw.set(
      video(1),
      promising(2 * MB.length, (_request, response) => {
        response.write(MB);
        response.on('close', () => (isClosed = true));
      }),
    );
    await openJob(FAKE_PICKER);
    await start();
    await page.getByText('Fetching video 2 of 3').waitFor();
    await page.getByRole('button', { name: 'Cancel download' }).click();
    await toast('The download was canceled').waitFor();
    expect(await disk()).toMatchObject({ ended: 'thrown away', removed: true });
    await expect.poll(() => isClosed).toBe(true);
    mock.raw.delete(video(1));
    await start();
    await toast('The download is complete').waitFor();
  });

  it('says before it begins that videos are too large for a browser without access to the disk', async () => {
    const large = promising(3_000_000_000, () => undefined);
    mock.raw.set(video(0), large).set(video(2), large);
    await openJob();
    await start();
    await toast('These videos are 6 GB together; this browser can keep at most 4.3 GB').waitFor();
    for (const index of [0, 1, 2]) expect(mock.asked('GET', video(index))).toEqual([]);
    expect(downloads).toEqual([]);
  });

  it('is an ordinary download where the browser may not write to the disk', async () => {
    mock.raw.set(video(0), (request, response) => {
      response.writeHead(200, headers(40 * MB.length));
      if (request.method === 'HEAD') response.end();
      else response.end(Buffer.concat(Array.from({ length: 40 }, () => MB)));
    });
    await openJob('window.showSaveFilePicker = undefined');
    const [download] = await Promise.all([page.waitForEvent('download'), start()]);
    let total = 0;
    for await (const chunk of await download.createReadStream()) total += (chunk as Buffer).length;
    expect(download.suggestedFilename()).toBe('film.zip');
    expect(total).toBeGreaterThan(40 * MB.length);
  });
});
