/** How an activity talks to its own workflow: five verbs, with deadlines. Nothing else of Temporal's client. */
import { defaultPayloadConverter } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { clipMemoryQuery, eventsQuery, progressQuery } from '../workflows/contract.js';
import type { EventPage, Job } from '../domain/job.js';
import type { ClipMemory } from '../workflows/contract.js';
import type { SignalDefinition } from '@temporalio/common';

export interface OwnWorkflow {
  /** Resolves when the server has recorded the signal. */
  signal<Args extends unknown[]>(signal: SignalDefinition<Args>, ...args: Args): Promise<void>;
  memory(clipIndex: number): Promise<ClipMemory>;
  progress(): Promise<Job>;
  events(after: number): Promise<EventPage>;
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
      events: (after) => bounded(() => handle.query(eventsQuery, after)),
      plan: () => bounded(() => firstArgument(client, workflowId, runId)),
    };
  };

async function firstArgument(client: Client, workflowId: string, runId: string): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
    skipArchival: true,
  });
  const { input } = history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
  const payload = input?.payloads?.[0];
  return payload == null ? null : (defaultPayloadConverter.fromPayload(payload) ?? null);
}
