/**
 * Releases side by side on a real server, each with a worker process of its own. Which of them did a step of a job, its history
 * says: it has the identity of every worker, which names the process.
 */
import { randomUUID } from 'node:crypto';
import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { answered, eventually } from '../support/eventually.js';
import { planOf, planWith } from '../support/plans.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { runsOf } from '../support/runs.js';
import { World } from '../support/world.js';
import type { Run } from '../support/world.js';

const DRAINING = proto.temporal.api.enums.v1.VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINING;

class Deployment {
  readonly #world: World;
  readonly #name = `clips-${randomUUID()}`;

  constructor(world: World) {
    this.#world = world;
  }

  /** Variables of a worker of this release. */
  release(build: string) {
    return { env: { TEMPORAL_DEPLOYMENT_NAME: this.#name, TEMPORAL_BUILD_ID: build } };
  }

  /** As `temporal worker deployment set-current-version` does. */
  async setCurrent(buildId: string): Promise<void> {
    await answered(`${buildId} to be current`, () =>
      this.#world.client.workflowService.setWorkerDeploymentCurrentVersion({
        namespace: 'default',
        deploymentName: this.#name,
        buildId,
        identity: 'test',
      }),
    );
  }

  async isDraining(buildId: string): Promise<boolean> {
    const { workerDeploymentVersionInfo: info } =
      await this.#world.client.workflowService.describeWorkerDeploymentVersion({
        namespace: 'default',
        deploymentVersion: { deploymentName: this.#name, buildId },
      });
    return info?.drainageInfo?.status === DRAINING;
  }
}

/** The processes that took steps of a run: of its workflow, and of each kind of activity. */
async function stepsOf({ client }: World, { handle }: Run, runId?: string) {
  const { events } = await client.workflow.getHandle(handle.workflowId, runId).fetchHistory();
  const kinds = new Map<string, string>();
  const steps = new Map<string, Set<number>>();
  const note = (kind: string, identity: string | null | undefined): void => {
    const pid = Number.parseInt(identity ?? '', 10);
    steps.set(kind, (steps.get(kind) ?? new Set()).add(pid));
  };
  for (const event of events ?? []) {
    const { activityType } = event.activityTaskScheduledEventAttributes ?? {};
    if (activityType) kinds.set(String(event.eventId), activityType.name ?? '');
    const activity = event.activityTaskStartedEventAttributes;
    if (activity) note(kinds.get(String(activity.scheduledEventId)) ?? '', activity.identity);
    const task = event.workflowTaskStartedEventAttributes;
    if (task) note('workflow', task.identity);
  }
  return Object.fromEntries([...steps].map(([kind, pids]) => [kind, [...pids]]));
}

const all = (pid: number) => ({
  workflow: [pid],
  generateClip: [pid],
  storeClip: [pid],
  archiveJob: [pid],
});

const underWay = (run: Run): Promise<Job> =>
  run.until('a clip that renders', ({ clips }) =>
    clips.some(({ predictions }) => predictions.length > 0),
  );

/** A worker that takes over from another as soon as that one is missing. */
const AT_ONCE = { version_pace: { interval: 200, looks: 2, seen_within: 500 } };

