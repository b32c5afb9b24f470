/** A video counts as stored when it is there, and matches the facts stored with it. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { artifactPath } from '../support/stored-files.js';
import { storedOf } from '../../chaos/stored-files.js';
import { testFolder } from '../support/test-folder.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';

it('facts without their video store nothing, and neither does another video', async () => {
  const { path: folder, remove } = testFolder('stored');
  onTestFinished(remove);
  const write = async (index: number, name: 'video' | 'facts', content: string): Promise<void> => {
    const file = artifactPath(folder, 'j', index, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  const facts = (index: number): string =>
    JSON.stringify({
      prediction_id: `p${String(index)}`,
      sha256: createHash('sha256').update('a heron').digest('hex'),
    });
  for (const index of [0, 1, 2]) await write(index, 'facts', facts(index));
  await write(0, 'video', 'a heron');
  await write(1, 'video', 'a her');
  await write(3, 'video', 'a heron');
  expect(await storedOf(createDirectoryStore(folder), 'j', [0, 1, 2, 3])).toEqual(
    new Map([[0, 'p0']]),
  );
});
