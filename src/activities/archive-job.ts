/** Writes the finished job, its whole log and its plan to disk, so that all of it outlives Temporal's retention. */
import { Context } from '@temporalio/activity';
import type { ArchiveJobInput } from '../domain/activity.js';
import type { JobEvent } from '../domain/job.js';
import { isClipOver, record } from '../domain/progress.js';
import type { Deps } from './deps.js';
import { expectOwnStore } from './own-store.js';

export const createArchiveJob =
  (deps: Deps) =>
  async ({ terminal, at, store }: ArchiveJobInput): Promise<void> => {
    expectOwnStore(deps, { store });
    const run = Context.current().info.workflowExecution;
    if (run === undefined) throw new Error('archiveJob runs inside a workflow only');
    const workflow = deps.workflow(run.workflowId, run.runId);
    const job = await workflow.progress();
    // Somebody asked for a clip again a moment ago: this is no end, and the one that comes writes it all.
    if (!job.clips.every(({ status }) => isClipOver(status))) return;
    const last = record(job, terminal, at);
    const events: JobEvent[] = [];
    for (let after = 0; after < last.event.seq - 1;) {
      const page = await workflow.events(after);
      if (page.events.length === 0) break;
      events.push(...page.events);
      after = events.at(-1)?.seq ?? after;
    }
    const first = events[0]?.seq ?? last.event.seq;
    // A retried run's log goes on from that of the run before it, which is on disk.
    const earlier = first > 1 ? await deps.store.loadEvents(run.workflowId) : [];
    await deps.store.saveJob(last.job, [
      ...earlier.filter(({ seq }) => seq < first),
      ...events.filter(({ seq }) => seq < last.event.seq),
      last.event,
    ]);
    // Last: it is the least of the three, and whoever started the job may have stored it already.
    await deps.store.savePlan(run.workflowId, await workflow.plan());
  };
