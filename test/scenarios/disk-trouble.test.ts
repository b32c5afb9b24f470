/** A DATA_DIR that refuses: nothing is paid that could not be written down, and nothing paid is given up for a hint. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';

/** A plain file where a folder has to be. */
const block = (world: World, name: string): Promise<void> =>
  writeFile(path.join(world.data_dir, name), '');

describe('a disk', () => {
  it('on which nothing can be written down costs nothing: no clip is created, and the job says why', async () => {
    await using world = await World.create();
    await block(world, 'creates');
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

  it('that takes no large plan starts no job, and the API says whose fault it is', async () => {
    await using world = await World.create();
    await block(world, 'payloads');
    const settings = { log_level: 'silent' };
    const api = await startApi(loadConfig(world.env), { port: 0, settings });
    const post = async (plan: Plan) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ ...plan, job_id: world.task_queue });
      const answer = await fetch(`${api.url}/v1/jobs`, { method: 'POST', headers, body });
      return [answer.status, await answer.text()];
    };
    const large = Array.from({ length: 30 }, () => 'a'.repeat(10_000));
    expect(await post(planOf(large))).toEqual([
      503,
      expect.stringContaining('large payloads are kept in the store, which failed'),
    ]);
    // The id is still free: nothing was started under it.
    expect(await post(planOf(['a']))).toEqual([202, expect.anything()]);
    await world.client.workflow.getHandle(world.task_queue).terminate();
    await api.close();
  });

  it('on which no claim can be written costs no render: the create itself was written down', async () => {
    await using world = await World.create();
    await block(world, 'claims');
    await world.startWorker();
    const job = await (await world.start(planOf(['a', 'b']))).end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    expect(await world.stats()).toMatchObject({ creates: 2 });
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
