/**
 * A pinned job ends on the release that it began with, unless no worker runs that release any more: then Temporal would let it
 * wait for ever, and Replicate deletes its paid renders after an hour. Workers of the current version take such jobs over.
 *
 * GONE-1 A release is gone when no worker of it polled the queue of workflows at several looks in a row: a restart, of its
 *    workers or of Temporal, which then has seen no poller yet, is no end of it.
 * GONE-2 Only workers of the current version take over, and only jobs of their own deployment and task queue.
 * GONE-3 Times of pollers are compared with one another, never with this machine's clock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import { status } from '@grpc/grpc-js';
import proto from '@temporalio/proto';
import { WORKFLOW_TYPE } from '../../contract/workflow.js';
import { errorMessage } from '../../domain/values/error-message.js';
import { pollersOf, versionName } from './worker-versions.js';

const { TaskQueueType, VersionDrainageStatus } = proto.temporal.api.enums.v1;
const { PinnedOverrideBehavior } = proto.temporal.api.workflow.v1.VersioningOverride;

export interface Pace {
  /** Milliseconds between two looks. */
  interval: number;
  /** GONE-1 */
  looks: number;
  /** A worker that was seen polling this long before the newest poll runs; an idle one polls once a minute. */
  seen_within: number;
}
const PACE: Pace = { interval: 60_000, looks: 3, seen_within: 90_000 };

interface Watch {
  client: Client;
  namespace: string;
  task_queue: string;
  version: { deployment: string; build_id: string };
  log: (line: string) => void;
  signal: AbortSignal;
  pace?: Pace | undefined;
}

/** Looks until it is aborted. Resolves then; failures of a look are logged once until one succeeds. */
export async function watchVersions({ pace = PACE, signal, ...watch }: Watch): Promise<void> {
  const missing = new Map<string, number>();
  const told = new Set<string>();
  const tell = (line: string): void => {
    if (!told.has(line)) watch.log(line);
    told.add(line);
  };
  while (!signal.aborted) {
    let isRegistered = true;
    try {
      isRegistered = await look({ ...watch, pace, tell }, missing);
      told.delete(FAILED);
    } catch (error) {
      if (!told.has(FAILED) && !signal.aborted) watch.log(`${FAILED} (${errorMessage(error)})`);
      told.add(FAILED);
    }
    const pause = isRegistered ? pace.interval : Math.min(SOON, pace.interval);
    await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** Milliseconds: the first worker of a deployment is just registering it. */
const SOON = 1_000;
const FAILED = 'worker: the versions of its deployment were not looked at; trying again';

type Look = Omit<Watch, 'signal' | 'pace'> & { pace: Pace; tell: (line: string) => void };

/** False when Temporal does not know the deployment yet. */
async function look(watch: Look, missing: Map<string, number>): Promise<boolean> {
  const { client, namespace, version, tell } = watch;
  const own = `${version.deployment}:${version.build_id}`;
  const deployment = await client.workflowService
    .describeWorkerDeployment({ namespace, deploymentName: version.deployment })
    .catch((error: unknown) => {
      if (isGrpcServiceError(error) && error.code === status.NOT_FOUND) return null;
      throw error;
    });
  const { routingConfig, versionSummaries } = deployment?.workerDeploymentInfo ?? {};
  if (deployment === null) return false;
  const current = versionName(routingConfig?.currentDeploymentVersion);
  if (current !== own) {
    missing.clear();
    const set = `temporal worker deployment set-current-version --deployment-name ${version.deployment} --build-id ${version.build_id}`;
    tell(
      current === null
        ? `worker: deployment ${version.deployment} has no current version, so that its workers get no new jobs; to give them to this one: ${set}`
        : `worker: new jobs go to ${current}; to give them to this version: ${set}`,
    );
    return true; // GONE-2
  }
  const others = (versionSummaries ?? []).flatMap(({ deploymentVersion, drainageStatus }) => {
    const name = versionName(deploymentVersion);
    const isDrained = drainageStatus === VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINED;
    return name === null || name === own || isDrained ? [] : [name];
  });
  const polling = await versionsPolling(watch);
  for (const name of others) {
    const count = polling.has(name) ? 0 : (missing.get(name) ?? 0) + 1;
    missing.set(name, count);
    if (count < watch.pace.looks) continue; // GONE-1
    const moved = await takeOver(watch, name);
    if (moved === 0) continue;
    watch.log(
      `worker: no worker runs ${name} any more; jobs of it that continue on ${own}: ${String(moved)}`,
    );
  }
  return true;
}

async function versionsPolling({
  client,
  namespace,
  task_queue,
  pace,
}: Look): Promise<Set<string>> {
  const queue = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: task_queue },
    taskQueueType: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  const pollers = pollersOf(queue);
  const newest = Math.max(...pollers.map(({ seen_at }) => seen_at)); // GONE-3
  return new Set(
    pollers.flatMap(({ version, seen_at }) =>
      version !== null && newest - seen_at <= pace.seen_within ? [version] : [],
    ),
  );
}

async function takeOver(watch: Look, name: string): Promise<number> {
  const { client, namespace, task_queue, version } = watch;
  const query = [
    `WorkflowType = '${WORKFLOW_TYPE}'`,
    `ExecutionStatus = 'Running'`,
    // The server has written versions with a dot, and now writes a colon.
    `TemporalWorkerDeploymentVersion IN ('${name}', '${name.replace(':', '.')}')`,
  ].join(' AND ');
  let moved = 0;
  for await (const run of client.workflow.list({ query })) {
    if (run.taskQueue !== task_queue) continue; // GONE-2
    const to = { deploymentName: version.deployment, buildId: version.build_id };
    const behavior = PinnedOverrideBehavior.PINNED_OVERRIDE_BEHAVIOR_PINNED;
    await client.workflowService
      .updateWorkflowExecutionOptions({
        namespace,
        workflowExecution: { workflowId: run.workflowId, runId: run.runId },
        workflowExecutionOptions: { versioningOverride: { pinned: { behavior, version: to } } },
        updateMask: { paths: ['versioning_override'] },
      })
      .then(
        () => (moved += 1),
        (error: unknown) => {
          // It has ended meanwhile.
          if (!isGrpcServiceError(error) || error.code !== status.NOT_FOUND) throw error;
        },
      );
  }
  return moved;
}
