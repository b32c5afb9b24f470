/** Debian's Chromium, driven by playwright-core; absent, the tests that need it are skipped and say so. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PATH = '/usr/bin/chromium';

export const hasChromium = existsSync(PATH);
if (!hasChromium)
  console.warn(`Skipped: the page's browser tests need ${PATH}, which is not installed.`);

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: PATH,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
