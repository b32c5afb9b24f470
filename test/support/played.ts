/** A workflow whose activities are played: for what takes hours, and for moments that real ones are too quick for. */
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Activities, PaidActivities } from '../../src/activities/index.js';
import type { AttemptOver, GenerateClipInput } from '../../src/contract/activities.js';
import type { Job, Prediction, Problem } from '../../src/domain/job/job.schema.js';
import type { Plan } from '../../src/domain/plan/plan.schema.js';
import { bundlePath } from '../../src/worker.js';
import {
  clipAskedSignal,
  progressQuery,
  SIDE_QUEUES,
  sideQueue,
  WORKFLOW_TYPE,
} from '../../src/contract/workflow.js';
import { accepted } from './checked-plans.js';

export const predictionOf = (
  input: GenerateClipInput,
  more: Partial<Prediction> = {},
): Prediction => ({
  id: `p${String(input.clip_index)}-${String(input.failed_attempts)}`,
  attempt: input.failed_attempts + 1,
  status: 'succeeded',
  url: 'https://replicate.com/p/x',
  created_at: new Date().toISOString(),
  // Unknown: this process's clock is not the server's, which skips.
  completed_at: null,
  predict_time: 40,
  requested_duration: input.requested_duration,
  unit_price: input.price,
  cost_usd: 0.35,
  billed: true,
  adopted: false,
  ...more,
});

/** Activities that play a good day; tests replace what is to go wrong. */
export const GOOD: Activities & PaidActivities = {
  resolvePlan: (plan) => {
    const { resolved } = accepted(plan);
    const timings = { start_to_close: 120, heartbeat: 15 };
    return Promise.resolve({ resolved, simulated: true, timings });
  },
  prepareReferences: () => Promise.reject(new Error('no clip of these plans has references')),
  generateClip: (input) =>
    Promise.resolve({
      outcome: 'succeeded',
      attempt: input.failed_attempts + 1,
      prediction: predictionOf(input),
      output_url: 'https://replicate.delivery/x.mp4',
    }),
  storeClip: ({ requested_duration }) =>
    Promise.resolve({
      actual_duration: requested_duration,
      video_url: '/video',
      thumbnail_url: null,
    }),
  settlePrediction: ({ prediction }) =>
    Promise.resolve({ prediction: { ...prediction, status: 'canceled' }, output_url: null }),
  endLost: () => Promise.reject(new Error('nothing is lost in these plans')),
  keepLog: () => Promise.resolve(),
  archiveJob: () => Promise.resolve(),
};

/** From within a played `generateClip`: the provider can be asked from now on, so that the clip's time begins. */
export async function sayAsked({ client }: Server): Promise<void> {
  const { workflowExecution, activityId } = Context.current().info;
  const clip_index = Number(activityId.slice('clip-'.length));
  const asked_at = new Date().toISOString();
  await client.workflow
    .getHandle(workflowExecution?.workflowId ?? '')
    .signal(clipAskedSignal, { clip_index, asked_at });
}

interface Server {
  client: Client;
  nativeConnection: NativeConnection;
}

export interface RealServer extends Server {
  close(): Promise<void>;
}

export async function realServer(address: string): Promise<RealServer> {
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    client: new Client({ connection }),
    nativeConnection,
    async close() {
      await nativeConnection.close();
      await connection.close();
    },
  };
}

/** As the paid activity ends an attempt. */
export const attemptOver = (
  input: GenerateClipInput,
  error: Problem,
  prediction: Prediction | null = null,
): ApplicationFailure => {
  const details: AttemptOver = { attempt: input.failed_attempts + 1, prediction, error, delay: 1 };
  return ApplicationFailure.create({
    type: error.kind,
    message: error.message,
    nonRetryable: true,
    details: [details],
  });
};

/** Hears of a cancellation with the next heartbeat, as the product's workers do; else after most of the time-out. */
const PROMPT = {
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
} as const;

/** Polls the side queues while `work` lasts. */
export async function withSideQueues<T>(
  connection: NativeConnection,
  taskQueue: string,
  activities: typeof GOOD,
  work: () => Promise<T>,
): Promise<T> {
  const workers = SIDE_QUEUES.map((side) =>
    Worker.create({ ...PROMPT, connection, taskQueue: sideQueue(taskQueue, side), activities }),
  );
  let all = work;
  for (const worker of await Promise.all(workers)) {
    const inner = all;
    all = () => worker.runUntil(inner);
  }
  return all();
}

/** Runs a plan with the given activities to its end. */
export async function playJob(
  { client, nativeConnection: connection }: Server,
  plan: Plan,
  bad: Partial<typeof GOOD>,
  previous?: Job,
): Promise<{ job: Job; handle: WorkflowHandle }> {
  const activities = { ...GOOD, ...bad };
  const taskQueue = `played-${randomUUID()}`;
  const main = await Worker.create({
    ...PROMPT,
    connection,
    taskQueue,
    workflowBundle: { codePath: bundlePath },
    activities,
  });
  return withSideQueues(connection, taskQueue, activities, () =>
    main.runUntil(async () => {
      const handle = await client.workflow.start(WORKFLOW_TYPE, {
        taskQueue,
        workflowId: taskQueue,
        args: previous === undefined ? [plan] : [plan, { previous }],
      });
      await handle.result().catch(() => undefined);
      return { job: await handle.query(progressQuery), handle };
    }),
  );
}
