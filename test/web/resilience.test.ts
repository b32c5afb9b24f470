/** The page through everything that goes wrong around it: reload, lost API, absent worker, lost frames. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { lacksChromium } from './browser.js';
import type { MockApi } from './mock-api.js';
import { begin, complete } from './scenes.js';
import { clipFact, STEPS } from './sample-job.js';
import { withScriptedPage } from './scripted-page.js';

let page: Page;
let mock: MockApi;

const job = () => page.locator('[data-job-status]');
const seq = async (): Promise<number> => Number(await job().getAttribute('data-seq'));
const status = (index: number) =>
  page.locator(`[data-clip-index="${String(index)}"]`).getAttribute('data-status');

describe.skipIf(lacksChromium)('the page survives', () => {
  withScriptedPage(async (opened) => {
    ({ page, mock } = opened);
    await begin(mock, 'film', 6);
    await page.goto(`${mock.url}/jobs/film`);
    await job().waitFor();
  }, {});

  it('a reload mid-job: the address is the job', async () => {
    mock.emit('film', clipFact(mock.job('film'), 0, STEPS.rendering()));
    await expect.poll(() => status(0)).toBe('running');
    await page.reload();
    await expect.poll(() => status(0)).toBe('running');
    await complete(mock, 'film', 0);
    await expect.poll(() => status(0)).toBe('succeeded');
  });

  it('a restart of the API: says so, resumes by id, and no event is missing or doubled', async () => {
    await complete(mock, 'film', 0);
    await expect.poll(seq).toBe(mock.job('film').seq);
    await mock.stop();
    await page.getByText('Connection lost, trying again').waitFor();
    await complete(mock, 'film', 1);
    mock.emit('film', { type: 'job.warning', message: 'written while no page listened' });
    await mock.start();
    await page.getByText('Connection lost').waitFor({ state: 'hidden' });
    await expect.poll(seq).toBe(mock.job('film').seq);
    expect(await status(1)).toBe('succeeded');
    const resumed = mock.asked('GET', '/v1/jobs/film/events').at(-1);
    expect(resumed?.headers['last-event-id']).toBe('2');
    await page.getByText('1 warning').click();
    expect(await page.locator('.notice li').allTextContents()).toEqual([
      'written while no page listened',
    ]);
  });

  it('the loss of every worker: the job is safe, and the page says so until one is back', async () => {
    mock.readiness = { ready: false, temporal: true, workers: 0 };
    await page.getByText('No worker is running; the job is safe').waitFor();
    mock.readiness = { ready: true, temporal: true, workers: 1 };
    await page.getByText('No worker is running').waitFor({ state: 'hidden' });
  });

  it('a frame that was lost on the way: it asks again from where it is', async () => {
    await expect.poll(() => mock.listeners('film')).toBe(1);
    const asked = mock.asked('GET', '/v1/jobs/film/events').length;
    const future = { ...mock.job('film'), seq: 9 };
    const warning = { ...future, type: 'job.warning', message: 'from afar' };
    mock.frame('film', 'job.warning', warning, 9);
    await expect.poll(() => mock.asked('GET', '/v1/jobs/film/events').length).toBe(asked + 1);
    expect(mock.asked('GET', '/v1/jobs/film/events').at(-1)?.headers['last-event-id']).toBe('1');
    await complete(mock, 'film', 0);
    await expect.poll(seq).toBe(2);
    expect(await page.getByText('1 warning').isVisible()).toBe(false);
  });

  it('the end of the job: it stops asking, and resumes when the job is started again', async () => {
    mock.emit('film', clipFact(mock.job('film'), 0, STEPS.failed()));
    mock.emit('film', { type: 'job.failed', error: null, total_cost_usd: 0 });
    await expect.poll(() => job().getAttribute('data-job-status')).toBe('failed');
    mock.respond = ({ path }) => {
      if (!path.endsWith('/retry')) return null;
      mock.respond = () => null;
      mock.emit('film', {
        type: 'job.started',
        run_id: 'run-1',
        total_clips: 6,
        model: '',
        estimated_cost_usd: null,
      });
      return { status: 202, body: mock.job('film') };
    };
    await page.getByRole('button', { name: 'Retry the failed clip' }).click();
    await expect.poll(() => job().getAttribute('data-job-status')).toBe('running');
    await complete(mock, 'film', 0);
    await expect.poll(() => status(0)).toBe('succeeded');
  });

  it('an address without a job: one sentence instead of an empty page', async () => {
    await page.goto(`${mock.url}/jobs/never-was`);
    await page.getByText('There is no job "never-was"').waitFor();
  });

  it('text that looks like markup: it stays text', async () => {
    const message = '<img src=x onerror="document.title=1"><b>bold</b>';
    mock.emit('film', clipFact(mock.job('film'), 2, STEPS.failed('provider_error', message)));
    await page.getByText(message).waitFor();
    expect(await page.locator('.clip b').count()).toBe(0);
  });
});