describe('with versioned workers', () => {
  it('a job ends on the release that it began with, new jobs go to the current one, also after a rollback', async () => {
    await using world = await World.create();
    const deployment = new Deployment(world);
    const a = await world.startWorker(deployment.release('a'));
    await deployment.setCurrent('a');
    const first = await world.start(planWith(6, { batch_size: 3 }));
    await underWay(first);
    const b = await world.startWorker(deployment.release('b'));
    await deployment.setCurrent('b');
    const second = await world.start(planWith(6, { batch_size: 3 }));
    await underWay(second);
    expect(await deployment.isDraining('a')).toBe(true);
    // The rollback; b drains now.
    await deployment.setCurrent('a');
    const third = await world.start(planWith(2));
    for (const run of [first, second, third]) {
      expect(await run.end()).toMatchObject({ status: 'succeeded' });
    }
    expect(await stepsOf(world, first)).toEqual(all(a.pid));
    expect(await stepsOf(world, second)).toEqual(all(b.pid));
    expect(await stepsOf(world, third)).toEqual(all(a.pid));
    expect(await world.stats()).toMatchObject({ creates: 14, cancels: 0 });
  });

  it('a chain of runs stays on its release', async () => {
    await using world = await World.create({ speed: 60 });
    const deployment = new Deployment(world);
    const limits = { history_limits: { events: 110, bytes: 10 * 2 ** 20 } };
    const a = await world.startWorker({ ...deployment.release('a'), ...limits });
    await deployment.setCurrent('a');
    const run = await world.start(planWith(24, { batch_size: 5 }));
    await underWay(run);
    await world.startWorker({ ...deployment.release('b'), ...limits });
    await deployment.setCurrent('b');
    const job = await run.end();
    const runs = await runsOf(world, run.handle.workflowId);
    expect(runs.length).toBeGreaterThan(1);
    for (const { run_id } of runs) {
      const steps = await stepsOf(world, run, run_id);
      expect(new Set(Object.values(steps).flat())).toEqual(new Set([a.pid]));
    }
    expectSameLedger(await world.stats(), job);
  });

  it('a job whose release has no worker any more continues on the current one, and pays for nothing twice', async () => {
    await using world = await World.create();
    const deployment = new Deployment(world);
    const a = await world.startWorker(deployment.release('a'));
    await deployment.setCurrent('a');
    const run = await world.start(planOf(['[[hold:while-processing]] a heron', 'a boat']));
    await run.until(
      'both clips at the provider',
      ({ clips }) => clips.filter(({ predictions }) => predictions.length > 0).length === 2,
    );
    await a.kill();
    const b = await world.startWorker({ ...deployment.release('b'), ...AT_ONCE });
    await deployment.setCurrent('b');
    await eventually('the job to be taken over', async () => ({
      done: b.output.includes('that continue on'),
      value: b.output,
    }));
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded', successful_clips: 2 });
    const steps = await stepsOf(world, run);
    expect(steps['storeClip']).toEqual([b.pid]);
    const stats = await world.stats();
    expect(stats).toMatchObject({ creates: 2, cancels: 0 });
    expectSameLedger(stats, job);
  });

  it('that come after workers without a version, running jobs continue on the current one', async () => {
    await using world = await World.create();
    const plain = await world.startWorker();
    const run = await world.start(planOf(['[[hold:while-processing]] a heron']));
    await underWay(run);
    const deployment = new Deployment(world);
    const a = await world.startWorker(deployment.release('a'));
    await deployment.setCurrent('a');
    await plain.terminate();
    await world.control('POST', '/release', { all: true });
    const job = await run.end();
    expect(job).toMatchObject({ status: 'succeeded' });
    expect((await stepsOf(world, run))['storeClip']).toEqual([a.pid]);
    expectSameLedger(await world.stats(), job);
  });

  it('that are given up, new jobs and moved ones go to workers without a version', async () => {
    await using world = await World.create();
    const deployment = new Deployment(world);
    const a = await world.startWorker(deployment.release('a'));
    await deployment.setCurrent('a');
    const old = await world.start(planOf(['[[hold:while-processing]] a heron']));
    await underWay(old);
    await deployment.setCurrent(''); // `--unversioned`
    const fresh = await world.start(planOf(['a boat']));
    await a.terminate();
    const plain = await world.startWorker();
    expect(await fresh.end()).toMatchObject({ status: 'succeeded' });
    expect(await stepsOf(world, fresh)).toEqual(all(plain.pid));
    // As `temporal workflow update-options --versioning-override-behavior auto_upgrade` does.
    await world.client.workflowService.updateWorkflowExecutionOptions({
      namespace: 'default',
      workflowExecution: { workflowId: old.handle.workflowId },
      workflowExecutionOptions: { versioningOverride: { autoUpgrade: true } },
      updateMask: { paths: ['versioning_override'] },
    });
    await world.control('POST', '/release', { all: true });
    expect(await old.end()).toMatchObject({ status: 'succeeded' });
    expect(await world.stats()).toMatchObject({ creates: 2, cancels: 0 });
  });

  it('the API is ready once their version is the current one, and not before', async () => {
    await using world = await World.create();
    const deployment = new Deployment(world);
    const worker = await world.startWorker(deployment.release('a'));
    const api = await startApi(loadConfig(world.env), { port: 0 });
    const workers = async (): Promise<unknown> => {
      const answer = await fetch(`${api.url}/readyz`);
      return { status: answer.status, ...((await answer.json()) as { workers: number }) };
    };
    try {
      await eventually('the worker to say what is missing', async () => ({
        done: worker.output.includes('has no current version'),
        value: worker.output,
      }));
      expect(await workers()).toMatchObject({ status: 503, temporal: true, workers: 0 });
      await deployment.setCurrent('a');
      await eventually('the API to be ready', async () => {
        const value = (await workers()) as { status: number };
        return { done: value.status === 200, value };
      });
      expect(await workers()).toMatchObject({ workers: 1 });
    } finally {
      await api.close();
    }
  });

  it('REPLICATE_CREATES_PER_MINUTE holds over all releases together', async () => {
    await using world = await World.create({ env: { REPLICATE_CREATES_PER_MINUTE: '60' } });
    const deployment = new Deployment(world);
    const plan = planWith(8, { dispatch: 'window', batch_size: 8 });
    await world.startWorker(deployment.release('a'));
    await world.startWorker(deployment.release('b'));
    await deployment.setCurrent('a');
    const first = await world.start(plan);
    await first.until('a job of the first release', ({ clips }) => clips.length > 0);
    await deployment.setCurrent('b');
    const second = await world.start(plan);
    await Promise.all([first.end(), second.end()]);
    const { predictions } = await world.stats();
    const times = predictions.map(({ created_at }) => Date.parse(created_at)).sort((x, y) => x - y);
    expect(times).toHaveLength(16);
    // One a second, 15 s in all; a limit of each release by itself would take half of that.
    expect(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000).toBeGreaterThan(11);
  });
});
