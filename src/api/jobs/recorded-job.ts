/**
 * The job as it was before its run's first event, from what the run was started with. Used while the workflow has not checked
 * its plan yet, or no worker answers its queries.
 */
import { continueJob } from '../../domain/job/continue-job.js';
import { emptyJob, initialJob } from '../../domain/job/initial-job.js';
import type { Job } from '../../domain/job/job.schema.js';
import { seeded } from '../../domain/plan/quality.js';
import type { Checked } from '../../domain/plan/resolved.js';
import type { Jobs, Run } from './jobs-port.js';

interface Deps {
  jobs: Pick<Jobs, 'input'>;
  checkPlan: (plan: unknown) => Checked;
  simulated: boolean;
}

/** Null when the run's history cannot be read. */
export type ReadRecordedJob = (run: Run) => Promise<Job | null>;

export const createReadRecordedJob =
  ({ jobs, checkPlan, simulated }: Deps): ReadRecordedJob =>
  async (run) => {
    const input = await jobs.input(run.job_id, run.run_id);
    if (input === null) return null;
    const { job_id, run_id, started_at } = run;
    const identity = { job_id, run_id, created_at: started_at, simulated };
    if (input.carried !== null) return { ...input.carried, run_id };
    const checked = checkPlan(input.plan);
    const fresh = checked.ok
      ? initialJob(seeded(checked.resolved, job_id), identity)
      : emptyJob(identity);
    return continueJob(fresh, input.previous);
  };

/** The workflow answers, but has not checked its plan yet. */
export const isBlank = (job: Job): boolean => job.status === 'queued' && job.clips.length === 0;
