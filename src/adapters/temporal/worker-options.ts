/** What the configuration says about every worker of this process, and how many executions each queue may have in it. */
import type { WorkerOptions } from '@temporalio/worker';
import type { SideQueue } from '../../contract/workflow.js';
import type { Config } from '../../config.js';
import { workerIdentity } from './dead-workers.js';

const seconds = (count: number): number => count * 1000;

export const sharedOptions = ({
  version,
  heartbeat,
  grace,
}: Config['worker']): Pick<
  WorkerOptions,
  | 'identity'
  | 'maxHeartbeatThrottleInterval'
  | 'defaultHeartbeatThrottleInterval'
  | 'shutdownForceTime'
  | 'workerDeploymentOptions'
> => ({
  identity: workerIdentity(),
  // The id of a new prediction must not wait long to be sent.
  maxHeartbeatThrottleInterval: seconds(heartbeat),
  defaultHeartbeatThrottleInterval: seconds(heartbeat),
  shutdownForceTime: seconds(grace),
  // Queues of activities too: an activity of a pinned job goes to its version only where that version polls the queue.
  ...(version !== null && {
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: version.deployment, buildId: version.build_id },
      defaultVersioningBehavior: 'PINNED',
    },
  }),
});

/**
 * Executions at a time, by queue. A clip passes from `paid` to `hold` to `save`, so that one number scales all. Those of
 * `refs` and `save` mostly wait for a download slot, of which there are fewer (adapters/network/download-slots.ts).
 */
export const executionsOf = (slots: number): Record<SideQueue | 'main', number> => ({
  main: Math.max(5, Math.round(slots / 10)),
  paid: slots,
  hold: slots,
  refs: slots,
  save: 2 * slots,
  ends: Math.max(5, Math.round(slots / 4)),
  look: Math.max(5, Math.round(slots / 4)),
});

/** The SDK's default, where the cache can hold as many. */
export const workflowTasksOf = (cachedWorkflows: number): number => Math.min(40, cachedWorkflows);
