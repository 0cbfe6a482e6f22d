import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import {
  ATTR_ERROR_TYPE,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { Logger } from 'pino';
import { within } from '../../kit/deadline.ts';
import { placeIn } from '../../kit/server-url.ts';
import { type TraceContext, traceIdOf } from '../../kit/trace-context.ts';
import type { Span, SpanOptions, Tracing } from '../../kit/tracing.ts';

export interface TracingSettings {
  /** The URL that takes traces over OTLP/HTTP. */
  url: string;
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  sampler: SamplerName;
  /** The share of traces that the samplers by ratio take. */
  ratio: number;
}

const ratioOf = (ratio: number) => new TraceIdRatioBasedSampler(ratio);

/** The samplers of `OTEL_TRACES_SAMPLER`. */
const samplers = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: ratioOf,
  parentbased_always_on: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  parentbased_always_off: () => new ParentBasedSampler({ root: new AlwaysOffSampler() }),
  parentbased_traceidratio: (ratio) => new ParentBasedSampler({ root: ratioOf(ratio) }),
} as const satisfies Record<string, (ratio: number) => Sampler>;
type SamplerName = keyof typeof samplers;

export interface TracingOptions {
  settings: TracingSettings;
  /** The program and the process. */
  service: { version: string; instanceId: string };
  /** Called with the number of spans that were lost. */
  onDropped: (count: number) => void;
  log: Logger;
  /** Time after which ended spans are sent. Default 1 s. */
  delayMs?: number;
  /** Number of ended spans that wait, or are on their way, at most. Default 4,096. */
  mostWaiting?: number;
}

export interface OpenTracing extends Tracing {
  /** Sends what is left. Resolves within 2 s, whatever the endpoint does. */
  close(): Promise<void>;
}

const DELAY_MS = 1_000;
const MOST_WAITING = 4_096;
const AT_ONCE = 512;
/** Time for one batch, with its repetitions. */
const EXPORT_MS = 5_000;
const CLOSE_MS = 2_000;

const kinds = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const satisfies Record<NonNullable<SpanOptions['kind']>, SpanKind>;

/** Gives the next trace the id that is asked for. */
class ChosenIds extends RandomIdGenerator {
  next: string | undefined;
  override generateTraceId = (): string => this.next!;
}

/** Returns the code of an error, or else its name: its message may contain what people wrote. */
function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

const spanContextOf = ({ traceId, spanId, isSampled }: TraceContext) => ({
  ...{ traceId, spanId, isRemote: true },
  traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
});

const contextOf = (parent: TraceContext | undefined): Context =>
  parent ? trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent)) : ROOT_CONTEXT;

function spanOf(span: OtelSpan): Span {
  const { traceId, spanId } = span.spanContext();
  return {
    context: { traceId, spanId, isSampled: true },
    set: (attributes) => void span.setAttributes(attributes),
    end(error) {
      if (error !== undefined)
        span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(ATTR_ERROR_TYPE, errorType(error));
      span.end();
    },
  };
}

/**
 * Starts tracing: ended spans are sent in the background over OTLP/HTTP. An endpoint that is slow or gone costs spans,
 * which are counted, and nothing else. Nothing global is set: only what is begun here is traced.
 */
export function createTracing({ settings, service, onDropped, log, ...limits }: TracingOptions): OpenTracing {
  const { delayMs = DELAY_MS, mostWaiting = MOST_WAITING } = limits;
  const { url, headers } = settings;
  const endpoint = placeIn(url);
  const exporter = new OTLPTraceExporter({ url, headers, timeoutMillis: EXPORT_MS });
  let waiting = 0;
  let isFailing = false;
  let closing: Promise<void> | undefined;

  function sent(spans: number, error: Error | undefined): void {
    waiting -= spans;
    if (error) onDropped(spans);
    if (error && !isFailing)
      log.warn({ err: error, endpoint }, 'spans cannot be sent; they are dropped and counted');
    if (!error && isFailing) log.info({ endpoint }, 'spans are sent again');
    isFailing = error !== undefined;
  }

  const counting: SpanExporter = {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        sent(spans.length, result.code === 0 ? undefined : (result.error ?? new Error('not accepted')));
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
  const batches = new BatchSpanProcessor({
    exporter: counting,
    scheduledDelayMillis: delayMs,
    maxQueueSize: mostWaiting,
    maxExportBatchSize: Math.min(AT_ONCE, mostWaiting),
    // Longer than the exporter's own, which reports what became of the batch.
    exportTimeoutMillis: 2 * EXPORT_MS,
  });
  /** Limits what waits together with what is on its way. */
  const bounded: SpanProcessor = {
    onStart: () => undefined,
    onEnd(span: ReadableSpan) {
      if (waiting >= mostWaiting) return onDropped(1);
      waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };

  const ids = new ChosenIds();
  const provider = new TracerProvider({
    sampler: samplers[settings.sampler](settings.ratio),
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: settings.serviceName,
      [ATTR_SERVICE_VERSION]: service.version,
      [ATTR_SERVICE_INSTANCE_ID]: service.instanceId,
    }),
    idGenerator: ids,
    spanProcessors: [bounded],
  });
  const tracer = provider.getTracer('slay-e-chatapp-backend', service.version);

  async function close(): Promise<void> {
    const flushed = provider.shutdown().then(
      () => true,
      () => false,
    );
    const isDone = await within<boolean>(flushed, CLOSE_MS, () => false);
    if (!isDone || waiting > 0) log.warn({ spans: waiting }, 'the last spans could not be sent');
  }

  return {
    isOn: true,
    begin(name, { parent, begins, links = [], kind = 'internal', attributes }) {
      if (!parent && begins === undefined) return undefined;
      if (begins !== undefined) ids.next = traceIdOf(begins);
      const span = tracer.startSpan(
        name,
        { kind: kinds[kind], attributes, links: links.map((link) => ({ context: spanContextOf(link) })) },
        contextOf(parent),
      );
      return span.isRecording() ? spanOf(span) : undefined;
    },
    close: () => (closing ??= close()),
  };
}
