/** Debian's Chromium, driven by playwright-core. */
import { chromium, type Browser } from 'playwright-core';
import { CHROMIUM } from '../../setup/test-extras.mjs';
import { lacks } from '../support/needed-programs.js';

export const lacksChromium = lacks('chromium');

export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
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
