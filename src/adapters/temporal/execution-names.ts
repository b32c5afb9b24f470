/**
 * What names an execution of an activity in log lines and spans, besides what Temporal knows of it: the clip, our attempt, the
 * prediction and the trace. The worker's interceptor learns it from the input; what an execution learns later it notes itself.
 */
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Context } from '@temporalio/activity';
import { clipOfActivity } from '../../contract/activity-ids.js';
import { asObject } from '../replicate/parse-prediction.js';

export interface ExecutionNames {
  clip_index?: number;
  /** Ours: Temporal's `attempt` counts executions. */
  clip_attempt?: number;
  prediction_id?: string;
  trace_id?: string;
}

const names = new WeakMap<Context, ExecutionNames>();

export const namesOf = (context: Context): ExecutionNames => names.get(context) ?? {};

export function noteNames(context: Context, more: ExecutionNames): void {
  names.set(context, { ...names.get(context), ...more });
}

/** For every worker: attributes of each line that the SDK or an activity logs of an execution. */
export const nameExecutions: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    execute(input, next) {
      noteNames(context, inInput(context, input.args[0]));
      return next(input);
    },
  },
  outbound: {
    getLogAttributes: (attributes, next) => next({ ...attributes, ...namesOf(context) }),
  },
});

/** Inputs of other releases are read as far as they are understood. */
function inInput({ info }: Context, input: unknown): ExecutionNames {
  const given = asObject(input) ?? {};
  const line = asObject(given['prediction']) ?? {};
  const failed = numberOf(given['failed_attempts']);
  const id = [given['prediction_id'], line['id'], given['resume']].find(isText);
  const clip = numberOf(given['clip_index']) ?? clipOfActivity(info.activityId)?.clip_index;
  const attempt =
    numberOf(given['attempt']) ??
    numberOf(line['attempt']) ??
    (failed === undefined ? undefined : failed + 1);
  return {
    ...(clip === undefined ? {} : { clip_index: clip }),
    ...(attempt === undefined ? {} : { clip_attempt: attempt }),
    ...(id === undefined ? {} : { prediction_id: id }),
  };
}

const isText = (value: unknown): value is string => typeof value === 'string';
const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : undefined;
