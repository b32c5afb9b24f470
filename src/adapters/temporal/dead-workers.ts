/**
 * What a worker that died has left is gone on with by the next one on the same machine as soon as that starts, and not
 * when the heartbeat time-outs are over. On another machine nobody can tell a dead worker from a slow one: there the time-outs
 * decide.
 *
 * W1 A worker says in its identity which process it is. Only one that is proven to be dead, on this machine and in this
 *    container, is taken for dead: its number may be that of another process by now, or of one that cannot be seen.
 * W2 Ended as by a time-out: Temporal tries again by the policy of the activity, and the heartbeat's details are kept.
 * W3 The workflow comes first: it may have heard meanwhile that a clip is canceled.
 */
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isAlive, thisProcess } from '#setup/process-liveness.mjs';
import { INTERRUPTED } from '../../domain/job/failures.js';
import { WORKFLOW_TYPE } from '../../contract/workflow.js';

/** Of Temporal's pending activities, those that have an execution: it runs, or was asked to end. */
const BEGUN: ReadonlySet<unknown> = new Set([2, 3]);
/** W3: milliseconds at most, and between two looks. A step that died with its worker takes longer. */
const PATIENCE = 5_000;
const EVERY = 50;
/** Workflows looked at at a time. */
const AT_A_TIME = 10;

/** Containers of one host may share its name, and count their processes each from one. Linux only. */
function container(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '';
  } catch {
    return '';
  }
}

const identityOf = ({ pid, started }: ReturnType<typeof thisProcess>): string =>
  `${String(pid)}@${hostname()}~${container()}~${started ?? ''}`;

/** W1 */
export const workerIdentity = (): string => identityOf(thisProcess());

/** W1; `identity` is of any worker, also one that another release has started. */
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

/** Ends every execution that a worker of this machine has left by dying; answers with how many. */
export async function endLeftExecutions(client: Client, where: Where): Promise<number> {
  const running = client.workflow.list({
    query: `WorkflowType = '${WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'`,
  });
  const workflows = running[Symbol.asyncIterator]();
  let ended = 0;
  const look = async (): Promise<void> => {
    for (let next = await workflows.next(); next.done !== true; next = await workflows.next()) {
      const { taskQueue, workflowId, runId } = next.value;
      if (taskQueue === where.task_queue) {
        ended += await endLeftOf(client, where, { workflowId, runId });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, look));
  return ended;
}

async function endLeftOf(
  client: Client,
  { namespace }: Where,
  execution: Execution,
): Promise<number> {
  let seen = await leftOf(client, execution);
  if (seen.left.length === 0) return 0;
  // The workflow's next step waits for the worker that has it in memory, and that is the same one as a rule.
  const freed = client.workflowService.resetStickyTaskQueue({ namespace, execution });
  await freed.catch(() => undefined);
  for (let waited = 0; seen.isBusy && waited < PATIENCE; waited += EVERY) {
    await sleep(EVERY);
    seen = await leftOf(client, execution);
  }
  const ends = seen.left.map((activityId) =>
    client.activity.fail({ ...execution, activityId }, failure()),
  );
  const ended = await Promise.allSettled(ends);
  return ended.filter(({ status }) => status === 'fulfilled').length;
}

async function leftOf(
  client: Client,
  { workflowId, runId }: Execution,
): Promise<{ left: string[]; isBusy: boolean }> {
  const { raw } = await client.workflow.getHandle(workflowId, runId).describe();
  const left = (raw.pendingActivities ?? []).flatMap(({ activityId, state, lastWorkerIdentity }) =>
    BEGUN.has(state) && activityId && hasDied(lastWorkerIdentity ?? '') ? [activityId] : [],
  );
  return { left, isBusy: raw.pendingWorkflowTask != null };
}

/** W2, but at once. */
const failure = (): ApplicationFailure =>
  ApplicationFailure.create({
    type: INTERRUPTED,
    message: 'the worker has died; the next execution goes on',
    nextRetryDelay: '10ms',
  });
