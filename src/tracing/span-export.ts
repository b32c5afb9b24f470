/**
 * Sends spans to the collector, by the exporter and the settings of the OpenTelemetry SDK. It batches and drops; nothing waits
 * for it.
 *
 * EXPORT-1 Messages and stacks of errors stay here: a provider's words may repeat a prompt. Their type is sent.
 * EXPORT-2 A collector that does not answer is told of once, until it answers again. Spans that do not fit the queue are lost.
 * EXPORT-3 A stop waits FLUSH_MS at most.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attributes, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import type { IResource } from '@opentelemetry/resources';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { errorMessage } from '../domain/values/error-message.js';

export interface ExportSettings {
  /** Without `/v1/traces`. */
  endpoint: string;
  part: 'api' | 'worker';
  log: (sentence: string) => void;
}

const FLUSH_MS = 1_500;
/** Characters of an attribute: a job's id may have a thousand. */
const LONGEST = 1_024;

export function startExport({ endpoint, part, log }: ExportSettings): {
  tracer: Tracer;
  close: () => Promise<void>;
} {
  const exporter = reporting(new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }), {
    part,
    host: new URL(endpoint).host,
    log,
  });
  const provider = new NodeTracerProvider({
    resource: resourceOf(part),
    spanLimits: { attributeValueLengthLimit: LONGEST },
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  // The context and the `traceparent` of the process; a second part of it finds them in place.
  provider.register();
  return {
    tracer: provider.getTracer('clip-generator'),
    async close() {
      const closed = new AbortController();
      const late = sleep(FLUSH_MS, undefined, { ref: false, signal: closed.signal });
      const flushed = provider.shutdown().then(() => exporter.sent());
      await Promise.race([flushed, late]).catch(() => undefined);
      closed.abort();
    },
  };
}

/** What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes first. */
const resourceOf = (part: string): IResource =>
  new Resource({
    'service.name': `clip-generator-${part}`,
    'service.instance.id': `${String(process.pid)}@${hostname()}`,
  }).merge(detectResourcesSync({ detectors: [envDetectorSync] }));

interface Report {
  part: string;
  host: string;
  log: (sentence: string) => void;
}

interface Reporting extends SpanExporter {
  /** Resolves when no batch is on its way. */
  sent(): Promise<void>;
}

function reporting(exporter: SpanExporter, { part, host, log }: Report): Reporting {
  const underWay = new Set<Promise<void>>();
  let isAway = false;
  return {
    export(spans, done) {
      const sending = new Promise<void>((resolve) => {
        exporter.export(spans.map(withoutTexts), (result) => {
          const hasFailed = result.error !== undefined;
          if (hasFailed && !isAway) {
            log(
              `${part}: traces cannot be sent to ${host} (${errorMessage(result.error)}); everything else continues`,
            );
          }
          isAway = hasFailed; // EXPORT-2
          done(result);
          resolve();
        });
      });
      underWay.add(sending);
      void sending.then(() => underWay.delete(sending));
    },
    async sent() {
      await Promise.all(underWay);
    },
    shutdown: () => exporter.shutdown(),
  };
}

/** EXPORT-1 */
const withoutTexts = (span: ReadableSpan): ReadableSpan =>
  Object.create(span, {
    status: { value: { code: span.status.code } },
    events: {
      value: span.events.map((event) => ({ ...event, attributes: typeIn(event.attributes) })),
    },
  }) as ReadableSpan;

const typeIn = (attributes: Attributes = {}): Attributes =>
  'exception.type' in attributes ? { 'exception.type': attributes['exception.type'] } : {};
