/**
 * The audit of the users' requests: each accepted request has its effect, and no effect is without a request. Pure.
 *
 * AUDIT-REQUEST-1 An accepted signal is an event. Temporal stores it before the API answers, and completes no workflow
 *    that has not received it: it changed the job, or the job's log tells that it came too late.
 * AUDIT-REQUEST-2 What a job does after the answer, it does knowing of the request, which was in its history by then. All
 *    processes of a run share one machine's clock.
 */
import type { JobEvent } from '../src/domain/job/job.schema.js';
import { isAccepted, maxCarriedOut } from './requests.js';
import type { AnsweredRequest } from './evidence.js';
import { expectThat, finding } from './evidence.js';
import type { Finding, FinishedJob } from './evidence.js';
import { beginsRound, clipEventsOf } from './rounds.js';
import type { ClipEvent } from './rounds.js';

export const requestFindings = (evidence: FinishedJob): Finding[] => [
  ...evidence.answers.filter(isAccepted).flatMap((answered) => withoutEffect(evidence, answered)),
  ...unrequested(evidence),
  ...startedInPause(evidence),
];

function withoutEffect(evidence: FinishedJob, answered: AnsweredRequest): Finding[] {
  const { request, sent, status } = answered;
  return expectThat(
    hadEffect(evidence, answered),
    request.kind === 'cancel' || request.kind === 'cancel_clip' ? 'wrong_end' : 'lost',
    () =>
      `${evidence.job.job_id} accepted ${JSON.stringify(request)} (${String(status)} to request ${String(sent)}), without any effect`,
  );
}

function hadEffect(evidence: FinishedJob, answered: AnsweredRequest): boolean {
  const { request } = answered;
  switch (request.kind) {
    case 'cancel':
      return isJobCanceled(evidence, answered);
    case 'cancel_clip':
      return isClipCanceled(evidence, answered, request.clip_index);
    case 'pause':
      return evidence.log.some(
        (event) => event.type === 'job.paused' || isRejection(event, 'pause'),
      );
    case 'resume':
      return evidence.log.some(
        (event) => event.type === 'job.resumed' || isRejection(event, 'resume'),
      );
    case 'retry':
      return evidence.log.some((event) => beginsRound(event) || isRejection(event, 'retryClip'));
    case 'raise_cap':
      return evidence.log.some(
        (event) => event.type === 'job.warning' && event.max_cost_usd === request.max_cost_usd,
      );
  }
}

/** AUDIT-REQUEST-1: the workflow's warning of a signal that it rejected. */
const isRejection = (event: JobEvent, signal: string, expected = ''): boolean =>
  event.type === 'job.warning' &&
  event.message.startsWith(`signal ${signal}: expected ${expected}`);

/** The run that got the request was canceled, or had nothing left to cancel. */
function isJobCanceled(evidence: FinishedJob, answered: AnsweredRequest): boolean {
  const { log, answers } = evidence;
  const runs = runsOf(log);
  const begun = runs.findIndex(([first]) => first.run_id === answered.run_id);
  // The log does not show where a job continued as a new run by itself.
  const last =
    begun >= 0
      ? begun
      : runs.findLastIndex(([first]) => Date.parse(first.at) <= answered.answered_at);
  // During a retry either of two runs may have received it.
  const isBetween = answers.some(
    ({ request, asked_at, answered_at }) =>
      request.kind === 'retry' &&
      asked_at <= answered.answered_at &&
      answered_at >= answered.asked_at,
  );
  const first = isBetween ? Math.max(0, last - 1) : last;
  return (
    last >= 0 &&
    runs.slice(first, last + 1).some((run) => isCanceledOrFinished(evidence, answered, run))
  );
}

function isCanceledOrFinished(
  evidence: FinishedJob,
  answered: AnsweredRequest,
  run: readonly JobEvent[],
): boolean {
  const clips = clipEventsOf(run);
  if (run.some(({ type }) => type === 'job.canceled')) {
    return clips.every((event) => !isStoredAnyway(event, answered, run));
  }
  // The archive was being written; a clip canceled by its own request may have been the last step.
  return clips.every(
    ({ at, clip_index }) =>
      Date.parse(at) <= answered.answered_at || hasOwnCancel(evidence, clip_index),
  );
}

const hasOwnCancel = (evidence: FinishedJob, clipIndex: number): boolean =>
  maxCarriedOut(
    evidence,
    (request) => request.kind === 'cancel_clip' && request.clip_index === clipIndex,
  ) > 0;

function isClipCanceled(
  { log }: FinishedJob,
  answered: AnsweredRequest,
  clipIndex: number,
): boolean {
  const isItsEnd = (event: ClipEvent): boolean =>
    (event.type === 'clip.canceled' && event.clip.error?.kind === 'canceled') ||
    (event.type === 'clip.completed' && !isStoredAnyway(event, answered, log));
  return (
    log.some((event) => isRejection(event, 'cancelClip', `clip ${String(clipIndex)} `)) ||
    clipEventsOf(log).some((event) => event.clip_index === clipIndex && isItsEnd(event))
  );
}

/** A render that was being stored when the request came is kept; later, none is stored any more (AUDIT-REQUEST-2). */
function isStoredAnyway(
  event: ClipEvent,
  answered: AnsweredRequest,
  log: readonly JobEvent[],
): boolean {
  if (event.type !== 'clip.completed') return false;
  const storing = log.findLast(
    (other) => other.type === 'clip.storing' && other.clip_index === event.clip_index,
  );
  return storing !== undefined && Date.parse(storing.at) > answered.answered_at;
}

type Started = Extract<JobEvent, { type: 'job.started' }>;

/** The events of each run, beginning with its `job.started`. */
function runsOf(log: readonly JobEvent[]): [Started, ...JobEvent[]][] {
  const runs: [Started, ...JobEvent[]][] = [];
  for (const event of log) {
    if (event.type === 'job.started') runs.push([event]);
    else runs.at(-1)?.push(event);
  }
  return runs;
}

/** Each request pauses, or resumes, at most once. */
function unrequested(evidence: FinishedJob): Finding[] {
  const kinds = [
    ['pause', 'job.paused'],
    ['resume', 'job.resumed'],
  ] as const;
  return kinds.flatMap(([kind, type]) => {
    const told = evidence.log.filter((event) => event.type === type).length;
    const asked = maxCarriedOut(evidence, (request) => request.kind === kind);
    return expectThat(
      told <= asked,
      'disagreement',
      () =>
        `${evidence.job.job_id} says ${type} ${String(told)} times, requested ${String(asked)} times`,
    );
  });
}

/** Every run begins unpaused. */
function startedInPause({ job, log }: FinishedJob): Finding[] {
  let isPaused = false;
  return log.flatMap((event) => {
    if (event.type === 'job.paused') isPaused = true;
    if (event.type === 'job.resumed' || event.type === 'job.started') isPaused = false;
    if (event.type !== 'clip.started' || !isPaused) return [];
    const message = `${job.job_id} clip ${String(event.clip_index)} was started in a pause`;
    return finding('wrong_end', message);
  });
}
