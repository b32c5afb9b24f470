/**
 * Every activity that the workflow calls: its queue, its time-outs and its retry policy, with the reason for each number.
 * All of them wait until a cancellation has been carried out (the SDK's default only requests it), and none is started
 * eagerly on the worker that happens to run the workflow.
 */
import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, PaidActivities } from '../activities/index.js';
import type { ResolvePlanResult } from '../contract/activities.js';
import { UNPAID_HEARTBEAT } from '../contract/timings.js';
import type { Timings } from '../contract/timings.js';
import { sideQueue } from '../contract/workflow.js';
import type { SideQueue } from '../contract/workflow.js';
import { PAID_RETRY } from '../domain/job/retry-policy.js';
import type { Plan } from '../domain/plan/plan.schema.js';

const COMMON = {
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  allowEagerDispatch: false,
} as const;

/** For unpaid activities that send heartbeats: a dead worker is noticed after this time. */
const HEARTBEAT = { heartbeatTimeout: UNPAID_HEARTBEAT * 1000 } as const;

/**
 * A server that was killed may lose a task that its history has as scheduled (temporalio/temporal#459, #9118). Where paid work
 * depends on the task, it is scheduled again after this time: longer than any queue of paid clips, shorter than the time of a clip.
 */
const LOST_TASK = { scheduleToStartTimeout: '5m' } as const;

/**
 * The same for the paid activity: twice as long after each time that no worker took it, at most four hours. A job that
 * waits for a worker for days does not fill its history with that wait.
 */
const lostPaidTask = (neverStarted: number) => ({
  scheduleToStartTimeout: Math.min(240, 5 * 2 ** neverStarted) * 60_000,
});

/**
 * The queue, and the job as the fairness key in it where the server supports fairness (decision 46). A replay compares
 * neither.
 */
const on = (side: SideQueue) => ({
  taskQueue: sideQueue(workflowInfo().taskQueue, side),
  priority: { fairnessKey: workflowInfo().firstExecutionRunId },
});

/** Tried again after 1 s, 2 s, 4 s …; without an end where `maximumAttempts` is not given. */
const doubling = (maximumInterval: '10s' | '30s' | '5m', maximumAttempts?: number) => ({
  initialInterval: '1s' as const,
  backoffCoefficient: 2,
  maximumInterval,
  ...(maximumAttempts === undefined ? {} : { maximumAttempts }),
});

/** A pure computation and at most one read: a longer execution is stuck. */
const RESOLVING = { startToCloseTimeout: '30s', retry: doubling('10s', 5) } as const;

/** Part of the job's first workflow task, so that no round trip to the server precedes the first clip. */
const local = proxyLocalActivities<Activities>({
  cancellationType: COMMON.cancellationType,
  ...RESOLVING,
});

const remote = proxyActivities<Activities>({ ...COMMON, ...RESOLVING });

/** A plan that needs an answer of the provider must not hold up the workflow task, and Temporal shows the wait as an activity. */
export async function resolvePlan(plan: Plan, at: string): Promise<ResolvePlanResult> {
  const resolved = (await local.resolvePlan(plan, at)) ?? (await remote.resolvePlan(plan, at));
  if (resolved === null) throw new Error('expected a resolved plan');
  return resolved;
}

/** `prepareReferences`: unpaid, before anything is paid. A bad image is a result, so only crashes and lost workers are retried. */
export const looking = () =>
  proxyActivities<Activities>({
    ...COMMON,
    ...HEARTBEAT,
    ...on('refs'),
    startToCloseTimeout: '60m',
    retry: doubling('30s', 10),
  });

const paid = (timings: Timings, neverStarted: number) => ({
  ...COMMON,
  ...lostPaidTask(neverStarted),
  startToCloseTimeout: timings.start_to_close * 1000,
  heartbeatTimeout: timings.heartbeat * 1000,
  retry: PAID_RETRY,
});

/** `generateClip`, the paid one. An execution hands back before its time-out. */
export const paidActivities = (timings: Timings, neverStarted = 0) =>
  proxyActivities<PaidActivities>({ ...paid(timings, neverStarted), ...on('paid') });

/**
 * `generateClip` for a prediction that exists: it takes no share of the rate limit of creates, and waits behind no create.
 * Where it would have to create a prediction, it hands back (`prediction_id: null`), and the clip returns to the paid queue.
 */
export const reattaching = (timings: Timings, neverStarted = 0) =>
  proxyActivities<PaidActivities>({
    ...paid(timings, neverStarted),
    ...on('hold'),
    startToCloseTimeout: '60m',
  });

/**
 * `storeClip`: unpaid, of a file that is paid for. Retried until the provider deletes the file, at most `seconds` from now;
 * one execution may wait for a download slot for as long.
 */
export const storing = (seconds: number) =>
  proxyActivities<Activities>({
    ...COMMON,
    ...HEARTBEAT,
    ...LOST_TASK,
    ...on('save'),
    startToCloseTimeout: '60m',
    scheduleToCloseTimeout: Math.ceil(seconds) * 1000,
    retry: doubling('5m'),
  });

/**
 * `settlePrediction` ends or reads a prediction: retried for minutes; after that the provider's own deadline ends it. The
 * limit is a number of executions, not a time: while there is no worker, none is used up.
 */
export const settling = () =>
  proxyActivities<Activities>({
    ...COMMON,
    ...on('ends'),
    startToCloseTimeout: '30s',
    retry: doubling('10s', 12),
  });

/** `endLost` searches for a prediction that may not exist. As patient as `settling`, on a queue of its own: no settling waits for it. */
export const searching = () =>
  proxyActivities<Activities>({
    ...COMMON,
    ...HEARTBEAT,
    ...on('look'),
    startToCloseTimeout: '2m',
    retry: doubling('10s', 12),
  });

/** The job is complete without its archive: a full disk does not hold it up for long. */
export const { archiveJob } = proxyActivities<Activities>({
  ...COMMON,
  startToCloseTimeout: '60s',
  retry: doubling('10s', 5),
});

/** A job continues in a new run only when its log so far is stored: retried until it is, or the job is canceled. */
export const { keepLog } = proxyActivities<Activities>({
  ...COMMON,
  startToCloseTimeout: '60s',
  retry: doubling('30s'),
});
