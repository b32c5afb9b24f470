/** Temporal's protobuf answers as the port's plain values. Pure; it calls nothing. */
import { defaultPayloadConverter } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type {
  Continued,
  DownloadHeartbeat,
  Heartbeat,
  Previous,
} from '../../contract/activities.js';
import { isFailureKind, problem } from '../../domain/job/failures.js';
import type { FailureKind } from '../../domain/job/failures.js';
import type { Problem, JobSummary, Job } from '../../domain/job/job.schema.js';
import { STATUS_ATTRIBUTE } from '../../domain/job/visibility.js';
import type { Memo } from '../../domain/job/visibility.js';
import { WORKFLOW_TYPE } from '../../contract/workflow.js';
import type {
  RunEnd,
  PendingActivity,
  RecordedInput,
  RunningQuery,
  RunStatus,
  VisibleRun,
} from './jobs-port.js';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;
type Payloads = temporal.api.common.v1.IPayloads;
type Payload = temporal.api.common.v1.IPayload;
type Timestamp = { seconds?: unknown; nanos?: number | null } | null | undefined;

/** The SDK's names of states. A run that continued as new is never the job's latest. */
export const RUN_STATUS: Readonly<Record<string, RunStatus>> = {
  RUNNING: 'running',
  PAUSED: 'running',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'canceled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed_out',
};

const OURS = `WorkflowType = '${WORKFLOW_TYPE}'`;
const ENDS = "'Completed', 'Failed', 'Canceled', 'Terminated', 'TimedOut'";
/** Includes runs paused with Temporal's tools. A run that continued as new is no end of its job. */
export const RUNNING_QUERY = `${OURS} AND ExecutionStatus NOT IN (${ENDS}, 'ContinuedAsNew')`;
export const CLOSED_QUERY = `${OURS} AND ExecutionStatus IN (${ENDS})`;

/** Texts that need no quoting. Others are not part of a query; the list filters by them. */
const isPlain = (text: string): boolean => /^[\w ./:@-]+$/.test(text);

/** `hasAttributes`: does the server have the search attributes? Jobs without them are included (visibility.ts). */
export function runningQuery(
  { after, filter }: Omit<RunningQuery, 'limit'>,
  hasAttributes: boolean,
): string {
  const wanted = [
    ['ClipModel', filter.model],
    ['ClipStatus', filter.status],
    ['ClipLabels', filter.label],
  ] as const;
  const attributes = wanted.flatMap(([name, value]) =>
    hasAttributes && value !== null && isPlain(value)
      ? [`(${name} = '${value}' OR ${STATUS_ATTRIBUTE.name} IS NULL)`]
      : [],
  );
  const place = after === null ? [] : [`StartTime <= '${after.started_at}'`];
  return [RUNNING_QUERY, ...attributes, ...place].join(' AND ');
}

/** Fails on a server that lacks one of the search attributes. */
export const ATTRIBUTES_QUERY = `${RUNNING_QUERY} AND ClipModel = '-' AND ClipStatus = '-' AND ClipSimulated = true AND ClipLabels = '-'`;

/** Ids that can be part of a query; the others have to be looked up one by one. */
export function idsQuery(jobIds: readonly string[]): { query: string | null; others: string[] } {
  const plain = jobIds.filter(isPlain).map((id) => `'${id}'`);
  return {
    query: plain.length === 0 ? null : `${RUNNING_QUERY} AND WorkflowId IN (${plain.join(', ')})`,
    others: jobIds.filter((id) => !isPlain(id)),
  };
}

/** As the protocol numbers them. */
const STATUS_OF = new Map<unknown, RunStatus>([
  [2, 'completed'],
  [3, 'failed'],
  [4, 'canceled'],
  [5, 'terminated'],
  [7, 'timed_out'],
]);

