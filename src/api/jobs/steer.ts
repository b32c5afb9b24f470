/**
 * Acts on an existing job. Each checks the job's state first, and its refusal says why. Between check and act the job may still
 * change; then the workflow decides.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clip, Job, JobSnapshot } from '../../domain/job/job.schema.js';
import { jsonBytes } from '../../domain/job/payload-size.js';
import { isClipOver, isOver, reopened } from '../../domain/job/progress.js';
import type { Checked } from '../../domain/plan/resolved.js';
import { memoOf } from '../../domain/job/visibility.js';
import { wholeJob } from '../../domain/job/whole-job.js';
import type { Archive } from './job-archive.js';
import { synthesizedTerminalEvents } from './synthesized-end.js';
import type { Delivered, Jobs, Run, Signal } from './jobs-port.js';
import { answersOf, TemporalAway, WorkerAway } from './jobs-port.js';
import { conflict, invalid, notFound } from '../problems.js';
import type { ReadRecordedJob } from './recorded-job.js';

interface Deps {
  jobs: Jobs;
  archive: Archive;
  recorded: ReadRecordedJob;
  snapshot: (jobId: string) => Promise<JobSnapshot | null>;
  checkPlan: (plan: unknown) => Checked;
}

export const noSuchJob = (jobId: string) => notFound(`there is no job "${jobId}"`);

async function findJob(deps: Deps, jobId: string): Promise<JobSnapshot> {
  const job = await deps.snapshot(jobId);
  if (job === null) throw noSuchJob(jobId);
  return job;
}

const jobIsOver = ({ job_id, status }: Job) => conflict(`the job "${job_id}" is over (${status})`);

async function findRunningJob(deps: Deps, jobId: string): Promise<JobSnapshot> {
  const job = await findJob(deps, jobId);
  if (isOver(job.status)) throw jobIsOver(job);
  return job;
}

/** The job after an act: a query is answered only after the signal has been processed. */
async function afterAct(
  deps: Deps,
  before: JobSnapshot,
  delivered: Delivered,
): Promise<JobSnapshot> {
  if (delivered === 'missing') throw noSuchJob(before.job_id);
  // The state was stale: asking a missing worker again would only delay the answer.
  if (delivered === 'delivered' && before.stale) return before;
  const job = await findJob(deps, before.job_id);
  if (delivered === 'over') throw jobIsOver(job);
  return job;
}

export async function cancelJob(deps: Deps, jobId: string): Promise<JobSnapshot> {
  const before = await findRunningJob(deps, jobId);
  return afterAct(deps, before, await deps.jobs.cancel(jobId));
}

export async function signalJob(deps: Deps, jobId: string, signal: Signal): Promise<JobSnapshot> {
  const before = await findRunningJob(deps, jobId);
  return afterAct(deps, before, await deps.jobs.signal(jobId, signal));
}

const FORBIDDEN = {
  cancelClip: (clip: Clip) =>
    isClipOver(clip.status) ? `expected a clip that is not over, it is ${clip.status}` : null,
  retryClip: (clip: Clip) =>
    isRetryable(clip) ? null : `expected a failed or canceled clip, it is ${clip.status}`,
} as const;

const isRetryable = ({ status }: Clip): boolean => status === 'failed' || status === 'canceled';

export async function signalClip(
  deps: Deps,
  jobId: string,
  clipIndex: number,
  name: keyof typeof FORBIDDEN,
): Promise<JobSnapshot> {
  const job = await findJob(deps, jobId);
  const clip = job.clips.find(({ clip_index }) => clip_index === clipIndex);
  if (clip === undefined) {
    throw notFound(`the job "${jobId}" has no clip ${String(clipIndex)}`);
  }
  if (isOver(job.status)) {
    const hint = name === 'retryClip' ? `; POST /v1/jobs/${jobId}/retry runs it again` : '';
    throw conflict(`the job "${jobId}" is over (${job.status})${hint}`);
  }
  const refusal = FORBIDDEN[name](clip);
  // A stale state forbids nothing.
  if (refusal !== null && job.stale !== true) throw conflict(refusal);
  if (name === 'retryClip') await expectNoCancellation(deps, jobId);
  const signal = name === 'retryClip' ? retryOf(clip) : { name, clip_index: clipIndex };
  return afterAct(deps, job, await deps.jobs.signal(jobId, signal));
}

/** Carries `completed_at` of the end that the caller saw: a clip that another request has retried meanwhile is not paid again, however late this signal comes. */
const retryOf = ({ clip_index, completed_at }: Clip): Signal => ({
  name: 'retryClip',
  clip_index,
  completed_at,
});

/** Retries failed and canceled clips: in the current run, or in a new one. */
export async function retryJob(deps: Deps, jobId: string): Promise<Job> {
  const job = await findJob(deps, jobId);
  const clips = job.clips.filter(isRetryable);
  if (clips.length === 0) throw conflict(`the job "${jobId}" has no failed or canceled clip`);
  if (isOver(job.status)) return runAgain(deps, job);
  await expectNoCancellation(deps, jobId);
  for (const clip of clips) {
    const delivered = await deps.jobs.signal(jobId, retryOf(clip));
    if (delivered === 'over') return runAgain(deps, await findJob(deps, jobId));
    if (delivered === 'missing') throw noSuchJob(jobId);
  }
  return findJob(deps, jobId);
}

