/** What a killed server may lose is made anew. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { Database } from 'node-sqlite3-wasm';
import { expect, it } from 'vitest';
import { planOf } from '../support/plans.js';
import { temporalServer } from '../support/temporal-server.js';
import { World } from '../support/world.js';

/** What the server is to do next, of all its workflows; answers how much that was. */
function loseTasks(dataDir: string): number {
  // The library takes a file of this name for a lock of its own; ours is free just now.
  rmSync(path.join(dataDir, 'temporal.db.lock'));
  const database = new Database(path.join(dataDir, 'temporal.db'));
  try {
    // This driver has no memory to share, which a write-ahead log needs for more than one.
    database.run('PRAGMA locking_mode = EXCLUSIVE');
    return ['tasks', 'tasks_v2', 'transfer_tasks']
      .map((table) => database.run(`DELETE FROM ${table}`).changes)
      .reduce((sum, count) => sum + count);
  } finally {
    database.close();
  }
}

it('a job whose next task the server has lost resumes after a start of the server', async () => {
  await using server = await temporalServer();
  await using world = await World.create({ address: server.address });
  const run = await world.start(planOf(['a lighthouse']));
  let lost = 0;
  await server.restart(() => {
    lost = loseTasks(server.data_dir);
  });
  expect(lost).toBeGreaterThan(0);
  await world.startWorker();
  expect(await run.end()).toMatchObject({ status: 'succeeded', successful_clips: 1 });
});