export const visibleRun = (row: temporal.api.workflow.v1.IWorkflowExecutionInfo): VisibleRun => ({
  job_id: row.execution?.workflowId ?? '',
  run_id: row.execution?.runId ?? '',
  status: STATUS_OF.get(row.status) ?? 'running',
  started_at: exactly(row.startTime),
  closed_at: timeOf(row.closeTime),
  memo: () => memoOf(row.memo?.fields),
});

function memoOf(fields: Record<string, Payload> | null | undefined): Memo | null {
  const job = jsonOf(fields?.['job']) as Partial<JobSummary> | null;
  if (typeof job?.job_id !== 'string') return null;
  const beginnings = jsonOf(fields?.['beginnings']);
  return {
    job: { ...(job as JobSummary), labels: job.labels ?? [] },
    beginnings: Array.isArray(beginnings) ? beginnings.map(String) : [],
  };
}

/** To the nanosecond, as RFC 3339. */
function exactly(timestamp: Timestamp): string {
  const seconds = timeOf({ seconds: timestamp?.seconds ?? 0, nanos: 0 }) ?? '';
  return seconds.replace('.000Z', `.${String(timestamp?.nanos ?? 0).padStart(9, '0')}Z`);
}

export const timeOf = (timestamp: Timestamp): string | null =>
  timestamp?.seconds == null
    ? null
    : new Date(
        Number(timestamp.seconds) * 1000 + Math.floor((timestamp.nanos ?? 0) / 1e6),
      ).toISOString();

const decode = (payloads: Payloads | null | undefined, index: number): unknown =>
  jsonOf(payloads?.payloads?.[index]);

/** Null for a payload that is not plain JSON. */
function jsonOf(payload: Payload | undefined): unknown {
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
    last_error: row.lastFailure ? messageOf(row.lastFailure) : null,
    last_error_kind: kindOf(row.lastFailure?.applicationFailureInfo?.type),
    executions: row.attempt ?? 1,
    heartbeat: heartbeatOf(decode(row.heartbeatDetails, 0)),
    waits_for: waitOf(decode(row.heartbeatDetails, 0)),
  };
}

/** A failure that was encrypted has its message in a payload (payload-codec.ts). */
function messageOf({ message, encodedAttributes }: Failure): string | null {
  const encoded = encodedAttributes
    ? (jsonOf(encodedAttributes) as { message?: unknown } | null)?.message
    : null;
  return typeof encoded === 'string' ? encoded : (message ?? null);
}

const kindOf = (type: unknown): FailureKind | null => (isFailureKind(type) ? type : null);

const heartbeatOf = (value: unknown): Heartbeat | null =>
  typeof (value as Partial<Heartbeat> | null)?.attempt === 'number' ? (value as Heartbeat) : null;

function waitOf(value: unknown): string | null {
  const reason = (value as Partial<DownloadHeartbeat> | null)?.waits_for;
  return typeof reason === 'string' ? reason : null;
}

export function recordedInput(event: HistoryEvent | undefined): RecordedInput | null {
  const input = event?.workflowExecutionStartedEventAttributes?.input;
  if (!input) return null;
  const more = decode(input, 1) as Partial<Previous & Continued> | null;
  return {
    plan: decode(input, 0),
    previous: more?.previous ?? null,
    carried: more?.continued?.job ?? null,
  };
}

export function runEndOf(event: HistoryEvent | undefined): RunEnd | null {
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
function fromFailure(failure: Failure | null | undefined): RunEnd {
  for (let at = failure; at; at = at.cause) {
    const info = at.applicationFailureInfo;
    if (!info) continue;
    const type = info.type ?? '';
    const kind = KIND_OF_TYPE[type] ?? (isFailureKind(type) ? type : 'internal');
    return { job: jobOf(decode(info.details, 0)), error: problem(kind, messageOf(at) ?? type) };
  }
  return {
    job: null,
    error: problem('internal', (failure && messageOf(failure)) ?? 'the workflow failed'),
  };
}

const jobOf = (value: unknown): Job | null =>
  Array.isArray((value as Partial<Job> | null)?.clips) ? (value as Job) : null;
