/**
 * The door to tracing: null where OTEL_EXPORTER_OTLP_ENDPOINT is not set. OpenTelemetry is loaded where it is wanted
 * (settings/small-heap.ts).
 */
import type { Config } from '../config.js';
import type { Tracing } from './tracing-port.js';

export type { Tracing } from './tracing-port.js';

export async function startTracing(
  config: Pick<Config, 'otlp_endpoint' | 'replicate'>,
  part: 'api' | 'worker',
  log: (sentence: string) => void,
): Promise<Tracing | null> {
  const { otlp_endpoint: endpoint, replicate } = config;
  if (endpoint === null) return null;
  const { createTracing } = await import('./tracing.js');
  return createTracing({ endpoint, part, log, provider_url: replicate.base_url });
}
