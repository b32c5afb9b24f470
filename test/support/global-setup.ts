/** One Temporal server for all test files; each test has a task queue of its own on it. */
import type { TestProject } from 'vitest/node';
import { temporalServer } from './temporal-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    /** Its Web UI. */
    temporalUiUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await temporalServer(console.error);
  project.provide('temporalAddress', server.address);
  project.provide('temporalUiUrl', server.ui_url);
  return () => server.close();
}
