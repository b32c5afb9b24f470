/** What `npm test` counts, by a real vitest run on small files. */
import { readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, startProcess } from '../support/processes.js';
import { testFolder } from '../support/test-folder.js';

const FILES = {
  'good.test.ts': `import { it } from 'vitest'; it('a', () => {}); it('b', () => {}); it.skip('c', () => {});`,
  'bad.test.ts': `import { it } from 'vitest'; it('fails', () => { throw new Error('no'); });`,
  'broken.test.ts': `throw new Error('does not load');`,
  'hook.test.ts': `import { afterAll, it } from 'vitest'; it('d', () => {}); afterAll(() => { throw new Error('late'); });`,
};

describe('the count of npm test', () => {
  it('counts what fails outside a test as a failure too', async () => {
    using own = testFolder('counts');
    const folder = own.path;
    await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    for (const [name, text] of Object.entries(FILES))
      await writeFile(path.join(folder, name), text);
    await writeFile(path.join(folder, 'vitest.config.mjs'), 'export default { test: {} };');
    const counts = path.join(folder, 'counts.json');
    await using vitest = startProcess(
      [
        'node',
        path.join(ROOT, 'node_modules/vitest/vitest.mjs'),
        'run',
        `--reporter=${path.join(ROOT, 'setup/count-reporter.mjs')}`,
      ],
      { cwd: folder, env: { TEST_COUNTS_FILE: counts } },
    );
    expect(await vitest.exit()).toBe(1);
    expect(JSON.parse(await readFile(counts, 'utf8'))).toEqual({
      passed: 3,
      failed: 3,
      skipped: 1,
    });
  });
});
