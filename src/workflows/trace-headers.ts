/**
 * Hands the trace that a job was started in on to its activities and to its next run, by the headers that Temporal keeps in
 * history. Spans are made outside workflows (decision 61).
 *
 * TRACE-1 A workflow takes the same steps with and without a trace: each interceptor calls `next` at once, and all it changes
 *    are headers, which replays do not compare.
 */
import { defaultPayloadConverter } from '@temporalio/workflow';
import type { Headers, WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Of the SDK's OpenTelemetry interceptors, which write it in clients and read it in activities. */
const TRACE_HEADER = '_tracer-data';

export const interceptors: WorkflowInterceptorsFactory = () => {
  /** Empty where the job was started without a trace. */
  let trace: Headers = {};
  let trace_id: string | undefined;
  const withTrace = <Input extends { headers: Headers }>(input: Input): Input => ({
    ...input,
    headers: { ...input.headers, ...trace },
  });
  return {
    inbound: [
      {
        execute(input, next) {
          const header = input.headers[TRACE_HEADER];
          trace_id = header === undefined ? undefined : traceIdOf(header);
          if (header !== undefined && trace_id !== undefined) trace = { [TRACE_HEADER]: header };
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(withTrace(input)),
        scheduleLocalActivity: (input, next) => next(withTrace(input)),
        continueAsNew: (input, next) => next(withTrace(input)),
        getLogAttributes: (input, next) =>
          next(trace_id === undefined ? input : { ...input, trace_id }),
      },
    ],
  };
};

/** The second part of a `traceparent` (W3C Trace Context, 3.2). Undefined: a header that no activity could read either. */
function traceIdOf(header: Headers[string]): string | undefined {
  try {
    const carrier = defaultPayloadConverter.fromPayload<{ traceparent?: unknown } | null>(header);
    const [, id] = String(carrier?.traceparent).split('-');
    return id;
  } catch {
    return undefined;
  }
}
