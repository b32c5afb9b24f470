/** A DATA_DIR that refuses: nothing is paid that nobody could write down, and nothing paid is given up for a hint. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

/** A plain file where a folder has to be. */
const block = (world: World, name: string): Promise<void> =>
  writeFile(path.join(world.data_dir, name), '');

describe('a disk', () => {
  it('on which no claim can be written costs nothing: no clip is created, and the job says why', async () => {
    await using world = await World.create();
    await block(world, 'claims');
    await world.startWorker();
    const plan = planOf(['a', 'b', 'c'], { batch_size: 1, min_successful_clips: 1 });
    const job = await (await world.start(plan)).end();
    expect(await world.stats()).toMatchObject({ creates: 0, bills: { count: 0 } });
    expect(job).toMatchObject({ status: 'failed', total_cost_usd: 0 });
    expect(job.clips.map(({ status, error }) => [status, error?.kind])).toEqual([
      ['failed', 'storage_error'],
      ['canceled', 'storage_error'],
      ['canceled', 'storage_error'],
    ]);
    expect(job.clips[0]?.error?.message).toContain('DATA_DIR');
  });

  it('on which nothing can be watched for webhooks costs the hints, never a render', async () => {
    await using world = await World.create();
    await block(world, 'wakes');
    await world.startWorker();
    const job = await (await world.start(planOf(['a']))).end();
    expect(job).toMatchObject({ status: 'succeeded' });
    expect(await world.stats()).toMatchObject({ creates: 1, cancels: 0 });
  });
});
