/** A real browser can show what the API serves under its Content Security Policy. */
import type { Browser } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { harness } from '../api/harness.js';
import { lacksChromium } from './browser.js';
import { withBrowser } from './scripted-page.js';

describe.skipIf(lacksChromium)('a real browser', () => {
  let browser: Browser;
  let folder: string;

  withBrowser((opened) => {
    ({ folder, browser } = opened);
  });

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
