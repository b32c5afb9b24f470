/**
 * The SDK's interceptors for clients and activities. Between the two a workflow hands the trace on by headers
 * (workflows/trace-headers.ts).
 *
 * TRACED-TEMPORAL-1 Of the calls of a client those are spans that change a job. Queries and reads are not: watched jobs are
 *    asked for every few seconds.
 * TRACED-TEMPORAL-2 Signals carry no trace: a workflow would not use it, and each would stand in history.
 */
import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import type { Attributes, Tracer } from '@opentelemetry/api';
import { ApplicationFailure } from '@temporalio/activity';
import type { Context } from '@temporalio/activity';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import { OpenTelemetryActivityInboundInterceptor } from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { namesOf, noteNames } from '../adapters/temporal/execution-names.js';
import { inSpan } from './in-span.js';

export function tracedClient(tracer: Tracer): WorkflowClientInterceptor {
  const sdk = new OpenTelemetryWorkflowClientInterceptor({ tracer });
  const asSpan = <Result>(name: string, jobId: string | undefined, work: () => Promise<Result>) =>
    inSpan(
      tracer,
      { name, kind: SpanKind.CLIENT, attributes: jobId === undefined ? {} : { job_id: jobId } },
      work,
    );
  return {
    // Also where the trace is not sampled: its activities have to know.
    startWithDetails: (input, next) =>
      trace.getActiveSpan() === undefined ? next(input) : sdk.startWithDetails(input, next),
    signal: (input, next) =>
      asSpan(`SignalWorkflow:${input.signalName}`, input.workflowExecution.workflowId, () =>
        next(input),
      ),
    cancel: (input, next) =>
      asSpan('CancelWorkflow', input.workflowExecution.workflowId, () => next(input)),
    terminate: (input, next) =>
      asSpan('TerminateWorkflow', input.workflowExecution.workflowId, () => next(input)),
  };
}

export const tracedActivities =
  (tracer: Tracer): ActivityInterceptorsFactory =>
  (activity) => {
    const sdk = new OpenTelemetryActivityInboundInterceptor(activity, { tracer });
    return {
      inbound: {
        execute: (input, next) =>
          context.with(ROOT_CONTEXT, () =>
            sdk.execute(input, async (given) => {
              const span = trace.getActiveSpan();
              if (span !== undefined) noteNames(activity, { trace_id: span.spanContext().traceId });
              try {
                return await next(given);
              } catch (error) {
                span?.setAttribute('error.type', typeOf(error));
                throw error;
              } finally {
                // Now more is known than at the beginning.
                span?.setAttributes(attributesOf(activity));
              }
            }),
          ),
      },
    };
  };

/** The kind of a failure, where it has one. */
const typeOf = (error: unknown): string =>
  (error instanceof ApplicationFailure ? error.type : null) ??
  (error instanceof Error ? error.name : typeof error);

function attributesOf(activity: Context): Attributes {
  const { clip_index, clip_attempt, prediction_id } = namesOf(activity);
  const { workflowExecution, attempt } = activity.info;
  return {
    job_id: workflowExecution?.workflowId,
    clip_index,
    attempt: clip_attempt,
    prediction_id,
    execution: attempt,
  };
}
