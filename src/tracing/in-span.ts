/**
 * A piece of work as a span.
 *
 * SPAN-1 A span has a parent that is still at work: loops and watches that a request or an activity has begun, and that outlive
 *    it, make no spans; nor does what belongs to a trace that is not sampled.
 */
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Span, Tracer } from '@opentelemetry/api';

interface Named {
  name: string;
  kind?: SpanKind;
  attributes?: Attributes;
}

/** `work` without a span is given null. */
export async function inSpan<Result>(
  tracer: Tracer,
  { name, kind = SpanKind.INTERNAL, attributes = {} }: Named,
  work: (span: Span | null) => Promise<Result>,
): Promise<Result> {
  if (trace.getActiveSpan()?.isRecording() !== true) return work(null); // SPAN-1
  const span = tracer.startSpan(name, { kind, attributes });
  try {
    return await context.with(trace.setSpan(context.active(), span), () => work(span));
  } catch (error) {
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
