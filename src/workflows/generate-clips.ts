/**
 * The job: a plan goes in; clips are dispatched, in batches or in a window, and the job ends truthfully.
 * Handlers first, then a short main. Everything it decides with is in the log, the queue and the budget.
 *
 * G6 A plan is refused whole before anything is paid; enough good clips make a success, and failed ones are reported.
 */
import {
  ApplicationFailure,
  ActivityFailure,
  CancellationScope,
  isCancellation,
  patched,
  workflowInfo,
} from '@temporalio/workflow';
import type { Previous, ResolvePlanResult } from '../domain/activity.js';
import { clipsAgain, continueJob } from '../domain/continue-job.js';
import { INVALID_PLAN, isFailureKind, problem } from '../domain/failure-kinds.js';
import { emptyJob, initialJob } from '../domain/initial-job.js';
import type { Job } from '../domain/job.js';
import type { Plan } from '../domain/plan.schema.js';
import { costsOf } from '../domain/progress.js';
import { archiveJob, resolvePlan } from './activities.js';
import { causeOf } from './activity-failure.js';
import * as contract from './contract.js';
import { Dispatcher } from './dispatcher.js';
import { JobLog } from './job-log.js';
import { LeftBehind } from './left-behind.js';
import { handleMessages } from './messages.js';

export async function generateClipsWorkflow(plan: Plan, previous?: Previous): Promise<Job> {
  const { workflowId, runId, startTime, taskQueue } = workflowInfo();
  const identity = {
    job_id: workflowId,
    run_id: runId,
    created_at: startTime.toISOString(),
    simulated: false,
  };
  // A plan that can't be checked now must not cost a retried job its good clips and its ledger.
  const log = new JobLog(continueJob(emptyJob(identity), previous?.previous ?? null));
  let dispatcher: Dispatcher | null = null;
  const early: ((dispatcher: Dispatcher) => void)[] = [];
  handleMessages(
    log,
    () => dispatcher,
    (act) => {
      if (dispatcher === null) early.push(act);
      else act(dispatcher);
    },
  );

  try {
    const checked = await check(plan, log);
    const fresh = initialJob(checked.resolved, { ...identity, simulated: checked.simulated });
    log.open(continueJob(fresh, previous?.previous ?? null));
    start(log, plan, fresh, previous?.previous ?? null);
    const paidTaskQueue = contract.paidTaskQueue(taskQueue);
    // Retried jobs that began before this was known go on as they began.
    const before = previous !== undefined && patched('left-behind') ? previous.previous : null;
    const left = new LeftBehind(before, checked.resolved.clip_timeout);
    dispatcher = new Dispatcher(checked, log, paidTaskQueue, left);
    for (const act of early) act(dispatcher);
    await dispatcher.run();
    return await finish(log, dispatcher);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    await dispatcher?.cancel();
    await end(log, { type: 'job.canceled', error: problem('canceled', 'canceled on request') });
    throw error;
  }
}

async function check(plan: Plan, log: JobLog): Promise<ResolvePlanResult> {
  try {
    // Even of a job that is canceled already: only the checked plan says which clips are canceled with it.
    return await CancellationScope.nonCancellable(() => resolvePlan(plan));
  } catch (error) {
    const cause = causeOf(error);
    if (cause === undefined) throw error;
    const { type, details } = cause instanceof ApplicationFailure ? cause : {};
    const refused = type === INVALID_PLAN ? 'invalid_plan' : 'internal';
    const kind = isFailureKind(type) ? type : refused;
    await end(log, { type: 'job.failed', error: problem(kind, cause.message) });
    // The whole text belongs to the failure of the workflow itself, where people look first.
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
  for (const fact of clipsAgain(fresh, previous)) log.record(fact);
  // The plan here is as it was written, and null there is the same as nothing.
  const asked = plan.job_id ?? job_id;
  if (asked !== job_id) {
    log.warn(`the plan says job_id "${asked}"; the workflow id "${job_id}" wins`);
  }
}

async function finish(log: JobLog, dispatcher: Dispatcher): Promise<Job> {
  for (;;) {
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
    if (dispatcher.isIdle) break;
    // A clip was asked for again while the archive was being written.
    await dispatcher.run();
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

/** The archive is written first, so that whoever sees the last event finds it there. */
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
  // Events that came meanwhile (a warning) are not in the archive; the next loop writes it again.
  if (!isStillOver()) return;
  if (log.job.seq !== seq) {
    await end(log, ending, isStillOver);
    return;
  }
  log.record(terminal, at);
}
