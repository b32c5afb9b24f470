/** A large plan is a file of ours and a reference in Temporal's history; who asks Temporal needs none of it. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { jobPath } from '../support/stored-files.js';
import { startApi } from '../../src/api/server.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';
import { wholeHistory } from '../../chaos/replays.js';
import { loadConfig } from '../../src/config.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { MAX_PLAN_BYTES, byteLength } from '../../src/domain/plan/plan.schema.js';
import { WORKFLOW_TYPE } from '../../src/contract/workflow.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { terminateAndRetry } from '../support/retry.js';
import { Run, World } from '../support/world.js';

const KIB = 1024;
/** Nearly a mebibyte, quickly over: all clips but the first are refused by the provider. */
function largePlan(first = 'a harbour'): Plan {
  const plan = planOf(
    [first, ...Array.from({ length: 70 }, () => '[[invalid]] '.padEnd(9_000, 'x'))],
    {
      dispatch: 'window',
      batch_size: 71,
    },
  );
  return {
    ...plan,
    clip_prompts: plan.clip_prompts.map((clip) => ({
      ...clip,
      metadata: { note: 'y'.repeat(4_000) },
    })),
  };
}

/** A client without our storage, as the Temporal CLI is. */
const cli = (world: World): Client => new Client({ connection: world.client.connection });

/** As one who submits it by HTTP: what Temporal is given goes through our own client. */
async function submit(world: World, plan: Plan): Promise<Run> {
  const api = await startApi(loadConfig(world.env), { port: 0, settings: { log_level: 'error' } });
  const job_id = `large-${randomUUID()}`;
  const answer = await fetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...plan, job_id }),
  });
  const text = await answer.text();
  await api.close();
  expect([answer.status, text]).toEqual([202, expect.anything()]);
  return new Run(cli(world).workflow.getHandle(job_id));
}

const bytesOf = (history: temporal.api.history.v1.IHistory): number =>
  proto.temporal.api.history.v1.History.encode(history).finish().length;

describe('a plan of nearly a mebibyte', () => {
  it('is a reference in the history, and whole in the archive, the result and every answer', async () => {
    await using world = await World.create();
    await world.startWorker();
    const plan = largePlan();
    expect(byteLength(plan)).toBeGreaterThan(0.85 * MAX_PLAN_BYTES);
    const run = await submit(world, plan);
    const job = (await run.handle.result()) as Job;
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 1, failed_clips: 70 });
    expect(await run.progress()).toEqual(job);
    expect((await run.events()).at(-1)?.seq).toBe(job.seq);

    const history = await run.handle.fetchHistory();
    const plain = bytesOf(history);
    const whole = bytesOf(await wholeHistory(run.handle, createDirectoryStore(world.data_dir)));
    // The plan as it was sent, and as `resolvePlan` answers it.
    expect(whole - plain).toBeGreaterThan(1.8 * byteLength(plan));
    const archived = JSON.parse(
      await readFile(jobPath(world.data_dir, job.job_id, 'plan.json'), 'utf8'),
    ) as Plan;
    expect(archived.clip_prompts).toEqual(plan.clip_prompts);
    expect(job.clips[3]?.prompt).toBe(plan.clip_prompts[3]?.prompt);
  });

  it('that was started with the Temporal CLI stays where that has put it, and runs', async () => {
    await using world = await World.create();
    await world.startWorker();
    const plan = largePlan();
    const run = new Run(
      await cli(world).workflow.start(WORKFLOW_TYPE, {
        taskQueue: world.task_queue,
        workflowId: `cli-${randomUUID()}`,
        args: [plan],
      }),
    );
    expect(await run.end()).toMatchObject({ status: 'succeeded', failed_clips: 70 });
    const { events } = await run.handle.fetchHistory();
    const input = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    expect(input?.data?.length).toBeGreaterThan(800 * KIB);
  });

  it('runs again from what was stored, in a new run that remembers the one before', async () => {
    await using world = await World.create();
    await world.startWorker();
    const run = await submit(world, largePlan('[[slow:60]] a harbour'));
    await run.until('all refused', ({ failed_clips }) => failed_clips === 70);
    const again = await terminateAndRetry(world, run);
    const job = await again.until('the retried job', ({ clips }) =>
      clips.some(({ attempt, status }) => status === 'failed' && attempt > 0),
    );
    expect(job.clips[0]?.predictions).toHaveLength(1);
    expect(job.clips[3]?.prompt).toBe(largePlan().clip_prompts[3]?.prompt);
    await again.handle.cancel();
    await again.handle.result().catch(() => undefined);
  });

  it('says where its file should be when that is gone, and resumes once it is back', async () => {
    await using world = await World.create();
    const run = await submit(world, largePlan());
    const folder = path.join(world.data_dir, 'payloads');
    const [prefix = ''] = await readdir(folder);
    const [sha256 = ''] = await readdir(path.join(folder, prefix));
    const file = path.join(folder, prefix, sha256);
    const content = await readFile(file);
    await rm(file);
    const worker = await world.startWorker();
    const message = `expected payload ${sha256} in ${world.data_dir}`;
    await eventually('the reason', async () => {
      const { raw } = await run.handle.describe();
      const events = (await run.handle.fetchHistory()).events ?? [];
      const told = events.map((event) => event.workflowTaskFailedEventAttributes?.failure?.message);
      return {
        done: told.some((text) => text?.includes(message)),
        value: [raw.pendingWorkflowTask, worker.output],
      };
    });
    await writeFile(file, content);
    expect(await run.end()).toMatchObject({ status: 'succeeded' });
  });
});
