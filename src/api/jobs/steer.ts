/**
 * What people do to a job that exists. Each act checks the job's state first and says plainly why not;
 * between check and act the job may still change, and then the workflow has the last word.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clip, Job, JobSnapshot } from '../../domain/job/job.schema.js';
import { jsonBytes } from '../../domain/job/payload-size.js';
import { isClipOver, isOver, reopened } from '../../domain/job/progress.js';
import type { Checked } from '../../domain/plan/resolved.js';
import { memoOf } from '../../domain/job/visibility.js';
import { wholeJob } from '../../domain/job/whole-job.js';
import type { Archive } from './job-archive.js';
import { eventsOfClosing } from './synthesized-end.js';
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

async function existing(deps: Deps, jobId: string): Promise<JobSnapshot> {
  const job = await deps.snapshot(jobId);
  if (job === null) throw noSuchJob(jobId);
  return job;
}

const over = ({ job_id, status }: Job) => conflict(`the job "${job_id}" is over (${status})`);

async function running(deps: Deps, jobId: string): Promise<JobSnapshot> {
  const job = await existing(deps, jobId);
  if (isOver(job.status)) throw over(job);
  return job;
}

/** The job as it is after an act, which the workflow answers only when it has taken the act in. */
async function acted(deps: Deps, before: JobSnapshot, delivered: Delivered): Promise<JobSnapshot> {
  if (delivered === 'missing') throw noSuchJob(before.job_id);
  // Nobody answered a moment ago: do not make the asker wait for that twice.
  if (delivered === 'delivered' && before.stale) return before;
  const job = await existing(deps, before.job_id);
  if (delivered === 'over') throw over(job);
  return job;
}

export async function cancelJob(deps: Deps, jobId: string): Promise<JobSnapshot> {
  const before = await running(deps, jobId);
  return acted(deps, before, await deps.jobs.cancel(jobId));
}

export async function signalJob(deps: Deps, jobId: string, signal: Signal): Promise<JobSnapshot> {
  const before = await running(deps, jobId);
  return acted(deps, before, await deps.jobs.signal(jobId, signal));
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
  const job = await existing(deps, jobId);
  const clip = job.clips.find(({ clip_index }) => clip_index === clipIndex);
  if (clip === undefined) {
    throw notFound(`the job "${jobId}" has no clip ${String(clipIndex)}`);
  }
  if (isOver(job.status)) {
    const hint = name === 'retryClip' ? `; POST /v1/jobs/${jobId}/retry runs it again` : '';
    throw conflict(`the job "${jobId}" is over (${job.status})${hint}`);
  }
  const refusal = FORBIDDEN[name](clip);
  // A state that nobody could confirm forbids nothing.
  if (refusal !== null && job.stale !== true) throw conflict(refusal);
  if (name === 'retryClip') await expectNoCancellation(deps, jobId);
  const signal = name === 'retryClip' ? retryOf(clip) : { name, clip_index: clipIndex };
  return acted(deps, job, await deps.jobs.signal(jobId, signal));
}

/** Once: a clip that another request has retried meanwhile is not paid for again, however late this signal comes. */
const retryOf = ({ clip_index, completed_at }: Clip): Signal => ({
  name: 'retryClip',
  clip_index,
  completed_at,
});

/** Failed and canceled clips once more: in the run that goes on, or in a new one. */
export async function retryJob(deps: Deps, jobId: string): Promise<Job> {
  const job = await existing(deps, jobId);
  const clips = job.clips.filter(isRetryable);
  if (clips.length === 0) throw conflict(`the job "${jobId}" has no failed or canceled clip`);
  if (isOver(job.status)) return runAgain(deps, job);
  await expectNoCancellation(deps, jobId);
  for (const clip of clips) {
    const delivered = await deps.jobs.signal(jobId, retryOf(clip));
    if (delivered === 'over') return runAgain(deps, await existing(deps, jobId));
    if (delivered === 'missing') throw noSuchJob(jobId);
  }
  return existing(deps, jobId);
}

