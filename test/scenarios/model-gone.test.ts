/** A model that ends, at the provider or in the catalogue: what runs is not touched, and nothing more is paid for. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import { CATALOGUE } from '../../src/domain/models/index.js';
import { rowOf } from '../domain/models/rows.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { Run, World } from '../support/world.js';
import { testFolder } from '../support/test-folder.js';

const KLING = 'kwaivgi/kling-v2.5-turbo-pro';
const SUCCESSOR = 'kwaivgi/kling-v3-video';

const held = (world: World, count: number) =>
  eventually(`${String(count)} held predictions`, async () => {
    const { held: points } = await world.stats();
    return { done: points.length === count, value: points };
  });

describe('a model that the provider no longer has', () => {
  it('ends the clips that ask for it, unpaid and at once, and keeps those that render', async () => {
    const provider_catalogue = new Map(CATALOGUE);
    await using world = await World.create({
      provider_catalogue,
      env: { MODEL_CATALOGUE: '' },
    });
    await world.startWorker();
    const run = await world.start(
      planOf(['[[hold:while-processing]] a', '[[fail-once]] [[hold:while-processing]] b', 'c'], {
        model: KLING,
        batch_size: 2,
      }),
    );
    await held(world, 2);
    provider_catalogue.delete(KLING);
    await world.control('POST', '/release', { all: true });
    const job = await run.end();

    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 1, failed_clips: 2 });
    expect(job.clips[0]).toMatchObject({ status: 'succeeded', actual_duration: 5 });
    for (const clip of job.clips.slice(1)) {
      expect(clip.error).toMatchObject({ kind: 'invalid_input', retryable: false });
      expect(clip.error?.message).toMatch(
        new RegExp(
          `^model_unavailable: the provider has no model ${KLING} \\(HTTP 404: .*${SUCCESSOR}$`,
        ),
      );
    }
    const stats = await world.stats();
    // One more create for each of the two others, refused.
    expect(stats).toMatchObject({ creates: 2, create_requests: 4 });
    expectSameLedger(stats, job);

    const { workflowId } = run.handle;
    const api = await startApi(loadConfig(world.env), {
      port: 0,
      settings: { log_level: 'error' },
    });
    const answer = await fetch(`${api.url}/v1/jobs/${workflowId}/retry`, { method: 'POST' });
    await api.close();
    expect(answer.status).toBe(202);
    const again = await new Run(world.client.workflow.getHandle(workflowId)).end();
    expect(again).toMatchObject({ status: 'succeeded', successful_clips: 1, failed_clips: 2 });
    expect(again.clips[2]?.error?.message).toContain('model_unavailable');
    const after = await world.stats();
    expect(after).toMatchObject({ creates: 2, bills: stats.bills });
    expectSameLedger(after, again);
  });
});

describe('a model that the catalogue retires', () => {
  it('is used to the end by a job that runs, and refused to the next', async () => {
    const { path: folder, remove } = testFolder('retired');
    onTestFinished(remove);
    const file = path.join(folder, 'models.json');
    const env: Record<string, string> = {};
    await using world = await World.create({ env });
    await world.startWorker();
    const plan = planOf(['[[hold:while-processing]] a', 'b'], { model: KLING, batch_size: 1 });
    const run = await world.start(plan);
    await held(world, 1);
    const life_cycle = {
      status: 'retired',
      since: '2026-11-01',
      successor: SUCCESSOR,
      source: 'x',
    };
    await writeFile(file, JSON.stringify({ models: [{ ...rowOf(KLING), life_cycle }] }));
    env['MODEL_CATALOGUE'] = file;
    env['VIDEO_GENERATOR_MODEL'] = SUCCESSOR;
    await world.deploy();
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    expectSameLedger(await world.stats(), job);

    const next = await world.start(plan);
    await expect(next.handle.result()).rejects.toMatchObject({
      cause: { type: 'InvalidPlan', message: expect.stringContaining(SUCCESSOR) as string },
    });
    expect(await world.stats()).toMatchObject({ creates: 2 });
  });
});
