/**
 * The page on the real stack, as a person has it after `npm start`: Temporal, worker, simulator, API and a
 * real browser. Killed and started again under the open page; what the page shows is what the API knows.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../src/domain/job/job.schema.js';
import { eventually } from '../support/eventually.js';
import { freePorts } from '../../src/http/ports.js';
import { startSubPathProxy } from '../support/sub-path-proxy.js';
import { startProcess, type RunningProcess } from '../support/processes.js';
import { lacksChromium, launch } from './browser.js';
import { testFolder } from '../support/test-folder.js';

const PLAN = {
  batch_size: 3,
  clip_prompts: [
    'a fox [[flagged]]',
    'a hen [[fail-once]]',
    'an owl [[slow:6000]]',
    'a bee',
    'an ant',
    'a cat',
  ].map((prompt, clip_index) => ({ clip_index, prompt, duration: 5 })),
};
const SHORT_PLAN = {
  job_id: 'sub-path',
  min_successful_clips: 1,
  clip_prompts: [
    { clip_index: 0, prompt: 'a wren', duration: 5 },
    { clip_index: 1, prompt: 'a snail [[slow:600000]]', duration: 5 },
  ],
};
const PATIENCE = { timeout: 60_000 };

let env: Record<string, string>;
let stack: RunningProcess;
let browser: Browser;
let page: Page;
let url: string;

const job = () => page.locator('[data-job-status]');
const card = (index: number) => page.locator(`[data-clip-index="${String(index)}"]`);
const becomes = (index: number, status: string) =>
  page.locator(`[data-clip-index="${String(index)}"][data-status="${status}"]`).waitFor(PATIENCE);
const jobBecomes = (status: string) =>
  page.locator(`[data-job-status="${status}"]`).waitFor(PATIENCE);

async function startStack(): Promise<void> {
  stack = startProcess(['npm', 'start'], { env });
  await eventually('a stack that is ready', async () => {
    const status = await fetch(`${url}/readyz`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (!stack.isRunning) throw new Error(`the stack ended: ${stack.output}`);
    return { done: status === 200, value: { status, output: stack.output } };
  });
}

/** The page holds every event up to the last: it refuses gaps and counts none twice. */
async function expectPageIsCurrent(): Promise<void> {
  const jobId = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  const known = (await (await fetch(`${url}/v1/jobs/${jobId}`)).json()) as Job;
  await expect.poll(() => job().getAttribute('data-seq'), PATIENCE).toBe(String(known.seq));
  for (const clip of known.clips) {
    expect(await card(clip.clip_index).getAttribute('data-status')).toBe(clip.status);
  }
}

async function expectToPlay(index: number): Promise<void> {
  await page.getByRole('button', { name: `Play Clip ${String(index)}` }).click();
  const time = () =>
    card(index)
      .locator('video')
      .evaluate((video: unknown) => (video as { currentTime: number }).currentTime);
  await expect.poll(time, PATIENCE).toBeGreaterThan(0.5);
}

describe.skipIf(lacksChromium)('the page on the real stack', () => {
  const folder = testFolder('page-stack');
  beforeAll(async () => {
    const [port, temporal, ui, simulator] = (await freePorts('127.0.0.1', 4)).map(String);
    url = `http://127.0.0.1:${port ?? ''}`;
    env = {
      DATA_DIR: folder.path,
      PORT: port ?? '',
      TEMPORAL_PORT: temporal ?? '',
      TEMPORAL_UI_PORT: ui ?? '',
      SIMULATOR_PORT: simulator ?? '',
    };
    browser = await launch();
    await startStack();
  });

  afterAll(async () => {
    await browser.close();
    await stack.killGroup();
    folder.remove();
  });

  it('starts, steers, survives kill -9 of everything, plays what came of it', async () => {
    page = await browser.newPage();
    await page.goto(url);
    await page.getByLabel('Plan (JSON)').fill(JSON.stringify(PLAN));
    await page.getByRole('button', { name: /^Start 6 clips/ }).click();
    await page.waitForURL('**/jobs/*');
    await page.getByText('Simulator: clips are made on this machine').waitFor();

    await becomes(0, 'failed');
    await card(0).getByText('The provider refused the content').waitFor();
    await becomes(1, 'succeeded'); // at its second attempt
    await page.getByRole('button', { name: 'Retry Clip 0' }).click();
    await page.locator('.toast', { hasText: 'Clip 0 is tried again' }).waitFor();
    await page.reload();
    await jobBecomes('running');
    expect(await card(1).getAttribute('data-status')).toBe('succeeded');

    await stack.killGroup();
    await page.getByText('Connection lost, trying again').waitFor();
    await startStack();
    await page.getByText('Connection lost').waitFor({ ...PATIENCE, state: 'hidden' });
    await page.getByRole('button', { name: 'Cancel Clip 2' }).click();
    await becomes(2, 'canceled');
    await jobBecomes('succeeded');
    await expectPageIsCurrent();

    await expectToPlay(3);
  }, 400_000);

  it('does all of it below a path of a proxy that strips the path', async () => {
    const proxy = await startSubPathProxy(url, '/clips');
    page = await browser.newPage();
    const troubles: string[] = [];
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('response', (answer) => {
      if (answer.status() >= 400) troubles.push(`${String(answer.status())} ${answer.url()}`);
    });
    try {
      await page.goto(proxy.url);
      await page.getByLabel('Plan (JSON)').fill(JSON.stringify(SHORT_PLAN));
      await page.getByRole('button', { name: /^Start 2 clips/ }).click();
      await page.waitForURL(`${proxy.url}jobs/*`);
      await becomes(0, 'succeeded'); // told by events
      await page.reload();
      await becomes(0, 'succeeded');
      await expectToPlay(0);
      await card(1).getByRole('button', { name: 'Cancel Clip 1' }).click();
      await becomes(1, 'canceled');
      await jobBecomes('succeeded');
      await page.getByRole('link', { name: 'All jobs' }).click();
      await page.waitForURL(proxy.url);
      await page.getByRole('link', { name: /sub-path/ }).click();
      await page.waitForURL(`${proxy.url}jobs/sub-path`);
      await jobBecomes('succeeded');
      await page.goBack();
      await page.waitForURL(proxy.url);
      await page.goForward();
      await page.getByRole('link', { name: 'Clip generator' }).click();
      await page.waitForURL(proxy.url);

      await page.goto(`${proxy.url}jobs/sub-path`);
      await jobBecomes('succeeded');
      await page.getByRole('link', { name: 'API', exact: true }).click();
      await page.locator('.swagger-ui .info .title').waitFor();
      const server = page.locator('.swagger-ui .servers select');
      expect(await server.inputValue()).toBe('../');
      await page.getByText('What a plan would ask for and cost; starts nothing').waitFor();
      await page.locator('#operations-models-get_v1_models').click();
      await page.getByRole('button', { name: 'Try it out' }).click();
      await page.getByRole('button', { name: 'Execute' }).click();
      await page.getByText(`${proxy.url}v1/models`, { exact: true }).first().waitFor();
      expect(proxy.strays.filter((path) => path !== '/favicon.ico')).toEqual([]);
      expect(troubles).toEqual([]);
    } finally {
      await page.close();
      await proxy.close();
    }
  }, 200_000);
});
