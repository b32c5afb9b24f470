/**
 * Every activity the workflows call, in one table: one row per character of retrying, each number explained.
 * All wait for a cancellation to be carried out (the SDK's default is to try only), and none is started eagerly
 * on the worker that happens to run the workflow.
 */
import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities, PaidActivities } from '../activities/index.js';
import type { ResolvePlanResult, Timings } from '../contract/activities.js';
import type { Plan } from '../domain/plan/plan.schema.js';
import { sideQueue } from '../contract/workflow.js';
import type { SideQueue } from '../contract/workflow.js';

const COMMON = {
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  allowEagerDispatch: false,
} as const;

/**
 * A server that was killed may lose a task that it counts on (temporalio/temporal#459, #9118). Where money waits for
 * it, it is asked for again: longer than any queue of paid clips, shorter than a clip's budget of time.
 */
const LOST = { scheduleToStartTimeout: '5m' } as const;

/** Of those that beat each second, and each fourth while they wait for a turn: some of that may be late on a busy machine. */
const SILENT = { heartbeatTimeout: '10s' } as const;

/** A job that has waited for a worker for days has not filled its history with having waited: at most four hours at a time. */
const lost = (times: number) => ({
  scheduleToStartTimeout: Math.min(240, 5 * 2 ** times) * 60_000,
});

/**
 * The queue, and in it the jobs take turns where the server knows fairness (decision 46): the job is the key. Neither is part
 * of what a replay compares.
 */
const on = (side: SideQueue) => ({
  taskQueue: sideQueue(workflowInfo().taskQueue, side),
  priority: { fairnessKey: workflowInfo().firstExecutionRunId },
});

/** Pure computation and at most one read: quick or wrong. */
const QUICK = {
  startToCloseTimeout: '30s',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    maximumInterval: '10s',
    maximumAttempts: 5,
  },
} as const;

/** Part of the job's first workflow task, hence without a way to the server and back before the first clip is started. */
const local = proxyLocalActivities<Activities>({
  cancellationType: COMMON.cancellationType,
  ...QUICK,
});

const { resolvePlan: resolvePlanOutside } = proxyActivities<Activities>({ ...COMMON, ...QUICK });

/** A plan that needs an answer of the provider holds up no workflow task, and the wait is seen as an activity. */
export async function resolvePlan(plan: Plan, at: string): Promise<ResolvePlanResult> {
  const resolved = (await local.resolvePlan(plan, at)) ?? (await resolvePlanOutside(plan, at));
  if (resolved === null) throw new Error('expected a resolved plan');
  return resolved;
}

/** Unpaid, and before anything is paid: tried again when a worker dies; what is wrong with an image is an answer. */
export const looking = () =>
  proxyActivities<Activities>({
    ...COMMON,
    ...on('refs'),
    startToCloseTimeout: '60m',
    ...SILENT,
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '30s',
      maximumAttempts: 10,
    },
  });

/** The paid one: three attempts, 2 s and then 4 s apart; an execution hands back before its time-out. */
export const paidActivities = (timings: Timings, passedBy = 0) =>
  proxyActivities<PaidActivities>({
    ...COMMON,
    ...lost(passedBy),
    ...paid(timings),
    ...on('paid'),
  });

/**
 * The same, for a prediction that exists: it takes no share of the limit of creates, and waits behind none. Where it would
 * have to create one, it hands back instead (`prediction_id: null`), and belongs on the paid queue again.
 */
export const reattaching = (timings: Timings, passedBy = 0) =>
  proxyActivities<PaidActivities>({
    ...COMMON,
    ...lost(passedBy),
    ...paid(timings),
    ...on('hold'),
    startToCloseTimeout: '60m',
  });

const paid = (timings: Timings) => ({
  startToCloseTimeout: timings.start_to_close * 1000,
  heartbeatTimeout: timings.heartbeat * 1000,
  retry: {
    initialInterval: '2s',
    backoffCoefficient: 2,
    maximumInterval: '30s',
    maximumAttempts: 3,
  },
});

/**
 * Unpaid and precious: tried again, with growing pauses, until the provider deletes the file, at most `seconds` from now.
 * A try may wait for its turn for as long.
 */
export const storing = (seconds: number) =>
  proxyActivities<Activities>({
    ...COMMON,
    ...LOST,
    ...on('save'),
    startToCloseTimeout: '60m',
    scheduleToCloseTimeout: Math.ceil(seconds) * 1000,
    ...SILENT,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
  });

/**
 * `settlePrediction` ends or reads a prediction: tried for minutes; after that the provider's own deadline ends it. Tries are
 * counted, not time: while no worker is there, nobody has tried.
 */
export const settling = () =>
  proxyActivities<Activities>({
    ...COMMON,
    ...on('ends'),
    startToCloseTimeout: '30s',
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '10s',
      maximumAttempts: 12,
    },
  });

/** `endLost` looks for one that may not even exist, so that it can be ended: as patient, and never in the way of an end. */
export const searching = () =>
  proxyActivities<Activities>({
    ...COMMON,
    ...on('look'),
    startToCloseTimeout: '2m',
    ...SILENT,
    retry: {
      initialInterval: '1s',
      backoffCoefficient: 2,
      maximumInterval: '10s',
      maximumAttempts: 12,
    },
  });

/** A convenience for later; a job is not held up by a full disk for long. */
export const { archiveJob } = proxyActivities<Activities>({
  ...COMMON,
  startToCloseTimeout: '60s',
  retry: {
    initialInterval: '1s',
    backoffCoefficient: 2,
    maximumInterval: '10s',
    maximumAttempts: 5,
  },
});

/** The job continues in a new run only when its log so far is in the store: tried until it is, or the job is canceled. */
export const { keepLog } = proxyActivities<Activities>({
  ...COMMON,
  startToCloseTimeout: '60s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});
