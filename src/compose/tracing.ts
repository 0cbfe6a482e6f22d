import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Closers } from '../kit/closers.ts';
import { type Tracing, noTracing } from '../kit/tracing.ts';
import { newId } from '../kit/uuids.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';

/** Opens what traces go to. Without an endpoint nothing of OpenTelemetry is loaded. */
export async function openTracing(
  { traces: settings }: Config,
  log: Logger,
  open: Closers,
  { version, metrics }: { version: string; metrics: Pick<Metrics, 'traceSpansDropped'> },
): Promise<Tracing> {
  if (!settings) return noTracing;
  const { createTracing } = await import('../adapters/opentelemetry/tracing.ts');
  const service = { version, instanceId: newId() };
  const tracing = createTracing({ settings, service, onDropped: metrics.traceSpansDropped, log });
  open.add('traces', () => tracing.close());
  return tracing;
}
