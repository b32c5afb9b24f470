/**
 * The job: a plan goes in, its clips are dispatched in batches or in a window, and the job ends with what succeeded. Handlers
 * first, then a short main. It decides with its `JobState` alone.
 *
 * JOB-1 A plan is refused whole before anything is paid; enough good clips make a success, and failed ones are reported (G6).
 */
import {
  ApplicationFailure,
  ActivityFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  Continued,
  HistoryLimits,
  Previous,
  ResolvePlanResult,
} from '../contract/activities.js';
import { retriedClips, continueJob } from '../domain/job/continue-job.js';
import { INVALID_PLAN, isFailureKind, problem } from '../domain/job/failure-kinds.js';
import { emptyJob, initialJob } from '../domain/job/initial-job.js';
import type { Job } from '../domain/job/job.schema.js';
import type { Plan } from '../domain/plan/plan.schema.js';
import { costsOf } from '../domain/job/progress.js';
import { archiveJob, keepLog, resolvePlan } from './activity-options.js';
import { causeOf } from './activity-failure.js';
import { cutOffIn } from './clip-state.js';
import { Dispatcher } from './dispatcher.js';
import { JobLog } from './job-log.js';
import { JobState } from './job-state.js';
import { registerHandlers } from './handlers.js';

/** The size of a run's history at which nothing more is started in it (DISPATCH-3); the end of what is in flight comes on top. */
const HISTORY_LIMITS: HistoryLimits = { events: 3_000, bytes: 4 * 2 ** 20 };

/** `before`: the previous job (of a retry), or the state that the previous run carried over (of a job in several runs). */
export async function generateClipsWorkflow(
  plan: Plan,
  before?: Previous | Continued,
): Promise<Job> {
  const { workflowId, runId, startTime } = workflowInfo();
  const identity = {
    job_id: workflowId,
    run_id: runId,
    created_at: startTime.toISOString(),
    simulated: false,
  };
  const continued = before !== undefined && 'continued' in before ? before.continued : null;
  const previous = before !== undefined && 'previous' in before ? before.previous : null;
  const log =
    continued === null
      ? // A retried job keeps its good clips and its ledger also when its plan can no longer be checked.
        new JobLog(continueJob(emptyJob(identity), previous))
      : new JobLog({ ...continued.job, run_id: runId }, continued.events);
  const handlers = registerHandlers(log);
  let dispatcher: Dispatcher | null = null;
  const open = (job: JobState): Dispatcher => {
    const limits = job.checked.history_limits ?? HISTORY_LIMITS;
    const { seq } = log.job;
    // A run whose history is full from its beginning records an event first: otherwise runs would follow each other without end.
    dispatcher = new Dispatcher(job, () => log.job.seq > seq && isFull(limits));
    handlers.open(job, dispatcher);
    return dispatcher;
  };
  const run = async (job: JobState): Promise<Job> => {
    const running = open(job);
    return finish(log, running, () => runClips(plan, job, running));
  };

  try {
    if (continued !== null) return await run(new JobState(log, continued));
    const checked = await check(plan, log);
    const fresh = initialJob(checked.resolved, { ...identity, simulated: checked.simulated });
    log.open(continueJob(fresh, previous));
    start(log, plan, fresh, previous);
    const first = { checked, prepared: [], halt: null, batches: 0 };
    const clips = previous === null ? [] : cutOffIn(previous.clips);
    return await run(new JobState(log, { ...first, clips, retried: previous !== null }));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await (dispatcher as Dispatcher | null)?.cancel();
    await end(log, { type: 'job.canceled', error: problem('canceled', 'canceled on request') });
    throw error;
  }
}

