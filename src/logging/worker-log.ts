/**
 * The SDK's log as people read it: one line a message, on stderr, with what tells one clip from another. Stacks
 * only at debug; expected things (a failed attempt that is tried again) are no alarm.
 */
import { inspect } from 'node:util';
import { DefaultLogger } from '@temporalio/worker';
import type { LogLevel as SdkLevel } from '@temporalio/worker';
import type { LogLevel } from '../config.js';
import { manyLines, oneLine } from '../domain/values/foreign-text.js';

const LEVELS: Record<LogLevel, SdkLevel> = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'WARN',
  warn: 'WARN',
  error: 'ERROR',
};

/** Said at every start of the queue that has activities only: by design. */
const BY_DESIGN = 'No workflows registered, not polling for workflow tasks';

export function workerLogger(level: LogLevel): DefaultLogger {
  const isVerbose = level === 'debug' || level === 'trace';
  return new DefaultLogger(LEVELS[level], ({ level: severity, message, meta, timestampNanos }) => {
    if (message === BY_DESIGN) return;
    const time = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
    const subject = ['workflowId', 'activityId', 'attempt']
      .map((key): unknown => meta?.[key])
      .filter((value) => typeof value === 'string' || typeof value === 'number')
      .join(' ');
    const line = [time, severity, 'worker:', message, subject, reasonIn(meta?.['error'])]
      .filter((part) => part !== '')
      .join(' ');
    console.error(oneLine(line));
    if (isVerbose && meta !== undefined) console.error(manyLines(inspect(meta)));
  });
}

const reasonIn = (error: unknown): string =>
  error instanceof Error ? `(${error.name}: ${error.message.split('\n', 1)[0] ?? ''})` : '';
