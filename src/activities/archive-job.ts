/** Writes the finished job, its log and its plan to the store, where they outlive Temporal's retention. */
import { Context } from '@temporalio/activity';
import type { ArchiveJobInput } from '../contract/activities.js';
import { isClipOver, record } from '../domain/job/progress.js';
import { wholeJob } from '../domain/job/whole-job.js';
import type { Deps } from './deps.js';
import { logUpTo } from './archive-log.js';
import { expectStoreOfJob } from './store-guard.js';

export const createArchiveJob =
  (deps: Deps) =>
  async ({ terminal, at, store }: ArchiveJobInput): Promise<void> => {
    expectStoreOfJob(deps, { store });
    const run = Context.current().info.workflowExecution;
    if (run === undefined) throw new Error('archiveJob runs inside a workflow only');
    const workflow = deps.workflow(run.workflowId, run.runId);
    const job = await wholeJob(workflow);
    // A clip is being retried: this is not the end of the job, and the archive is written at the end.
    if (!job.clips.every(({ status }) => isClipOver(status))) return;
    const last = record(job, terminal, at);
    const events = await logUpTo(last.event.seq - 1, workflow, deps.store, run.workflowId);
    await deps.store.saveJob(last.job, [...events, last.event]);
    // Last: it matters least, and the API may have stored it already when it started the job.
    await deps.store.savePlan(run.workflowId, await workflow.plan());
  };
