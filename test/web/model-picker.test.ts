/** The list of models on the page: filtered by what a plan needs, compared by what the plan costs, used with one click. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { factsOf } from '../../src/domain/models/facts.js';
import { rowOf } from '../domain/models/rows.js';
import { lacksChromium, launch } from './browser.js';
import { buildPage } from './build-page.js';
import { MockApi } from './mock-api.js';
import { answerPlans } from './scenes.js';

const PLAN = { clip_prompts: [{ clip_index: 0, prompt: 'A fox in snow', duration: 5.2 }] };

let mock: MockApi;
let browser: Browser;
let page: Page;

const shown = (): Promise<string[]> =>
  page.evaluate<string[]>(
    "[...document.querySelectorAll('.picker tbody tr:not([hidden])')].map((row) => row.dataset.model)",
  );

describe.skipIf(lacksChromium)('the list of models', () => {
  beforeAll(async () => {
    mock = new MockApi(await buildPage());
    mock.respond = answerPlans;
    await mock.start();
    browser = await launch();
  }, 120_000);
  beforeEach(async () => {
    page = await browser.newPage();
    await page.goto(mock.url);
  });
  afterAll(async () => {
    await browser.close();
    await mock.stop();
  });

  it('asks for nothing before it is opened, and shows every model, the cheapest first', async () => {
    expect(mock.asked('GET', '/v1/models')).toEqual([]);
    await page.getByText('Choose and compare models').click();
    await page.locator('.picker tbody tr').first().waitFor();
    const models = await shown();
    expect([...models].sort()).toEqual([...CATALOGUE.keys()].sort());
    const prices = models.map((id) => factsOf(rowOf(id)).cheapest_second_usd ?? Infinity);
    expect(prices).toEqual([...prices].sort((a, b) => a - b));
    expect(mock.asked('POST', '/v1/models/compare')).toEqual([]);
  });

  it('filters by words and by what a model takes', async () => {
    await page.getByText('Choose and compare models').click();
    await page.locator('.picker tbody tr').first().waitFor();
    await page.getByLabel('references', { exact: true }).check();
    await page.getByLabel('seed', { exact: true }).check();
    const expected = [...CATALOGUE.values()]
      .map(factsOf)
      .filter(({ takes }) => takes.has('references') && takes.has('seed'));
    expect((await shown()).sort()).toEqual(expected.map(({ id }) => id).sort());
    await page.getByLabel('Show', { exact: true }).fill('veo 1080p');
    await expect.poll(shown).toEqual(['google/veo-3.1']);
  });

  it('says what the plan costs on each, and why not, and puts the chosen model into the plan', async () => {
    await page.getByLabel('Plan (JSON)').fill(JSON.stringify(PLAN));
    await page.getByText('Choose and compare models').click();
    const cell = (id: string) => page.locator(`[data-model="${id}"] .picker__plan`);
    await expect.poll(() => cell('prunaai/p-video').textContent()).toContain('$0.14');
    expect(await cell('kwaivgi/kling-v2.1').getAttribute('data-can-make')).toBe('false');
    expect(await cell('bytedance/seedance-1-lite').textContent()).toContain('retired since');
    expect(await page.getByRole('button', { name: 'Use Seedance 1 Lite' }).isDisabled()).toBe(true);

    await page.getByRole('button', { name: 'Use Veo 3.1', exact: true }).click();
    const plan = JSON.parse(await page.getByLabel('Plan (JSON)').inputValue()) as object;
    expect(plan).toEqual({ ...PLAN, model: 'google/veo-3.1' });
    await expect
      .poll(() => mock.asked('POST', '/v1/jobs/estimate').at(-1)?.body)
      .toEqual({ ...PLAN, model: 'google/veo-3.1' });
  });
});
