/**
 * How a job follows from its events: `apply(job, event)`, the same function in the workflow, the API,
 * the command line and the page. Pure; it owns the derived figures (counts, percent, money) and nothing else.
 *
 * PROGRESS-1 seq grows by exactly one with every event.
 * PROGRESS-2 the job after an event depends on nothing but the job before it and the event.
 * PROGRESS-3 an event that this release does not know is numbered like any other and changes nothing else; fields that it does not
 *    know stay in the job and its clips (decision 55).
 */
import { compensationOf } from './compensation.js';
import { roundUsd } from '../values/decimal.js';
import type {
  Clip,
  ClipEventType,
  EventType,
  Job,
  JobEnd,
  JobEvent,
  JobFact,
  JobStatus,
  Prediction,
  Progress,
  TerminalEventType,
} from './job.schema.js';

/** A job keeps this many warnings, the newest; its events keep all. */
export const MAX_WARNINGS = 50;

/** Coarse and durable; finer figures while a clip renders are not events. */
const CLIP_PERCENT: Record<Clip['status'], number> = {
  queued: 0,
  running: 10,
  retrying: 10,
  storing: 90,
  succeeded: 100,
  failed: 100,
  canceled: 100,
};

type JobWarning = Extract<JobFact, { type: 'job.warning' }>;

const TERMINAL_STATUS: Record<TerminalEventType, JobStatus> = {
  'job.completed': 'succeeded',
  'job.failed': 'failed',
  'job.canceled': 'canceled',
};

const isTerminalEvent = (event: JobFact): event is Extract<JobFact, { type: TerminalEventType }> =>
  Object.hasOwn(TERMINAL_STATUS, event.type);

/** Does it carry a clip as it is from then on? That is all there is to fold, whatever a newer release calls the event. */
export const isClipEvent = (event: JobFact): event is Extract<JobFact, { type: ClipEventType }> =>
  event.type.startsWith('clip.') && 'clip' in event;

const KNOWN_EVENTS: Readonly<Record<EventType, true>> = {
  'job.started': true,
  'batch.started': true,
  'clip.started': true,
  'clip.submitted': true,
  'clip.retrying': true,
  'clip.storing': true,
  'clip.completed': true,
  'clip.failed': true,
  'clip.canceled': true,
  'job.paused': true,
  'job.resumed': true,
  'job.warning': true,
  'job.completed': true,
  'job.failed': true,
  'job.canceled': true,
};
export const EVENT_TYPES = Object.keys(KNOWN_EVENTS) as EventType[];

/** False for one that a newer release has added. */
export const isKnownEvent = ({ type }: JobFact): boolean => Object.hasOwn(KNOWN_EVENTS, type);

export const isOver = (status: JobStatus): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'canceled';

export const isClipOver = (status: Clip['status']): boolean =>
  status === 'succeeded' || status === 'failed' || status === 'canceled';

/** Is it its turn, or was it? Only a queued clip that waits for earlier clips is not started. */
export const isStarted = ({
  status,
  waits_for = 'turn',
}: Pick<Clip, 'status' | 'waits_for'>): boolean => status !== 'queued' || waits_for !== 'turn';

export const clipPercent = (status: Clip['status']): number => CLIP_PERCENT[status];

/** Predictions of a clip whose cost is not known: billed at an unknown price or for an unknown time, or not known to be billed. */
export const unknownCosts = ({
  status,
  predictions,
}: Pick<Clip, 'status' | 'predictions'>): number =>
  predictions.filter(
    ({ cost_usd, billed }) =>
      cost_usd === null && (billed === true || (billed === null && isClipOver(status))),
  ).length;

export const unknownCostsOf = (clips: Job['clips']): number =>
  clips.reduce((sum, clip) => sum + unknownCosts(clip), 0);

const progressOf = (job: Job): Progress => ({
  total: job.total_clips,
  succeeded: job.successful_clips,
  failed: job.failed_clips,
  canceled: job.canceled_clips,
  percent: job.percent,
});

/** The job with every derived figure recomputed from its clips: in one pass, for it is made after every fact. */
export function withTotals(job: Job): Job {
  let [succeeded, failed, canceled, percents, usd, unknown] = [0, 0, 0, 0, 0, 0];
  for (const clip of job.clips) {
    const { status, percent, cost_usd } = clip;
    if (status === 'succeeded') succeeded += 1;
    else if (status === 'failed') failed += 1;
    else if (status === 'canceled') canceled += 1;
    percents += percent;
    usd += cost_usd ?? 0;
    unknown += unknownCosts(clip);
  }
  return {
    ...job,
    successful_clips: succeeded,
    failed_clips: failed,
    canceled_clips: canceled,
    percent: job.clips.length === 0 ? 0 : Math.round((percents / job.clips.length) * 10) / 10,
    total_cost_usd: roundUsd(usd),
    unknown_costs: unknown,
  };
}

