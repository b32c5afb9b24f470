/** What browsers are told, and that a real one can still show what we serve. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch } from '../web/browser.js';
import { buildPage } from '../web/build-page.js';
import { harness, read } from './harness.js';

describe('every answer', () => {
  it('says that its type is no guess, and that its address is nobody else’s business', async () => {
    const { app, url, jobs } = await harness();
    jobs.add('a');
    for (const place of ['/v1/jobs/a', '/v1/jobs/none', '/docs', '/openapi.json', '/nothing']) {
      const { headers } = await app.inject({ url: place });
      expect([place, headers['x-content-type-options'], headers['referrer-policy']]).toEqual([
        place,
        'nosniff',
        'same-origin',
      ]);
    }
    const stream = await read(`${url}/v1/jobs/a/events`);
    expect(stream.headers['x-content-type-options']).toBe('nosniff');
    stream.close();
  });
});

describe('the page', () => {
  it('may load its own origin and nothing else, and be framed by nobody', async () => {
    const { app, data_dir } = await harness();
    await mkdir(path.join(data_dir, 'page', 'web'), { recursive: true });
    await writeFile(path.join(data_dir, 'page', 'web', 'index.html'), '<title>page</title>');
    for (const url of ['/', '/jobs/some-job']) {
      const policy = String((await app.inject({ url })).headers['content-security-policy']);
      expect(policy).toMatch(/^default-src 'self';/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain('unsafe');
    }
  });
});

describe('documents', () => {
  it.each([
    ['/', './'],
    ['/jobs/some-job', '../'],
    ['/jobs/a%2Fb', '../'],
    ['/docs', './docs/'],
    ['/docs/', './'],
  ])(
    'name at %s what they load relatively, so that any path may lie before it',
    async (url, up) => {
      const { app, data_dir } = await harness();
      await mkdir(path.join(data_dir, 'page', 'web'), { recursive: true });
      const source = new URL('../../src/web/index.html', import.meta.url);
      await copyFile(source, path.join(data_dir, 'page', 'web', 'index.html'));
      const { body } = await app.inject({ url });
      const named = [...body.matchAll(/(?:href|src)="([^"#]+)"/g)].map(
        ([, address = '']) => address,
      );
      expect(named.length).toBeGreaterThan(4);
      expect(named.filter((address) => !address.startsWith(up))).toEqual([]);
    },
  );
});

describe.skipIf(!hasChromium)('a real browser', () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    [folder, browser] = await Promise.all([buildPage(), launch()]);
  }, 120_000);

  afterAll(() => browser.close());

  it.each([
    ['/', '#plan-file'],
    ['/docs', '.swagger-ui .info .title'],
  ])('finds nothing at %s that the policy forbids', async (place, element) => {
    const { url } = await harness({ page_dir: folder });
    const page = await browser.newPage();
    const refused: string[] = [];
    page.on('console', (message) => {
      if (/Content.Security.Policy/.test(message.text())) refused.push(message.text());
    });
    page.on('pageerror', (error) => refused.push(error.message));
    await page.goto(`${url}${place}`, { waitUntil: 'networkidle' });
    await page.locator(element).first().waitFor({ state: 'attached' });
    expect(refused).toEqual([]);
    await page.close();
  });
});
