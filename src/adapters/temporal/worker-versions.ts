/**
 * Versions of workers as Temporal tells of them: which release a job is pinned to, and which polls a task queue. A version is
 * written `deployment:build`; null stands for workers without one.
 */
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';

const { WorkerVersioningMode, VersioningBehavior } = proto.temporal.api.enums.v1;

type Version = temporal.api.deployment.v1.IWorkerDeploymentVersion | null | undefined;
type VersioningInfo = temporal.api.workflow.v1.IWorkflowExecutionVersioningInfo | null | undefined;
type TaskQueue = temporal.api.workflowservice.v1.IDescribeTaskQueueResponse;

export const versionName = (version: Version): string | null =>
  version?.buildId ? `${version.deploymentName ?? ''}:${version.buildId}` : null;

/** The version whose workers alone take the tasks of a run; null: those that take new jobs. */
export const pinnedTo = (info: VersioningInfo): string | null =>
  versionName(info?.versioningOverride?.pinned?.version) ??
  (info?.behavior === VersioningBehavior.VERSIONING_BEHAVIOR_PINNED
    ? versionName(info.deploymentVersion)
    : null);

export interface Poller {
  identity: string;
  version: string | null;
  /** When it was seen polling, in milliseconds of Temporal's clock. */
  seen_at: number;
}

export const pollersOf = ({ pollers }: TaskQueue): Poller[] =>
  (pollers ?? []).map(({ identity, deploymentOptions, lastAccessTime }) => ({
    identity: identity ?? '',
    version:
      deploymentOptions?.workerVersioningMode ===
      WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
        ? versionName(deploymentOptions)
        : null,
    seen_at:
      Number(lastAccessTime?.seconds ?? 0) * 1000 + Math.floor((lastAccessTime?.nanos ?? 0) / 1e6),
  }));

/** The versions that new jobs go to: the current one, and one that is tried with a part of them. */
export function versionsOfNewJobs({ versioningInfo }: TaskQueue): ReadonlySet<string | null> {
  const ramping = versionName(versioningInfo?.rampingDeploymentVersion);
  const current = versionName(versioningInfo?.currentDeploymentVersion);
  return new Set(ramping === null ? [current] : [current, ramping]);
}

/** Of these pollers, those that take the tasks of a job that is pinned to `version`. */
export function takers(queue: TaskQueue, version: string | null): Poller[] {
  const wanted = version === null ? versionsOfNewJobs(queue) : new Set([version]);
  return pollersOf(queue).filter((poller) => wanted.has(poller.version));
}
