/**
 * The log of Temporal's SDK, as entries of ours: what names a clip becomes fields, expected things (a failed attempt that is
 * tried again) are no alarm, and stacks and all other attributes are there at debug only.
 */
import { DefaultLogger } from '@temporalio/worker';
import type { LogLevel as SdkLevel, LogMetadata } from '@temporalio/worker';
import type { LogLevel } from '../config.js';
import { clipOfActivity } from '../contract/activity-ids.js';
import { createLogger } from './logger.js';

/** The SDK's info is about every task, which is our debug. */
const SDK_LEVEL: Record<LogLevel, SdkLevel> = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'WARN',
  warn: 'WARN',
  error: 'ERROR',
};

const LEVEL = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const satisfies Record<SdkLevel, LogLevel>;

/** The SDK warns of it at every start of a queue that has activities only, as ours do by design. */
const EXPECTED = 'No workflows registered, not polling for workflow tasks';

export function workerLogger(level: LogLevel): DefaultLogger {
  const log = createLogger({ name: 'worker', level });
  const isVerbose = level === 'debug' || level === 'trace';
  return new DefaultLogger(SDK_LEVEL[level], ({ level: severity, message, meta = {} }) => {
    if (message === EXPECTED) return;
    const { error, ...attributes }: Record<string, unknown> = meta;
    const details = isVerbose ? { ...attributes, err: error } : { reason: reasonOf(error) };
    log[LEVEL[severity]]({ ...details, ...fieldsOf(meta) }, message);
  });
}

/** `execution` is Temporal's count; an attempt of ours may take several. Names: adapters/temporal/execution-names.ts. */
const fieldsOf = ({
  workflowId,
  activityId,
  attempt,
  clip_index,
  clip_attempt,
  prediction_id,
  trace_id,
}: LogMetadata) => ({
  job_id: workflowId as unknown,
  clip_index: (clip_index as unknown) ?? clipOfActivity(String(activityId))?.clip_index,
  attempt: clip_attempt as unknown,
  prediction_id: prediction_id as unknown,
  trace_id: trace_id as unknown,
  activity: activityId as unknown,
  execution: attempt as unknown,
});

const reasonOf = (error: unknown): string | undefined =>
  error instanceof Error ? `${error.name}: ${error.message.split('\n', 1)[0] ?? ''}` : undefined;
