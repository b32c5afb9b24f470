/**
 * What a person does on the page, in a real browser against a scripted API: every control asks the
 * route it should and says what came of it.
 */
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { lacksChromium } from './browser.js';
import type { MockApi } from './mock-api.js';
import { begin, complete, estimateAnswer, finished, mixed, PLAN_MISTAKES } from './scenes.js';
import { clipFact, STEPS } from './sample-job.js';
import { withScriptedPage } from './scripted-page.js';

const PLAN = { clip_prompts: [{ clip_index: 0, prompt: 'A fox in snow', duration: 5.2 }] };

let page: Page;
let mock: MockApi;
let mistakes: string[];

const card = (index: number) => page.locator(`[data-clip-index="${String(index)}"]`);
const toast = (text: string | RegExp) => page.locator('.toast', { hasText: text });

async function openJob(jobId: string): Promise<void> {
  await page.goto(`${mock.url}/jobs/${jobId}`);
  await page.locator('[data-job-status]').waitFor();
}

describe.skipIf(lacksChromium)('steering on the page', () => {
  // After the page is closed: hooks of this kind run from the last to the first.
  afterEach(() => {
    expect(mistakes).toEqual([]);
  });

  withScriptedPage(async (opened) => {
    ({ page, mock } = opened);
    mistakes = [];
    page.on('pageerror', (error) => mistakes.push(error.message));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) mistakes.push(message.text());
    });
  });

  describe('a plan', () => {
    it('is estimated before anything starts, and started once however often the button is pressed', async () => {
      await begin(mock, 'new-job', 1);
      mock.respond = ({ method, path }) => {
        if (path === '/v1/jobs/estimate') return estimateAnswer();
        return method === 'POST' && path === '/v1/jobs'
          ? { status: 202, body: mock.job('new-job') }
          : null;
      };
      await page.goto(mock.url);
      await page.getByLabel('Plan (JSON)').fill(JSON.stringify(PLAN));
      await page.getByText('10 s is the shortest this model makes that covers 5.2 s').waitFor();
      expect(mock.asked('POST', '/v1/jobs')).toHaveLength(0);
      await page.getByRole('button', { name: 'Start 12 clips · $6.30' }).dblclick();
      await page.waitForURL('**/jobs/new-job');
      const keys = mock.asked('POST', '/v1/jobs').map(({ headers }) => headers['idempotency-key']);
      expect(new Set(keys).size).toBe(1);
      expect(mock.asked('POST', '/v1/jobs')[0]?.body).toEqual({
        job_id: expect.stringMatching(/^\d{4}-\d\d-\d\d-\w{4}$/) as string,
        ...PLAN,
      });
    });

    it('with mistakes shows every one with its path, and no way to start', async () => {
      mock.respond = ({ path }) => (path === '/v1/jobs/estimate' ? PLAN_MISTAKES : null);
      await page.goto(mock.url);
      await page.getByLabel('Plan (JSON)').fill(JSON.stringify(PLAN));
      const alert = page.getByRole('alert');
      await alert.waitFor();
      for (const { path, message } of PLAN_MISTAKES.body.errors) {
        expect(await alert.textContent()).toContain(path);
        expect(await alert.textContent()).toContain(message);
      }
      expect(await page.locator('#start').count()).toBe(0);
    });

    it('can be a picked file, and a broken one is told by line and column without asking the server', async () => {
      await page.goto(mock.url);
      await page.setInputFiles('#plan-file', {
        name: 'plan.json',
        mimeType: 'application/json',
        buffer: Buffer.from('{\n  "clip_prompts": [oops]\n}'),
      });
      await page.getByText(/line 2, column/).waitFor();
      expect(mock.asked('POST', '/v1/jobs/estimate')).toHaveLength(0);
    });

    it('can be the example, which has twelve clips', async () => {
      mock.respond = ({ path }) => (path === '/v1/jobs/estimate' ? estimateAnswer() : null);
      await page.goto(mock.url);
      await page.getByRole('button', { name: 'Use the example' }).click();
      await page.locator('#start').waitFor();
      expect(mock.asked('POST', '/v1/jobs/estimate')[0]?.body).toMatchObject({
        clip_prompts: { length: 12 },
      });
    });

    it('survives a reload of the page that holds it', async () => {
      mock.respond = ({ path }) => (path === '/v1/jobs/estimate' ? estimateAnswer() : null);
      await page.goto(mock.url);
      await page.getByLabel('Plan (JSON)').fill(JSON.stringify(PLAN));
      await page.locator('#start').waitFor();
      await page.reload();
      await page.locator('#start').waitFor();
      expect(await page.getByLabel('Plan (JSON)').inputValue()).toBe(JSON.stringify(PLAN));
    });
  });

  describe('a job', () => {
    it.each([
      ['Pause', 'pause', 'Pausing: running clips finish'],
      ['Retry all 2 failed clips', 'retry', 'the good clips are kept'],
    ])('answers "%s" by its route and says so', async (label, route, said) => {
      await mixed(mock, 'film');
      await openJob('film');
      await page.getByRole('button', { name: label }).click();
      await toast(said).waitFor();
      expect(mock.asked('POST', `/v1/jobs/film/${route}`)).toHaveLength(1);
    });

    it('that is a draft offers the finals of the clips that are chosen, and opens them', async () => {
      await finished(mock, 'rough');
      Object.assign(mock.job('rough'), { quality: 'draft', final_cost_usd: 12.6 });
      await begin(mock, 'fine', 2);
      Object.assign(mock.job('fine'), { quality: 'final', draft_of: 'rough' });
      mock.respond = ({ path }) =>
        path === '/v1/jobs/rough/final' ? { status: 202, body: mock.job('fine') } : null;
      await openJob('rough');
      await page.getByRole('button', { name: 'Make the finals…' }).click();
      await page.getByText('are expected to cost $12.60').waitFor();
      const boxes = page.getByRole('checkbox');
      const count = await boxes.count();
      for (let place = 2; place < count; place += 1) await boxes.nth(place).uncheck();
      await page.getByRole('button', { name: 'Make 2 finals' }).click();
      await page.waitForURL('**/jobs/fine');
      await page.getByText('finals of rough').waitFor();
      const [asked, ...others] = mock.asked('POST', '/v1/jobs/rough/final');
      expect(others).toEqual([]);
      expect(asked?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/);
      const ready = mock.job('rough').clips.filter(({ status }) => status === 'succeeded');
      expect(asked?.body).toEqual({
        clips: ready.slice(0, 2).map(({ clip_index }) => clip_index),
      });
    });

    it('is canceled only after a question, which Escape answers with no', async () => {
      await mixed(mock, 'film');
      await openJob('film');
      await page.getByRole('button', { name: 'Cancel job' }).click();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(mock.asked('POST', '/v1/jobs/film/cancel')).toHaveLength(0);
      await page.getByRole('button', { name: 'Cancel job' }).click();
      await page.getByRole('button', { name: 'Cancel the job' }).click();
      await toast('Canceling the job').waitFor();
      expect(mock.asked('POST', '/v1/jobs/film/cancel')).toHaveLength(1);
    });

    it('offers what its state allows: resume while paused, nothing to cancel when it is over', async () => {
      await begin(mock, 'film', 4);
      await openJob('film');
      mock.emit('film', { type: 'job.paused' });
      await page.locator('[data-job-status="paused"]').waitFor();
      await page.getByRole('button', { name: 'Resume' }).click();
      await toast('The job is resumed').waitFor();
      expect(mock.asked('POST', '/v1/jobs/film/resume')).toHaveLength(1);
      await complete(mock, 'film', 0);
      mock.emit('film', { type: 'job.completed', error: null, total_cost_usd: 0.35 });
      await page.locator('[data-job-status="succeeded"]').waitFor();
      expect(await page.getByRole('button', { name: 'Cancel job' }).isVisible()).toBe(false);
      expect(await page.getByRole('button', { name: 'Resume' }).isVisible()).toBe(false);
    });

    it('says a refusal in the words of the server', async () => {
      await mixed(mock, 'film');
      mock.respond = ({ path }) =>
        path.endsWith('/pause')
          ? { status: 409, body: { detail: 'The job is over; it cannot be paused.' } }
          : null;
      await openJob('film');
      await page.getByRole('button', { name: 'Pause' }).click();
      await toast('it cannot be paused').waitFor();
    });

    it('gets a new cap by its route, and keeps the old one on Escape', async () => {
      await mixed(mock, 'film');
      await openJob('film');
      const raise = page.getByRole('button', { name: 'Raise cap…' });
      const field = page.getByLabel('New cap in US dollars');
      await raise.click();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await raise.click();
      await page.getByRole('button', { name: 'Keep the cap' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(mock.asked('POST', '/v1/jobs/film/max-cost')).toHaveLength(0);
      await raise.click();
      await field.fill('');
      await field.press('Enter'); // nothing to send yet: the question stays
      await field.fill('42.5');
      await field.press('Enter');
      await toast('The job may spend up to $42.50 now').waitFor();
      expect(mock.asked('POST', '/v1/jobs/film/max-cost').map(({ body }) => body)).toEqual([
        { max_cost_usd: 42.5 },
      ]);
    });

    it('says why a new cap is refused', async () => {
      await mixed(mock, 'film');
      const detail = 'the job "film" is over (succeeded)';
      mock.respond = ({ path }) =>
        path.endsWith('/max-cost') ? { status: 409, body: { detail } } : null;
      await openJob('film');
      await page.getByRole('button', { name: 'Raise cap…' }).click();
      await page.getByRole('button', { name: 'Set the cap' }).click();
      await toast('is over (succeeded)').waitFor();
    });

    it('comes as one zip with every finished video and result.json', async () => {
      await finished(mock, 'film');
      await openJob('film');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Download all' }).click(),
      ]);
      expect(download.suggestedFilename()).toBe('film.zip');
      const chunks: Buffer[] = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
      const archive = Buffer.concat(chunks);
      expect(archive.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
      for (const name of ['result.json', 'clip_000.mp4', 'clip_011.mp4', 'video 11']) {
        expect(archive.includes(name)).toBe(true);
      }
      expect(archive.includes('clip_004.mp4')).toBe(false); // the failed one
    });
  });

  describe('a clip', () => {
    it('is canceled and retried by its own routes', async () => {
      await mixed(mock, 'film');
      await openJob('film');
      await page.getByRole('button', { name: 'Cancel Clip 6' }).click();
      await toast('Clip 6 is being canceled').waitFor();
      await page.getByRole('button', { name: 'Retry Clip 4' }).click();
      await toast('Clip 4 is tried again').waitFor();
      expect(mock.asked('POST', '/v1/jobs/film/clips/6/cancel')).toHaveLength(1);
      expect(mock.asked('POST', '/v1/jobs/film/clips/4/retry')).toHaveLength(1);
    });

    it('tells its attempt, why it waits, and counts down to the next try', async () => {
      await begin(mock, 'film', 3);
      await openJob('film');
      mock.emit('film', clipFact(mock.job('film'), 1, STEPS.retrying(3600)));
      await card(1).getByText('attempt 2 of 3').waitFor();
      await card(1).getByText('The provider had a problem').waitFor();
      await card(1)
        .getByText(/Next try in (1:00:00|59:5\d)/)
        .waitFor();
    });

    it('says what it waits for: clips before it, a worker, the rate limit of the provider', async () => {
      await begin(mock, 'film', 3);
      await openJob('film');
      await card(2).getByText('Waiting for its turn').waitFor();
      mock.emit('film', clipFact(mock.job('film'), 1, STEPS.scheduled()));
      await card(1).getByText('Waiting for a worker').waitFor();
      const live = { job_id: 'film', clip_index: 1, attempt: 1, percent: null, estimated: false };
      mock.frame('film', 'clip.progress', { ...live, phase: 'waiting_for_rate' });
      await card(1).getByText("Waiting for the provider's rate limit").waitFor();
      await page.getByText('In progress').click();
      await card(2).waitFor({ state: 'hidden' });
      expect(await card(1).isVisible()).toBe(true);
    });

    it('is one of a thousand, and of more warnings than the job lists, and is followed like any', async () => {
      await begin(mock, 'film', 1_000);
      for (let told = 0; told < 60; told += 1) {
        mock.emit('film', { type: 'job.warning', message: `warning ${String(told)}` });
      }
      await openJob('film');
      await page.getByText('60 warnings').click();
      await page.getByText('… and 10 earlier warnings').waitFor();
      mock.emit('film', clipFact(mock.job('film'), 999, STEPS.rendering()));
      await card(999).scrollIntoViewIfNeeded();
      await card(999).getByText('Rendering').waitFor();
      expect(await page.locator('[data-clip-index]').count()).toBe(1_000);
    });

    it('shows progress while it renders, and says when that is an estimate', async () => {
      await begin(mock, 'film', 3);
      await openJob('film');
      mock.emit('film', clipFact(mock.job('film'), 0, STEPS.rendering()));
      await card(0).getByText('Rendering').waitFor();
      const live = { job_id: 'film', clip_index: 0, attempt: 1, percent: 40, phase: 'rendering' };
      mock.frame('film', 'clip.progress', { ...live, estimated: true });
      await card(0).getByText('≈ 40 %').waitFor();
      const bar = card(0).getByRole('progressbar');
      expect(await bar.getAttribute('aria-valuenow')).toBe('40');
      expect(await bar.getAttribute('aria-valuetext')).toBe('about 40 %, estimated');
    });

    it('carries its index and state where programs find them', async () => {
      await mixed(mock, 'film');
      await openJob('film');
      expect(await card(7).getAttribute('data-status')).toBe('retrying');
      expect(await card(0).getAttribute('data-status')).toBe('succeeded');
      expect(await page.locator('[data-job-status]').getAttribute('data-job-status')).toBe(
        'running',
      );
      expect(await page.locator('[data-clip-index]').count()).toBe(12);
    });
  });

  describe('the list of jobs', () => {
    it('finds by name, filters by state and leads to a job and back', async () => {
      await mixed(mock, 'launch-trailer');
      await finished(mock, 'autumn-film');
      await page.goto(mock.url);
      await page.getByRole('link', { name: /launch-trailer/ }).waitFor();
      await page.getByLabel('Search').fill('autumn');
      await page.getByRole('link', { name: /launch-trailer/ }).waitFor({ state: 'detached' });
      await page.getByLabel('Search').fill('');
      await page.getByLabel('State').selectOption('succeeded');
      await page.getByRole('link', { name: /launch-trailer/ }).waitFor({ state: 'detached' });
      await page.getByRole('link', { name: /autumn-film/ }).click();
      await page.waitForURL('**/jobs/autumn-film');
      await page.goBack();
      await page.getByRole('heading', { name: 'New job' }).waitFor();
    });
  });

  describe('with an API key', () => {
    it('asks once, sends it as a header, and never in an address', async () => {
      mock.key = 'secret-key-of-many';
      await finished(mock, 'film');
      await page.goto(`${mock.url}/jobs/film`);
      await page.getByLabel('API key').fill('secret-key-of-many');
      await page.getByRole('button', { name: 'Use this key' }).click();
      await page.locator('[data-job-status="succeeded"]').waitFor();
      const picture = card(0).locator('img');
      await expect
        .poll(() =>
          picture.evaluate((image: unknown) => (image as { naturalWidth: number }).naturalWidth),
        )
        .toBe(320);
      await page.reload();
      await page.locator('[data-job-status="succeeded"]').waitFor();
      expect(await page.getByRole('dialog').count()).toBe(0);
      expect(page.url()).not.toContain('secret');
      expect(await page.content()).not.toContain('secret');
      expect(mock.urls.filter((url) => url.includes('secret'))).toEqual([]);
    });
  });
});