function isFull({ events, bytes }: HistoryLimits): boolean {
  const { historyLength, historySize, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength >= events || historySize >= bytes;
}

/** Returns when every clip is over; where the history fills up before, the job continues in a new run. */
async function runClips(plan: Plan, job: JobState, dispatcher: Dispatcher): Promise<void> {
  if ((await dispatcher.run()) === 'idle') return;
  const { seq } = job.log.job;
  await keepLog.executeWithOptions({ summary: 'keep the log so far' }, [
    { seq, store: job.checked.store },
  ]);
  // Signals that came during the activity are in the log, and in the state that is carried.
  const continued = { ...job.carry(), job: job.log.job, events: job.log.after(seq) };
  await continueAsNew<typeof generateClipsWorkflow>(plan, { continued });
}

async function check(plan: Plan, log: JobLog): Promise<ResolvePlanResult> {
  try {
    // Also of a job that is canceled already: only the checked plan has the clips that are canceled with it.
    return await CancellationScope.nonCancellable(() =>
      resolvePlan(plan, new Date().toISOString()),
    );
  } catch (error) {
    // A local activity's failure comes as it is.
    const cause = error instanceof ApplicationFailure ? error : causeOf(error);
    if (cause === undefined) throw error;
    const { type, details } = cause instanceof ApplicationFailure ? cause : {};
    const refused = type === INVALID_PLAN ? 'invalid_plan' : 'internal';
    const kind = isFailureKind(type) ? type : refused;
    await end(log, { type: 'job.failed', error: problem(kind, cause.message) });
    // With the whole text, because people look at the failure of the workflow first.
    throw ApplicationFailure.create({
      type: type ?? kind,
      message: cause.message,
      nonRetryable: true,
      details: details ?? [],
    });
  }
}

function start(log: JobLog, plan: Plan, fresh: Job, previous: Job | null): void {
  const { job_id, run_id, total_clips, model, estimated_cost_usd } = fresh;
  log.record({ type: 'job.started', run_id, total_clips, model, estimated_cost_usd });
  for (const fact of retriedClips(fresh, previous)) log.record(fact);
  // This is the plan as submitted: null stands for a field that is absent.
  const asked = plan.job_id ?? job_id;
  if (asked !== job_id) {
    log.warn(`the plan says job_id "${asked}"; the workflow id "${job_id}" wins`);
  }
}

async function finish(
  log: JobLog,
  dispatcher: Dispatcher,
  work: () => Promise<void>,
): Promise<Job> {
  for (;;) {
    await work();
    const { successful_clips, total_clips, min_successful_clips } = log.job;
    if (successful_clips >= min_successful_clips) {
      await end(log, { type: 'job.completed', error: null }, () => dispatcher.isIdle);
    } else {
      const message = `expected at least ${String(min_successful_clips)} successful clips, got ${String(successful_clips)} of ${String(total_clips)}${firstReason(log.job)}`;
      await end(
        log,
        { type: 'job.failed', error: problem('insufficient_clips', message) },
        () => dispatcher.isIdle,
      );
    }
    // Not idle: a clip was asked for again while the archive was written.
    if (dispatcher.isIdle) break;
  }
  const job = log.snapshot();
  if (job.status === 'succeeded') return job;
  throw ApplicationFailure.create({
    type: 'InsufficientClips',
    message: job.error?.message ?? 'too few clips succeeded',
    nonRetryable: true,
    details: [job],
  });
}

function firstReason(job: Job): string {
  const error = job.clips.find(({ status }) => status === 'failed')?.error;
  return error == null ? '' : `; first failure: ${error.kind}: ${error.message}`;
}

/** The archive is written first, so that a reader who sees the last event finds it there. */
async function end(
  log: JobLog,
  ending: { type: 'job.completed' | 'job.failed' | 'job.canceled'; error: Job['error'] },
  isStillOver: () => boolean = () => true,
): Promise<void> {
  const terminal = { ...ending, ...costsOf(log.job) };
  const at = new Date().toISOString();
  const { seq } = log.job;
  await CancellationScope.nonCancellable(async () => {
    try {
      await archiveJob.executeWithOptions({ summary: 'keep the job and its log' }, [
        { terminal, at },
      ]);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
    }
  });
  // An event that came meanwhile (a warning) is not in the archive: it is written again.
  if (!isStillOver()) return;
  if (log.job.seq !== seq) {
    await end(log, ending, isStillOver);
    return;
  }
  log.record(terminal, at);
}
