/** Writes the log so far to the store, before the job continues in a new run that does not have it. */
import { Context } from '@temporalio/activity';
import type { ArtifactStore } from '../adapters/storage/artifact-store.js';
import type { OwnWorkflow } from '../adapters/temporal/workflow-calls.js';
import type { KeepLogInput } from '../contract/activities.js';
import type { JobEvent } from '../domain/job/job.schema.js';
import type { Deps } from './deps.js';
import { expectStoreOfJob } from './store-guard.js';

export const createKeepLog =
  (deps: Deps) =>
  async ({ seq, store }: KeepLogInput): Promise<void> => {
    expectStoreOfJob(deps, { store });
    const run = Context.current().info.workflowExecution;
    if (run === undefined) throw new Error('keepLog runs inside a workflow only');
    const workflow = deps.workflow(run.workflowId, run.runId);
    const events = await logUpTo(seq, workflow, deps.store, run.workflowId);
    await deps.store.saveEvents(run.workflowId, events);
  };

/** The whole log up to a seq: what this run has told, and what the store has of earlier runs. */
export async function logUpTo(
  seq: number,
  workflow: Pick<OwnWorkflow, 'events'>,
  store: Pick<ArtifactStore, 'loadEvents'>,
  jobId: string,
): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for (let after = 0; after < seq;) {
    const page = await workflow.events(after);
    if (page.events.length === 0) break;
    events.push(...page.events);
    after = events.at(-1)?.seq ?? after;
  }
  const first = events[0]?.seq ?? seq + 1;
  // The store may hold an older job with this id: a log that has its event 1 takes nothing from there.
  const earlier = first > 1 ? await store.loadEvents(jobId) : [];
  return [...earlier.filter((event) => event.seq < first), ...events].filter(
    (event) => event.seq <= seq,
  );
}
