/** Lists of jobs on a real Temporal server: with its search attributes, and on a namespace that has none. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { temporal } from '@temporalio/proto';
import { describe, expect, inject, it } from 'vitest';
import { createJobs } from '../../src/api/jobs/temporal-jobs.js';
import { startApi } from '../../src/api/server.js';
import type { RunningApi } from '../../src/api/server.js';
import { addSearchAttributes } from '../../src/commands/search-attributes.js';
import { loadConfig } from '../../src/config.js';
import { emptyJob } from '../../src/domain/job/initial-job.js';
import type { JobSummary } from '../../src/domain/job/job.schema.js';
import { attributesOf, memoOf } from '../../src/domain/job/visibility.js';
import { WORKFLOW_TYPE } from '../../src/contract/workflow.js';
import { eventually } from '../support/eventually.js';
import { planOf } from '../support/plans.js';
import { World } from '../support/world.js';
import { createDirectoryStore } from '../../src/adapters/storage/directory-store.js';

const { EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED } = temporal.api.enums.v1.EventType;
const NO_FILTER = { status: null, model: null, label: null, q: null };

interface Page {
  jobs: JobSummary[];
  next_cursor: string | null;
}

async function list(api: RunningApi, query: Record<string, string>): Promise<Page> {
  const words = new URLSearchParams(query).toString();
  const answer = await fetch(`${api.url}/v1/jobs?${words}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Page;
}

async function start(api: RunningApi, plan: object): Promise<string> {
  const answer = await fetch(`${api.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(plan),
  });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as JobSummary).job_id;
}

describe('the list of jobs on a real server', () => {
  it('shows a job from its start, without a worker, while it runs, and as it ended', async () => {
    await using world = await World.create();
    const api = await startApi(loadConfig(world.env), {
      port: 0,
      settings: { log_level: 'error' },
    });
    await using _ = { [Symbol.asyncDispose]: () => api.close() };
    const label = `label ${randomUUID()}`;
    const plan = { ...planOf(['a bay', '[[hold:while-processing]] a strait']), labels: [label] };
    const id = await start(api, plan);
    const shown = (what: string, isTrue: (job: JobSummary) => boolean): Promise<JobSummary> =>
      eventually(what, async () => {
        const { jobs } = await list(api, { label });
        const [job] = jobs;
        return { done: job !== undefined && isTrue(job), value: job as JobSummary };
      });
    expect(await shown('the queued job', () => true)).toMatchObject({
      job_id: id,
      status: 'queued',
      total_clips: 2,
      labels: [label],
    });
    await world.startWorker();
    const running = await shown('a finished clip', (job) => job.successful_clips === 1);
    expect(running).toMatchObject({ status: 'running', percent: 55 });
    await world.control('POST', '/release', { all: true });
    await shown('the end', (job) => job.status === 'succeeded' && job.percent === 100);
    expect((await list(api, { label, status: 'succeeded' })).jobs).toHaveLength(1);
    expect((await list(api, { label, status: 'running' })).jobs).toHaveLength(0);
    const { events } = await world.client.workflow.getHandle(id).fetchHistory();
    const changes = (events ?? []).filter(
      ({ eventType }) => eventType === EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED,
    );
    expect(changes.length).toBeGreaterThan(1);
    expect(changes.length).toBeLessThan(20);
  });

  it('pages through jobs that began at the same time, each once, also when some end meanwhile', async () => {
    await using world = await World.create();
    const connection = await Connection.connect({ address: inject('temporalAddress') });
    await using _ = { [Symbol.asyncDispose]: () => connection.close() };
    const { task_queue } = world;
    const jobs = createJobs({
      connection,
      namespace: 'default',
      task_queue,
      store: createDirectoryStore(world.data_dir),
    });
    const mine = Array.from({ length: 24 }, () => `many-${randomUUID()}`);
    const startOne = (job_id: string) => {
      const at = new Date().toISOString();
      const job = emptyJob({ job_id, run_id: '', created_at: at, simulated: true });
      return jobs.start({ job_id, plan: {}, summary: '', details: '', memo: memoOf(job) });
    };
    await Promise.all(mine.map(startOne));
    await eventually('all to be visible', async () => ({
      done: (await jobs.runningAmong(mine)).size === mine.length,
      value: null,
    }));
    const found: string[] = [];
    let after = null;
    for (let pages = 0; pages < 200; pages += 1) {
      const runs = await jobs.listRunning({ limit: 5, after, filter: NO_FILTER });
      const fresh = runs.filter(({ job_id }) => !found.includes(job_id));
      found.push(...fresh.map(({ job_id }) => job_id));
      const last = runs.at(-1);
      if (last === undefined || runs.length < 5) break;
      after = { started_at: last.started_at, run_id: last.run_id };
      // Others may run on this server, and have told nothing yet.
      if (mine.includes(last.job_id)) expect(last.memo()?.job.status).toBeDefined();
      if (pages === 1) await world.client.workflow.getHandle(last.job_id).terminate();
    }
    expect(found.filter((id) => mine.includes(id)).sort()).toEqual(mine.sort());
    await eventually('the terminated one to be among the closed', async () => {
      const { runs } = await jobs.listClosed(100, null);
      const done = runs.some((run) => mine.includes(run.job_id) && run.status === 'terminated');
      return { done, value: null };
    });
    await Promise.all(
      mine.map((id) =>
        world.client.workflow
          .getHandle(id)
          .terminate()
          .catch(() => undefined),
      ),
    );
  });

  it('works in a namespace without search attributes, and uses them once they are added', async () => {
    const connection = await Connection.connect({ address: inject('temporalAddress') });
    await using _ = { [Symbol.asyncDispose]: () => connection.close() };
    const namespace = `plain-${randomUUID()}`;
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    const client = new Client({ connection, namespace });
    await eventually('the namespace to be known', async () => ({
      done: await client.workflow.count().then(
        () => true,
        () => false,
      ),
      value: null,
    }));
    const open = () =>
      createJobs({
        connection,
        namespace,
        task_queue: 'none',
        store: createDirectoryStore('none'),
      });
    const identity = { run_id: '', created_at: new Date().toISOString(), simulated: true };
    const startOne = (job_id: string, jobs = open()) => {
      const job = { ...emptyJob({ job_id, ...identity }), model: 'a/b', labels: [job_id] };
      return jobs.start({ job_id, plan: {}, summary: '', details: '', memo: memoOf(job) });
    };
    const listed = (jobs: ReturnType<typeof open>, label: string, count: number) =>
      eventually(`${String(count)} jobs for ${label}`, async () => {
        const filter = { status: 'queued' as const, model: 'a/b', label, q: null };
        const runs = await jobs.listRunning({ limit: 10, after: null, filter });
        return { done: runs.length === count, value: runs.map(({ job_id }) => job_id).sort() };
      });
    await startOne('before');
    // Nothing can be left out by the server: the list does it.
    expect(await listed(open(), 'other', 1)).toEqual(['before']);
    expect(await addSearchAttributes(connection, namespace)).toHaveLength(4);
    expect(await addSearchAttributes(connection, namespace)).toEqual([]);
    await eventually('the attributes to be usable', async () => ({
      done: await client.workflow.count(`ClipLabels = 'x'`).then(
        () => true,
        () => false,
      ),
      value: null,
    }));
    for (const name of ['one', 'two']) await startOne(name);
    expect(await listed(open(), 'one', 2)).toEqual(['before', 'one']);
    const { typedSearchAttributes } = await client.workflow.getHandle('two').describe();
    const shown = attributesOf({ model: '', status: 'queued', simulated: true, labels: [] });
    expect(shown.map(({ key }) => typedSearchAttributes.get(key))).toEqual([
      'a/b',
      'queued',
      true,
      ['two'],
    ]);
    for await (const { workflowId } of client.workflow.list({
      query: `WorkflowType = '${WORKFLOW_TYPE}'`,
    })) {
      await client.workflow.getHandle(workflowId).terminate();
    }
  });
});