/** Its workflow starts nothing any more; what is asked of it now would be lost. */
async function expectNoCancellation({ jobs }: Deps, jobId: string): Promise<void> {
  const run = await jobs.find(jobId);
  if (run?.is_canceling !== true || run.closed_at !== null) return;
  throw conflict(`the job "${jobId}" is being canceled; retry it once it is over`);
}

/** Bytes of a job that one more run can go on from: about 100,000 predictions. */
const MAX_CARRIED = 48 << 20;

async function runAgain(deps: Deps, snapshot: JobSnapshot): Promise<Job> {
  const { stale, source: _, ...job } = snapshot;
  const run = await closedRun(deps.jobs, job);
  // Another request has retried it since; going on from before that would forget what it bought.
  if (run !== null && run.run_id !== job.run_id) return existing(deps, job.job_id);
  const plan = await planOf(deps, job.job_id, run);
  refuseGoneModel(deps, plan);
  if (stale) throw new WorkerAway('the last state of this job is not known without a worker');
  // A job that Temporal has forgotten came from the archive, and its log is there.
  if (run !== null) await keepLog(deps, run, job);
  if (jsonBytes(job) > MAX_CARRIED) {
    throw conflict(
      `the ledger of "${job.job_id}" is too long for one more run; start the clips it lacks as a new job`,
    );
  }
  const started = await deps.jobs.start({
    job_id: job.job_id,
    plan,
    // Whole, however long its ledger is: what is too large for Temporal is stored beside it.
    previous: job,
    summary: `${String(job.total_clips)} clips · ${job.model} · again`,
    memo: memoOf({ ...reopened(job), status: 'queued' }),
    details: `Goes on from run \`${job.run_id}\`: good clips are kept, the others tried once more.`,
  });
  if (started === null) return existing(deps, job.job_id); // somebody else was first
  const again = await deps.jobs.find(job.job_id);
  const begun = again === null ? null : await deps.recorded(again);
  return { ...(begun ?? job), run_id: started.run_id, status: 'running' };
}

/** As the run was started with, or as it was stored when Temporal has forgotten the run. */
export async function planOf(
  { jobs, archive }: Pick<Deps, 'jobs' | 'archive'>,
  jobId: string,
  run: Run | null,
): Promise<unknown> {
  const recorded = run === null ? null : await jobs.input(jobId, run.run_id);
  const plan = recorded === null ? await archive.plan(jobId) : recorded.plan;
  if (plan !== null) return plan;
  throw conflict(`nobody knows the plan of "${jobId}" any more; start it as a new job`);
}

/** A new run resolves the plan anew. Other mistakes, of a plan that was good once, are for the workflow to tell. */
function refuseGoneModel({ checkPlan }: Deps, plan: unknown): void {
  const checked = checkPlan(plan);
  const gone = checked.ok ? [] : checked.problems.filter(({ path }) => path === 'model');
  if (gone.length > 0) throw invalid(gone);
}

/** Milliseconds between the last event of a run and its end, at most. */
const CLOSING = { most: 5_000, every: 50 };

/** The newest run: the job's own once it is closed, which it is in a moment, or one that somebody else has started. */
async function closedRun(jobs: Jobs, { job_id, run_id }: Job): Promise<Run | null> {
  for (let waited = 0; ; waited += CLOSING.every) {
    const run = await jobs.find(job_id);
    if (run === null || run.closed_at !== null || run.run_id !== run_id) return run;
    if (waited >= CLOSING.most)
      throw conflict(`the job "${job_id}" is just ending; retry it again`);
    await sleep(CLOSING.every);
  }
}

/** A new run's workflow has its own events only; those before have to be stored. */
async function keepLog({ jobs, archive }: Deps, run: Run, job: Job): Promise<void> {
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
  const closing = await jobs.closing(job.job_id, run.run_id);
  await archive.save(job, [...events, ...eventsOfClosing(before, run, closing)]);
}