/** The costs in the event that ends a job. */
export const costsOf = ({
  total_cost_usd,
  unknown_costs,
}: Job): Pick<JobEnd, 'total_cost_usd' | 'unknown_costs'> => ({
  total_cost_usd,
  ...(unknown_costs > 0 ? { unknown_costs } : {}),
});

/** Folds one event into the job. An event that was folded before is ignored, so reading events twice is harmless. */
export function apply(job: Job, event: JobEvent): Job {
  if (event.seq <= job.seq) return job;
  return { ...applyFact(job, event, event.at), seq: event.seq };
}

/** The job after a fact that has no number yet; `record` numbers it. */
function applyFact(job: Job, fact: JobFact, at: string): Job {
  if (isClipEvent(fact)) {
    const place = job.clips.findIndex(({ clip_index }) => clip_index === fact.clip_index);
    const before = job.clips[place];
    if (before === undefined) return withTotals(job);
    const clip = { ...fact.clip, predictions: ledgerAfter(before, fact.clip) };
    return withTotals({ ...job, clips: job.clips.with(place, clip) });
  }
  if (isTerminalEvent(fact)) {
    return {
      ...job,
      status: TERMINAL_STATUS[fact.type],
      completed_at: at,
      error: fact.error,
      total_generation_time: job.started_at ? secondsBetween(job.started_at, at) : null,
      ...(job.clips.length === 0 ? {} : { compensation: compensationOf(job.clips) }),
    };
  }
  switch (fact.type) {
    case 'job.started':
      return {
        ...reopened(job),
        run_id: fact.run_id,
        total_clips: fact.total_clips,
        model: fact.model,
        estimated_cost_usd: fact.estimated_cost_usd,
        status: job.status === 'paused' ? 'paused' : 'running',
        started_at: job.started_at ?? at,
      };
    case 'job.paused':
      return { ...job, status: 'paused' };
    case 'job.resumed':
      return { ...job, status: 'running' };
    case 'job.warning':
      return {
        ...job,
        clips: withWait(job.clips, fact),
        warnings: [...job.warnings, fact.message].slice(-MAX_WARNINGS),
        warnings_total: job.warnings_total + 1,
        ...(fact.max_cost_usd === undefined ? {} : { max_cost_usd: fact.max_cost_usd }),
      };
    case 'batch.started':
    default:
      // PROGRESS-3
      return job;
  }
}

/** Predictions that an event carries although they have not changed: at most the newest 20. */
const MAX_UNCHANGED = 20;

/**
 * A clip as its event carries it: whole, except for older predictions that have not changed since. A clip that was retried
 * a hundred times would otherwise carry its whole history in each event.
 */
export function clipForEvent(before: Clip, after: Clip): Clip {
  const first = after.predictions.length - MAX_UNCHANGED;
  if (first <= 0) return after;
  const known = new Set(before.predictions);
  const predictions = after.predictions.filter((line, place) => place >= first || !known.has(line));
  return { ...after, predictions };
}

/** All predictions of a clip after an event: those that the event leaves out come first, unchanged. */
function ledgerAfter(before: Clip, { predictions }: Clip): Prediction[] {
  if (predictions.length < MAX_UNCHANGED) return predictions;
  const changed = new Map(predictions.map((line) => [line.id, line]));
  const first = predictions.length - MAX_UNCHANGED;
  const newest = new Set(predictions.slice(first).map(({ id }) => id));
  const kept = before.predictions.filter(({ id }) => !newest.has(id));
  return [...kept.map((line) => changed.get(line.id) ?? line), ...predictions.slice(first)];
}

/** The clips after a warning, which may say what one of them waits for. */
function withWait(clips: Clip[], { clip_index, waits_for }: JobWarning): Clip[] {
  const place = clips.findIndex((clip) => clip.clip_index === clip_index);
  const clip = clips[place];
  return waits_for === undefined || clip?.status !== 'queued'
    ? clips
    : clips.with(place, { ...clip, waits_for });
}

/** The job without the fields that only a finished job has. */
export function reopened({ compensation: _, ...job }: Job): Job {
  return { ...job, completed_at: null, error: null };
}

/** Numbers a fact: the event, and the job after it. */
export function record(job: Job, fact: JobFact, at: string): { job: Job; event: JobEvent } {
  const seq = job.seq + 1;
  const after = { ...applyFact(job, fact, at), seq };
  return {
    job: after,
    event: { job_id: job.job_id, seq, at, progress: progressOf(after), ...fact },
  };
}

export const secondsBetween = (from: string, to: string): number =>
  Math.round(Date.parse(to) - Date.parse(from)) / 1000;