/** A workflow that is being canceled starts nothing, so that a retry would be lost. */
async function expectNoCancellation({ jobs }: Deps, jobId: string): Promise<void> {
  const run = await jobs.find(jobId);
  if (run?.is_canceling !== true || run.closed_at !== null) return;
  throw conflict(`the job "${jobId}" is being canceled; retry it once it is over`);
}

/** Bytes of a job that a new run can continue: about 100,000 predictions. */
const MAX_CARRIED = 48 << 20;

async function runAgain(deps: Deps, snapshot: JobSnapshot): Promise<Job> {
  const { stale, source: _, ...job } = snapshot;
  const run = await closedRun(deps.jobs, job);
  // Another request has retried it since: to continue from an older state would lose what that run paid for.
  if (run !== null && run.run_id !== job.run_id) return findJob(deps, job.job_id);
  const plan = await planOf(deps, job.job_id, run);
  refuseRetiredModel(deps, plan);
  if (stale) throw new WorkerAway('the last state of this job is not known without a worker');
  // A job that Temporal no longer has came from the archive, with its log.
  if (run !== null) await storeLog(deps, run, job);
  if (jsonBytes(job) > MAX_CARRIED) {
    throw conflict(
      `the ledger of "${job.job_id}" is too long for one more run; start the clips it lacks as a new job`,
    );
  }
  const started = await deps.jobs.start({
    job_id: job.job_id,
    plan,
    // Whole, however long its ledger is: payloads too large for Temporal are objects of the store.
    previous: job,
    summary: `${String(job.total_clips)} clips · ${job.model} · again`,
    memo: memoOf({ ...reopened(job), status: 'queued' }),
    details: `Continues run \`${job.run_id}\`: good clips are kept, the others are tried again.`,
  });
  if (started === null) return findJob(deps, job.job_id); // another request was first
  const again = await deps.jobs.find(job.job_id);
  const recorded = again === null ? null : await deps.recorded(again);
  return { ...(recorded ?? job), run_id: started.run_id, status: 'running' };
}

/** The plan that the run was started with, or the stored one when Temporal no longer has the run. */
export async function planOf(
  { jobs, archive }: Pick<Deps, 'jobs' | 'archive'>,
  jobId: string,
  run: Run | null,
): Promise<unknown> {
  const recorded = run === null ? null : await jobs.input(jobId, run.run_id);
  const plan = recorded === null ? await archive.plan(jobId) : recorded.plan;
  if (plan !== null) return plan;
  throw conflict(`the plan of "${jobId}" is no longer stored; start it as a new job`);
}

/** A new run resolves the plan again. Other mistakes, in a plan that was accepted once, are reported by the workflow. */
function refuseRetiredModel({ checkPlan }: Deps, plan: unknown): void {
  const checked = checkPlan(plan);
  const refused = checked.ok ? [] : checked.problems.filter(({ path }) => path === 'model');
  if (refused.length > 0) throw invalid(refused);
}

/** Milliseconds to wait for the end of a run after its last event, and between two looks. */
const CLOSE_WAIT = { total: 5_000, interval: 50 };

/** The newest run: the job's own once it is closed, or one that another request has started. */
async function closedRun(jobs: Jobs, { job_id, run_id }: Job): Promise<Run | null> {
  for (let waited = 0; ; waited += CLOSE_WAIT.interval) {
    const run = await jobs.find(job_id);
    if (run === null || run.closed_at !== null || run.run_id !== run_id) return run;
    if (waited >= CLOSE_WAIT.total)
      throw conflict(`the job "${job_id}" is just ending; retry it again`);
    await sleep(CLOSE_WAIT.interval);
  }
}

/** The workflow of a new run has only its own events; earlier ones have to be stored. */
async function storeLog({ jobs, archive }: Deps, run: Run, job: Job): Promise<void> {
  const events = await archive.events(job.job_id);
  const kept = await archive.job(job.job_id);
  if (kept?.run_id === run.run_id && events.at(-1)?.seq === job.seq) return;
  let last = 0;
  for (let after = events.at(-1)?.seq ?? 0; ; after = events.at(-1)?.seq ?? after) {
    const page = await jobs.events(job.job_id, run.run_id, after);
    events.push(...page.events.filter(({ seq }) => seq > after));
    last = page.last_seq;
    if (page.events.length === 0 || (events.at(-1)?.seq ?? 0) >= last) break;
  }
  // A run that was ended before its first event has none.
  if (events.length === 0 && last > 0) throw new TemporalAway('the log cannot be read');
  const before = await wholeJob(answersOf(jobs, run));
  const end = await jobs.runEnd(job.job_id, run.run_id);
  await archive.save(job, [...events, ...synthesizedTerminalEvents(before, run, end)]);
}
