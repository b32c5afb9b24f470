/** What tests of the page share: one built page and one browser for a file, and a page against a scripted API for each test. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { launch } from './browser.js';
import { buildPage } from './build-page.js';
import { MockApi } from './mock-api.js';

/** `folder` has the built page. */
export function withBrowser(ready: (opened: { folder: string; browser: Browser }) => void): void {
  let browser: Browser;
  beforeAll(async () => {
    const [folder, launched] = await Promise.all([buildPage(), launch()]);
    browser = launched;
    ready({ folder, browser });
  }, 120_000);
  afterAll(() => browser.close());
}

/** Each test has an API and a browser context of its own. */
export function withScriptedPage(
  prepare: (opened: { page: Page; mock: MockApi }) => Promise<void>,
  options: BrowserContextOptions = { reducedMotion: 'reduce' },
): void {
  let opened: { folder: string; browser: Browser };
  let close: () => Promise<void>;
  withBrowser((found) => {
    opened = found;
  });
  beforeEach(async () => {
    const mock = new MockApi(opened.folder);
    await mock.start();
    const context = await opened.browser.newContext(options);
    close = async () => {
      await context.close();
      await mock.stop();
    };
    await prepare({ page: await context.newPage(), mock });
  });
  afterEach(() => close());
}
