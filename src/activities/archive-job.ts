/** Writes the finished job, its whole log and its plan to the store, so that all of it outlives Temporal's retention. */
import { Context } from '@temporalio/activity';
import type { ArchiveJobInput } from '../contract/activities.js';
import { isClipOver, record } from '../domain/job/progress.js';
import { wholeJob } from '../domain/job/whole-job.js';
import type { Deps } from './deps.js';
import { logUpTo } from './archive-log.js';
import { expectOwnStore } from './store-guard.js';

export const createArchiveJob =
  (deps: Deps) =>
  async ({ terminal, at, store }: ArchiveJobInput): Promise<void> => {
    expectOwnStore(deps, { store });
    const run = Context.current().info.workflowExecution;
    if (run === undefined) throw new Error('archiveJob runs inside a workflow only');
    const workflow = deps.workflow(run.workflowId, run.runId);
    const job = await wholeJob(workflow);
    // Somebody asked for a clip again a moment ago: this is no end, and the one that comes writes it all.
    if (!job.clips.every(({ status }) => isClipOver(status))) return;
    const last = record(job, terminal, at);
    const events = await logUpTo(last.event.seq - 1, workflow, deps.store, run.workflowId);
    await deps.store.saveJob(last.job, [...events, last.event]);
    // Last: it is the least of the three, and whoever started the job may have stored it already.
    await deps.store.savePlan(run.workflowId, await workflow.plan());
  };
