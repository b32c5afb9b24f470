/** A data folder on a file system without hard links: jobs run, lost creates are adopted, and nothing is paid twice. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { planOf } from '../support/plans.js';
import { ROOT } from '../support/processes.js';
import { World } from '../support/world.js';

it('without hard links and renames of folders no worker starts, and says what it needs', async () => {
  const preload = path.join(ROOT, 'test/support/without-exclusive.mjs');
  await using world = await World.create({ env: { NODE_OPTIONS: `--import=${preload}` } });
  await expect(world.startWorker()).rejects.toThrow(
    'expected a file system on which a file can be made exactly once',
  );
});

it('without hard links a job claims its predictions, and adopts one whose answer was lost', async () => {
  const preload = path.join(ROOT, 'test/support/without-links.mjs');
  await using world = await World.create({ env: { NODE_OPTIONS: `--import=${preload}` } });
  await world.startWorker();
  const job = await (await world.start(planOf(['a', 'b [[accept-then-drop]]']))).end();
  expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
  expect(await world.stats()).toMatchObject({ creates: 2 });
  const folder = path.join(world.data_dir, 'claims');
  const claims = await readdir(folder);
  expect(claims).toHaveLength(2);
  for (const name of claims) expect((await stat(path.join(folder, name))).isDirectory()).toBe(true);
});
