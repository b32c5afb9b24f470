/**
 * A folder of a test's own, below the system's temporary folder, removed with the test:
 * `using folder = testFolder('downloads')`, or, in a hook, `return folder.remove`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestFolder extends Disposable {
  path: string;
  /** `remove` as a hook wants it. */
  remove: () => void;
}

export function testFolder(name: string, parent = tmpdir()): TestFolder {
  const folder = mkdtempSync(path.join(parent, `${name}-`));
  // A process that was killed a moment ago may still write.
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return {
    path: folder,
    remove,
    [Symbol.dispose]: remove,
  };
}
