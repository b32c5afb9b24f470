/**
 * When a worker starts, it ends the executions that dead workers of the same machine have left, so that they are retried at
 * once and not after their heartbeat time-outs. A worker of another machine may be dead or slow: there the time-outs decide.
 *
 * DEAD-WORKERS-1 A worker's identity names its process. It counts as dead only when that is certain, on this machine and in
 *    this container: its id may be that of another process by now, or of one that this process cannot see.
 * DEAD-WORKERS-2 An execution is ended as a time-out ends it: Temporal retries it by the activity's policy, and keeps the
 *    heartbeat details.
 * DEAD-WORKERS-3 The workflow comes first: it may have been told meanwhile that a clip is canceled.
 */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import { isAlive, thisProcess } from '#setup/process-liveness.mjs';
import { INTERRUPTED } from '../../domain/job/failures.js';
import { WORKFLOW_TYPE } from '../../contract/workflow.js';

const { PendingActivityState } = proto.temporal.api.enums.v1;

/** Of Temporal's pending activities, those that have an execution: it runs, or was asked to end. */
const EXECUTING: ReadonlySet<unknown> = new Set([
  PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
  PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED,
]);
/** DEAD-WORKERS-3: milliseconds, at most and between two looks. A workflow task that died with its worker takes longer. */
const WORKFLOW_WAIT = 5_000;
const POLL = 50;
const WORKFLOWS_AT_ONCE = 10;

/** Containers of one host may share its name, and each number their processes from 1. Linux only. */
function container(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
  } catch {
    return '';
  }
}

const identityOf = ({ pid, started }: ReturnType<typeof thisProcess>): string =>
  `${String(pid)}@${hostname()}~${container()}~${started ?? ''}`;

/** DEAD-WORKERS-1 */
export const workerIdentity = (): string => identityOf(thisProcess());

/** DEAD-WORKERS-1; `identity` is that of any worker, also of another release. */
export function hasDied(identity: string): boolean {
  const [, pid, started] = /^(\d{1,10})@[^~]*~\d*~(\d*)$/.exec(identity) ?? [];
  if (pid === undefined || started === undefined) return false;
  const worker = { pid: Number(pid), started: started === '' ? null : started };
  return identity === identityOf(worker) && !isAlive(worker);
}

interface Execution {
  workflowId: string;
  runId: string;
}

interface Where {
  namespace: string;
  task_queue: string;
}

/** Resolves to the number of executions that were ended. */
export async function endLeftExecutions(
  client: Client,
  { namespace, task_queue }: Where,
): Promise<number> {
  const query = `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'`;
  const workflows: Execution[] = [];
  for await (const { taskQueue, workflowId, runId } of client.workflow.list({ query })) {
    if (taskQueue === task_queue) workflows.push({ workflowId, runId });
  }
  const ended = await pLimit(WORKFLOWS_AT_ONCE).map(workflows, (workflow) =>
    endLeftOf(client, namespace, workflow),
  );
  return ended.reduce((sum, count) => sum + count, 0);
}

async function endLeftOf(client: Client, namespace: string, execution: Execution): Promise<number> {
  let seen = await leftOf(client, execution);
  if (seen.activityIds.length === 0) return 0;
  // The workflow's next task waits for the worker that has it cached, which is usually the dead one.
  const freed = client.workflowService.resetStickyTaskQueue({ namespace, execution });
  await freed.catch(() => undefined);
  for (let waited = 0; seen.hasWorkflowTask && waited < WORKFLOW_WAIT; waited += POLL) {
    await sleep(POLL);
    seen = await leftOf(client, execution);
  }
  const ends = seen.activityIds.map((activityId) =>
    client.activity.fail({ ...execution, activityId }, failure()),
  );
  const ended = await Promise.allSettled(ends);
  return ended.filter(({ status }) => status === 'fulfilled').length;
}

async function leftOf(
  client: Client,
  { workflowId, runId }: Execution,
): Promise<{ activityIds: string[]; hasWorkflowTask: boolean }> {
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  const activityIds = (raw.pendingActivities ?? []).flatMap(
    ({ activityId, state, lastWorkerIdentity }) =>
      EXECUTING.has(state) && activityId && hasDied(lastWorkerIdentity ?? '') ? [activityId] : [],
  );
  return { activityIds, hasWorkflowTask: raw.pendingWorkflowTask != null };
}

/** DEAD-WORKERS-2, but at once. */
const failure = (): ApplicationFailure =>
  ApplicationFailure.create({
    type: INTERRUPTED,
    message: 'the worker has died; the next execution resumes',
    nextRetryDelay: '10ms',
  });
