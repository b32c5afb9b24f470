/** How an activity talks to its own workflow: four verbs, with deadlines. Nothing else of Temporal's client. */
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
    };
  };
