/** Temporal's protobuf answers as the port's plain values. Pure; it calls nothing. */
import { defaultPayloadConverter } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { DownloadHeartbeat, Heartbeat } from '../domain/activity.js';
import { isFailureKind, problem } from '../domain/failures.js';
import type { FailureKind, Problem } from '../domain/failures.js';
import type { Job, JobStatus } from '../domain/job.js';
import { WORKFLOW_TYPE } from '../workflows/contract.js';
import type { Closing, PendingActivity, RecordedInput, RunStatus } from './jobs-port.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;
type Payloads = temporal.api.common.v1.IPayloads;
type Timestamp = { seconds?: unknown; nanos?: number | null } | null | undefined;

/** The SDK's names of states; a run that was continued is no longer the job's latest. */
export const RUN_STATUS: Readonly<Record<string, RunStatus>> = {
  RUNNING: 'running',
  PAUSED: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'canceled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
};

/** How visibility tells jobs apart; finer differences are the snapshot's. */
const STATUS_QUERY: Readonly<Record<JobStatus, string>> = {
  queued: "ExecutionStatus = 'Running'",
  running: "ExecutionStatus = 'Running'",
  paused: "ExecutionStatus = 'Running'",
  succeeded: "ExecutionStatus = 'Completed'",
  failed: "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut')",
  canceled: "ExecutionStatus = 'Canceled'",
};

export const listQuery = (status: JobStatus | null): string =>
  `WorkflowType = '${WORKFLOW_TYPE}'${status === null ? '' : ` AND ${STATUS_QUERY[status]}`}`;

/** Null where there is nothing to ask. Ids that would need quoting are left out: ask for those by themselves. */
export function idsQuery(jobIds: readonly string[]): string | null {
  const plain = jobIds.filter((id) => /^[A-Za-z0-9_-]+$/.test(id)).map((id) => `'${id}'`);
  return plain.length === 0 ? null : `${listQuery(null)} AND WorkflowId IN (${plain.join(', ')})`;
}

export const timeOf = (timestamp: Timestamp): string | null =>
  timestamp?.seconds == null
    ? null
    : new Date(
        Number(timestamp.seconds) * 1000 + Math.floor((timestamp.nanos ?? 0) / 1e6),
      ).toISOString();

/** Null for anything that is not JSON of ours. */
function decode(payloads: Payloads | null | undefined, index: number): unknown {
  const payload = payloads?.payloads?.[index];
  if (payload === undefined) return null;
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return null;
  }
}

const SCHEDULED = 1;

export function pendingActivity(
  row: temporal.api.workflow.v1.IPendingActivityInfo,
): PendingActivity {
  return {
    activity_id: row.activityId ?? '',
    state: row.state === SCHEDULED ? 'scheduled' : 'started',
    next_attempt_at: timeOf(row.nextAttemptScheduleTime),
    last_started_at: timeOf(row.lastStartedTime),
    last_error: row.lastFailure?.message ?? null,
    last_error_kind: kindOf(row.lastFailure?.applicationFailureInfo?.type),
    executions: row.attempt ?? 1,
    heartbeat: heartbeatOf(decode(row.heartbeatDetails, 0)),
    waits_for: waitOf(decode(row.heartbeatDetails, 0)),
  };
}

const kindOf = (type: unknown): FailureKind | null => (isFailureKind(type) ? type : null);

const heartbeatOf = (value: unknown): Heartbeat | null =>
  typeof (value as Partial<Heartbeat> | null)?.attempt === 'number' ? (value as Heartbeat) : null;

function waitOf(value: unknown): string | null {
  const told = (value as Partial<DownloadHeartbeat> | null)?.waits_for;
  return typeof told === 'string' ? told : null;
}

export function recordedInput(event: HistoryEvent | undefined): RecordedInput | null {
  const input = event?.workflowExecutionStartedEventAttributes?.input;
  if (!input) return null;
  const more = decode(input, 1) as { previous?: Job } | null;
  return { plan: decode(input, 0), previous: more?.previous ?? null };
}

export function closingOf(event: HistoryEvent | undefined): Closing | null {
  if (!event) return null;
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed) return { job: jobOf(decode(completed.result, 0)), error: null };
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed) return fromFailure(failed.failure);
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated) {
    const reason = terminated.reason ? `: ${terminated.reason}` : '';
    return { job: null, error: problem('internal', `the workflow was terminated${reason}`) };
  }
  if (event.workflowExecutionTimedOutEventAttributes) {
    return { job: null, error: problem('internal', 'the workflow ran into its time-out') };
  }
  const canceled = event.workflowExecutionCanceledEventAttributes;
  if (canceled) {
    const job = jobOf(decode(canceled.details, 0));
    return { job, error: problem('canceled', 'the job was canceled') };
  }
  return null;
}

const KIND_OF_TYPE: Readonly<Record<string, Problem['kind']>> = {
  InvalidPlan: 'invalid_plan',
  InsufficientClips: 'insufficient_clips',
};

/** The failure that says most is the innermost that an application made. */
function fromFailure(failure: Failure | null | undefined): Closing {
  for (let at = failure; at; at = at.cause) {
    const info = at.applicationFailureInfo;
    if (!info) continue;
    const type = info.type ?? '';
    const kind = KIND_OF_TYPE[type] ?? (isFailureKind(type) ? type : 'internal');
    return { job: jobOf(decode(info.details, 0)), error: problem(kind, at.message ?? type) };
  }
  return { job: null, error: problem('internal', failure?.message ?? 'the workflow failed') };
}

const jobOf = (value: unknown): Job | null =>
  Array.isArray((value as Partial<Job> | null)?.clips) ? (value as Job) : null;
