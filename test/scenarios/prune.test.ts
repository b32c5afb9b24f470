/** `npm run prune` on a real Temporal: what it deletes there, and what keeps a job. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { connectTemporal } from '../../src/adapters/temporal/connection.js';
import { createJobRuns } from '../../src/commands/job-runs.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { eventually } from '../support/eventually.js';
import { DAY, filesOf } from '../support/finished-jobs.js';
import { planOf } from '../support/plans.js';
import { startProcess } from '../support/processes.js';
import { terminateAndRetry } from '../support/retry.js';
import { runsOf } from '../support/runs.js';
import { jobPath } from '../support/stored-files.js';
import { World } from '../support/world.js';

const script = fileURLToPath(new URL('../../dist/src/commands/prune.js', import.meta.url));

async function prune(world: World, ...words: string[]) {
  const code = `import(${JSON.stringify(script)}).then((m) => m.main(${JSON.stringify(words)})).then((c) => process.exit(c))`;
  await using command = startProcess(['node', '-e', code], { env: world.env });
  return { code: await command.exit(), stdout: command.stdout, output: command.output };
}

async function runsIn(world: World) {
  const connection = await connectTemporal({ address: world.env['TEMPORAL_ADDRESS'] ?? '' });
  onTestFinished(() => connection.close());
  const store = createDirectoryStore(world.data_dir);
  return createJobRuns({ connection, namespace: 'default', task_queue: world.task_queue, store });
}

/** As if it had ended so long ago. */
async function age(world: World, jobId: string, days: number): Promise<void> {
  const file = jobPath(world.data_dir, jobId, 'job.json');
  const job = JSON.parse(await readFile(file, 'utf8')) as Job;
  const completed_at = new Date(Date.now() - days * DAY).toISOString();
  await writeFile(file, JSON.stringify({ ...job, completed_at }));
  await rm(path.join(world.data_dir, 'index'), { recursive: true, force: true });
}

describe('npm run prune', () => {
  it('removes a job that ended long ago, and leaves one that has just ended alone, whatever its record says', async () => {
    await using world = await World.create();
    await world.startWorker();
    const old = await world.start(planOf(['a']));
    const young = await world.start(planOf(['b']));
    await Promise.all([old.end(), young.end()]);
    const runs = await runsIn(world);
    const id = old.handle.workflowId;
    const last = await runs.last(id);
    if (last === null) throw new Error('expected a run');
    await age(world, id, 31);
    const before = filesOf(world.data_dir);
    // Its record says that it is old, Temporal that it has just ended.
    expect(await prune(world, '--older-than', '30d')).toMatchObject({ code: 0 });
    expect(filesOf(world.data_dir)).toEqual(before);

    await runs.forget(id, last);
    const pruned = await prune(world, '--older-than', '30d', '--json');
    expect(pruned.code).toBe(0);
    expect(JSON.parse(pruned.stdout)).toMatchObject({ jobs: 1, running: 0, failed: [] });
    const left = Object.keys(filesOf(world.data_dir)).filter((file) => file.includes(id));
    expect(left).toEqual([]);
    const youngs = Object.keys(before).filter((file) => file.includes(young.handle.workflowId));
    expect(Object.keys(filesOf(world.data_dir))).toEqual(expect.arrayContaining(youngs));
  });

  it('deletes every closed run of a job at Temporal, and no run that has started since', async () => {
    await using world = await World.create();
    await world.startWorker();
    const first = await world.start(planOf(['[[stuck-processing]] a']));
    await first.until('the prediction', ({ clips }) => clips[0]?.predictions.length === 1);
    const again = await terminateAndRetry(world, first);
    const id = first.handle.workflowId;
    const runs = await runsIn(world);
    const running = await runs.last(id);
    expect(running).toMatchObject({ closed_at: null });
    await runs.forget(id, { run_id: first.first_run_id, closed_at: new Date().toISOString() });
    expect(await runs.last(id)).toEqual(running);

    await again.handle.terminate();
    const closed = await runs.last(id);
    if (closed === null) throw new Error('expected a run');
    await runs.forget(id, closed);
    expect(await runs.last(id)).toBeNull();
    await eventually('visibility to forget its runs', async () => {
      const value = await runsOf(world, id);
      return { done: value.length === 0, value };
    });
    expect(await runs.retention()).toBeGreaterThan(0);
  });
});
