/** One Temporal server for all test files; each test has a task queue of its own on it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { temporalServer } from './temporal-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    /** Its Web UI. */
    temporalUiUrl: string;
    /** Path of the time-skipping server; null where Java or Maven is missing. */
    timeSkippingServer: string | null;
  }
}

const timeSkipping = fileURLToPath(
  new URL('../../.cache/test-server/temporal-test-server', import.meta.url),
);

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await temporalServer(console.error);
  project.provide('temporalAddress', server.address);
  project.provide('temporalUiUrl', server.ui_url);
  project.provide('timeSkippingServer', existsSync(timeSkipping) ? timeSkipping : null);
  return () => server.close();
}
