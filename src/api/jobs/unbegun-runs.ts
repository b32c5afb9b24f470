/**
 * Runs that were closed before their workflow did anything. Temporal refuses every query of such a run for ever: what it was
 * started with is all there is, and its log is that of the run before.
 */
import type { Job } from '../../domain/job/job.schema.js';
import { RunNeverBegan } from './jobs-port.js';
import type { Jobs } from './jobs-port.js';
import type { ReadRecordedJob } from './recorded-job.js';

export function answeringForUnbegunRuns(jobs: Jobs, recorded: ReadRecordedJob): Jobs {
  async function asStarted(jobId: string, runId: string, refusal: unknown): Promise<Job> {
    const run = refusal instanceof RunNeverBegan ? await jobs.find(jobId) : null;
    const job = run?.run_id === runId ? await recorded(run) : null;
    if (job === null) throw refusal;
    return job;
  }
  return {
    ...jobs,
    progress: (jobId, runId) =>
      jobs.progress(jobId, runId).catch((refusal: unknown) => asStarted(jobId, runId, refusal)),
    events: (jobId, runId, after) =>
      jobs.events(jobId, runId, after).catch(async (refusal: unknown) => {
        const { seq } = await asStarted(jobId, runId, refusal);
        return { events: [], last_seq: seq };
      }),
  };
}
