/** How an activity calls its own workflow: a few verbs, each with a deadline. Nothing else of Temporal's client. */
import { requiredTsToMs } from '@temporalio/common/lib/time.js';
import { defaultPayloadConverter } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  clipMemoryQuery,
  clipsQuery,
  eventsQuery,
  progressQuery,
} from '../../contract/workflow.js';
import type { ClipPage, EventPage } from '../../domain/job/pages.js';
import type { Job } from '../../domain/job/job.schema.js';
import type { ClipMemory } from '../../contract/workflow.js';
import type { SignalDefinition } from '@temporalio/common';
import { fillIn } from '../storage/payload-files.js';

export interface OwnWorkflow {
  /** Resolves when the server has recorded the signal. */
  signal<Args extends unknown[]>(signal: SignalDefinition<Args>, ...args: Args): Promise<void>;
  memory(clipIndex: number): Promise<ClipMemory>;
  progress(): Promise<Job>;
  clips(from: number): Promise<ClipPage>;
  events(after: number): Promise<EventPage>;
  /** When the server started the current execution of an activity, by the server's clock; null when the activity has ended. */
  startedAt(activityId: string): Promise<number | null>;
  /** What the run was started with. */
  plan(): Promise<unknown>;
}

export type FindOwnWorkflow = (workflowId: string, runId: string) => OwnWorkflow;

const SIGNAL_DEADLINE = 5_000;
const QUERY_DEADLINE = 8_000;

export const findOwnWorkflow =
  (client: Client): FindOwnWorkflow =>
  (workflowId, runId) => {
    const handle = client.workflow.getHandle(workflowId, runId);
    const bounded = <T>(query: () => Promise<T>): Promise<T> =>
      client.withDeadline(Date.now() + QUERY_DEADLINE, query);
    return {
      signal: (signal, ...args) =>
        client.withDeadline(Date.now() + SIGNAL_DEADLINE, () => handle.signal(signal, ...args)),
      memory: (clipIndex) => bounded(() => handle.query(clipMemoryQuery, clipIndex)),
      progress: () => bounded(() => handle.query(progressQuery)),
      clips: (from) => bounded(() => handle.query(clipsQuery, from)),
      events: (after) => bounded(() => handle.query(eventsQuery, after)),
      startedAt: (activityId) => bounded(() => startOf(handle, activityId)),
      plan: () => bounded(() => firstArgument(client, workflowId, runId)),
    };
  };

async function startOf(handle: WorkflowHandle, activityId: string): Promise<number | null> {
  const { raw } = await handle.describe();
  const own = raw.pendingActivities?.find((activity) => activity.activityId === activityId);
  return own?.lastStartedTime == null ? null : requiredTsToMs(own.lastStartedTime, 'started');
}

async function firstArgument(client: Client, workflowId: string, runId: string): Promise<unknown> {
  const answer = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
    skipArchival: true,
  });
  const { history } = await fillIn(client.options.loadedDataConverter, answer);
  const { input } = history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  const payload = input?.payloads?.[0];
  return payload == null ? null : (defaultPayloadConverter.fromPayload(payload) ?? null);
}
