/**
 * The page's states, dark and light, from a telephone to 4K: nothing that axe objects to, nothing wider
 * than the screen. With PICTURES=<folder> each state is saved there; that is how docs/images was made.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacksChromium, launch } from './browser.js';
import { buildPage } from './build-page.js';
import { MockApi } from './mock-api.js';
import {
  answerPlans,
  estimateAnswer,
  finished,
  liveFrames,
  lost,
  mixed,
  PLAN_MISTAKES,
  waitForRetry,
} from './scenes.js';

interface Scene {
  name: string;
  open: (page: Page) => Promise<void>;
}

const PLAN =
  '{ "clip_prompts": [ { "clip_index": 0, "prompt": "A fox in snow", "duration": 5.2 } ] }';
const SIZES = [
  { name: 'phone', width: 360, height: 780 },
  { name: 'desk', width: 1440, height: 1000 },
  { name: '4k', width: 3840, height: 2160 },
];
const pictures = process.env['PICTURES'];

let mock: MockApi;
let browser: Browser;
let axe: string;

const typePlan = async (page: Page): Promise<void> => {
  await page.goto(mock.url);
  await page.getByLabel('Plan (JSON)').fill(PLAN);
};

const openJob = (jobId: string) => async (page: Page) => {
  await page.goto(`${mock.url}/jobs/${jobId}`);
  await page.locator('[data-job-status]').waitFor();
};

const SCENES: readonly Scene[] = [
  {
    name: 'home',
    open: async (page) => {
      await page.goto(mock.url);
      await page.locator('.job-row').first().waitFor();
    },
  },
  {
    name: 'estimate',
    open: async (page) => {
      mock.respond = ({ path }) => (path === '/v1/jobs/estimate' ? estimateAnswer() : null);
      await typePlan(page);
      await page.getByRole('button', { name: /^Start 12 clips/ }).waitFor();
    },
  },
  {
    name: 'models',
    open: async (page) => {
      mock.respond = answerPlans;
      await typePlan(page);
      await page.getByText('Choose and compare models').click();
      await page.locator('[data-can-make="true"]').first().waitFor();
    },
  },
  {
    name: 'mistakes',
    open: async (page) => {
      mock.respond = ({ path }) => (path === '/v1/jobs/estimate' ? PLAN_MISTAKES : null);
      await typePlan(page);
      await page.getByRole('heading', { name: '3 mistakes in this plan' }).waitFor();
    },
  },
  {
    name: 'running',
    open: async (page) => {
      await openJob('launch-trailer')(page);
      await expect.poll(() => mock.listeners('launch-trailer')).toBeGreaterThan(0);
      waitForRetry(mock, 'launch-trailer');
      liveFrames(mock, 'launch-trailer');
      await page.getByText('≈ 15 %').waitFor();
    },
  },
  { name: 'finished', open: openJob('autumn-film') },
  { name: 'failed', open: openJob('no-credit') },
];

describe.skipIf(lacksChromium)('the page, as it looks', () => {
  beforeAll(async () => {
    mock = new MockApi(await buildPage());
    await mock.start();
    await lost(mock, 'no-credit');
    // As generated ids are: wider than the list.
    await lost(mock, 'job-32daae43-336a-4197-94f5-fdf9d60c5b31');
    await finished(mock, 'autumn-film');
    await mixed(mock, 'launch-trailer');
    browser = await launch();
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    await mock.stop();
  });

  describe.each(SCENES)('$name', ({ name, open }) => {
    it.each(['light', 'dark'] as const)(
      'is readable and usable in %s, from 360 px to 4K',
      async (colorScheme) => {
        const context = await browser.newContext({
          colorScheme,
          bypassCSP: true,
          reducedMotion: 'reduce',
        });
        const page = await context.newPage();
        for (const { name: size, width, height } of SIZES) {
          await page.setViewportSize({ width, height });
          await open(page);
          await expectNothingCutOff(page);
          if (pictures !== undefined) {
            await page.screenshot({
              path: join(pictures, `${name}-${colorScheme}-${size}.png`),
              fullPage: size !== '4k',
            });
          }
          if (size !== '4k') expect(await violations(page)).toEqual([]);
        }
        await context.close();
      },
      120_000,
    );
  });
});

async function expectNothingCutOff(page: Page): Promise<void> {
  const [content, screen] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  expect(content).toBeLessThanOrEqual(screen);
  const outside = await page.evaluate<string[]>(`
    const right = (element) => Math.floor(element.getBoundingClientRect().right);
    [...document.querySelectorAll('.jobs *')]
      .filter((element) => right(element) > right(element.closest('.jobs')))
      .map((element) => element.className);
  `);
  expect(outside).toEqual([]);
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const result = await page.evaluate<{
    violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
  }>('axe.run()');
  return result.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`),
  );
}
