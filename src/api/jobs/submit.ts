/**
 * Starts a job once, however often it is submitted: by `job_id`, by `Idempotency-Key`, or with neither.
 *
 * SUBMIT-1 the id is taken in one step at Temporal; of two requests at the same time one starts the job, the other finds it.
 * SUBMIT-2 an id that was ever used is never used for another plan, not even after Temporal has deleted its run.
 * SUBMIT-3 an id derived from a key is started only with that key; with another one, or none, it can only be found.
 */
import { createHash, randomUUID } from 'node:crypto';
import { canonicalJson } from '../../domain/values/canonical-json.js';
import { initialJob } from '../../domain/job/initial-job.js';
import type { Job, JobSnapshot } from '../../domain/job/job.schema.js';
import type { Plan } from '../../domain/plan/plan.schema.js';
import { seeded } from '../../domain/plan/quality.js';
import { reservedIdProblem } from '../../domain/plan/reserved-job-id.js';
import type { Checked, ResolvedPlan } from '../../domain/plan/resolved.js';
import { memoOf } from '../../domain/job/visibility.js';
import type { Archive } from './job-archive.js';
import type { Jobs } from './jobs-port.js';
import { conflict, invalid } from '../problems.js';

interface Deps {
  jobs: Jobs;
  archive: Archive;
  checkPlan: (plan: unknown) => Checked;
  snapshot: (jobId: string) => Promise<JobSnapshot | null>;
  simulated: boolean;
}

export type Submitted = { created: true; job: Job } | { created: false; job: JobSnapshot };

type Accepted = Extract<Checked, { ok: true }>;

/** Throws an HttpProblem, 400, with every mistake, for what starting and estimating refuse. */
export async function acceptedPlan(
  { checkPlan, jobs, archive }: Pick<Deps, 'checkPlan' | 'jobs' | 'archive'>,
  body: unknown,
  key: string | null,
): Promise<Accepted> {
  const checked = checkPlan(body);
  const reserved = reservedIdProblem(body, key === null ? null : jobIdOfKey(key));
  const refused = reserved === null ? [] : [reserved];
  if (!checked.ok) throw invalid([...checked.problems, ...refused]);
  const { job_id = null } = checked.plan;
  if (reserved === null || job_id === null) return checked;
  const exists = (await jobs.find(job_id)) !== null || (await archive.job(job_id)) !== null;
  if (!exists) throw invalid(refused); // SUBMIT-3
  return checked;
}

export async function submit(deps: Deps, body: unknown, key: string | null): Promise<Submitted> {
  const { plan, resolved } = await acceptedPlan(deps, body, key);
  const job_id = plan.job_id ?? (key === null ? `job-${randomUUID()}` : jobIdOfKey(key));
  const archived = await deps.archive.job(job_id);
  if (archived !== null && (await deps.jobs.find(job_id)) === null) {
    const stored = await deps.archive.plan(job_id);
    const same =
      stored === null ? matchesResult(archived, resolved) : agrees(deps, stored, { body, plan });
    if (same) return { created: false, job: archived };
    throw taken(job_id); // SUBMIT-2
  }
  const created_at = new Date().toISOString();
  const identity = { job_id, run_id: '', created_at, simulated: deps.simulated };
  const job = initialJob(seeded(resolved, job_id), identity);
  const memo = memoOf(job);
  const run = await deps.jobs.start({ job_id, plan: body, memo, ...describe(resolved) });
  if (run === null) return { created: false, job: await existingJob(deps, job_id, body, plan) };
  // The job runs even if this fails: the worker stores the plan at its end.
  await deps.archive.savePlan(job_id, body).catch(() => undefined);
  return { created: true, job: { ...job, run_id: run.run_id } };
}

/** The same key is the same job, on every API process and at any time. */
export const jobIdOfKey = (key: string): string =>
  `key-${createHash('sha256').update(key).digest('hex').slice(0, 40)}`;

/** The job that has the id already, if it is of the same plan. */
async function existingJob(
  deps: Deps,
  jobId: string,
  body: unknown,
  plan: Plan,
): Promise<JobSnapshot> {
  const run = await deps.jobs.find(jobId);
  const recorded = run === null ? null : await deps.jobs.input(jobId, run.run_id);
  if (recorded === null) throw taken(jobId); // another kind of workflow has it
  if (!agrees(deps, recorded.plan, { body, plan })) throw taken(jobId);
  const job = await deps.snapshot(jobId);
  if (job === null) throw taken(jobId);
  return job;
}

/** Equal as written, or as parsed. */
const agrees = (deps: Deps, known: unknown, asked: { body: unknown; plan: Plan }): boolean =>
  isSamePlan(known, asked.body) || isSamePlan(parsed(deps, known), asked.plan);

const parsed = (deps: Deps, plan: unknown): unknown => {
  const checked = deps.checkPlan(plan);
  return checked.ok ? checked.plan : plan;
};

const taken = (jobId: string) =>
  conflict(`the job "${jobId}" exists with another plan; choose another job_id or Idempotency-Key`);

/** The id may be in the plan or in the request's headers. */
const isSamePlan = (a: unknown, b: unknown): boolean =>
  canonicalJson(withoutId(a)) === canonicalJson(withoutId(b));

const withoutId = (plan: unknown): unknown =>
  typeof plan === 'object' && plan !== null ? { ...plan, job_id: undefined } : plan;

/** Where only the result is stored, the parts of the plan that it repeats have to be equal. */
const matchesResult = (job: Job, resolved: ResolvedPlan): boolean =>
  job.model === resolved.model.id &&
  canonicalJson(job.clips.map(wanted)) === canonicalJson(resolved.clips.map(wanted));

const wanted = (clip: {
  clip_index: number;
  prompt: string;
  target_duration: number;
  original_target_duration: number;
  metadata: Record<string, unknown>;
}) => [
  clip.clip_index,
  clip.prompt,
  clip.target_duration,
  clip.original_target_duration,
  clip.metadata,
];

/** What Temporal's Web UI shows of the job before its first event. */
function describe({ clips, model, estimated_cost_usd }: ResolvedPlan) {
  const count = clips.length === 1 ? '1 clip' : `${String(clips.length)} clips`;
  const cost = estimated_cost_usd === null ? 'unknown' : `$${estimated_cost_usd.toFixed(2)}`;
  return {
    summary: `${count} · ${model.id}`,
    details: [`**${count}** with \`${model.id}\``, `Estimated cost: ${cost}`].join('\n\n'),
  };
}
