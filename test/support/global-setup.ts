/** What all test files share: one Temporal server, on which each test has a task queue of its own, and one folder for temporary files. */
import type { TestProject } from 'vitest/node';
import { temporalServer } from './temporal-server.js';
import { testFolder } from './test-folder.js';

declare module 'vitest' {
  interface ProvidedContext {
    temporalAddress: string;
    /** Its Web UI. */
    temporalUiUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const temporary = testFolder('tests');
  // Inherited by the test processes: files of one that is killed go with the run.
  process.env['TMPDIR'] = temporary.path;
  const server = await temporalServer(console.error);
  project.provide('temporalAddress', server.address);
  project.provide('temporalUiUrl', server.ui_url);
  return async () => {
    await server.close();
    temporary.remove();
  };
}
