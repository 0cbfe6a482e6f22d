import { type TraceContext, traceOf } from './trace-context.ts';

/** The steps of a command and of what follows from it, see docs/traces.md. */
export type SpanName = 'command' | 'append' | 'projection' | 'push' | 'queue' | 'letter';
/** Names and values for operators: never what people wrote, addresses or tokens. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** The span that this one follows from. */
  parent?: TraceContext | undefined;
  /** The correlation id of a trace that begins here, used without a parent. Without either there is no span. */
  begins?: string | undefined;
  /** More spans that the work is for. */
  links?: readonly TraceContext[];
  kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  attributes: Attributes;
}

export interface Span {
  context: TraceContext;
  set(attributes: Attributes): void;
  /** Ends the span; with an error, as failed. Of an error only its code, or else its name, is recorded. */
  end(error?: unknown): void;
}

/** The port of traces. */
export interface Tracing {
  /** False when no span is ever begun. */
  isOn: boolean;
  /** Returns a span that has begun; undefined when it is not sampled. Never throws. */
  begin(name: SpanName, options: SpanOptions): Span | undefined;
}

export const noTracing: Tracing = { isOn: false, begin: () => undefined };

/** Runs the work in all of these spans. */
async function during<T>(spans: readonly Span[], work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    for (const span of spans) span.end();
    return result;
  } catch (error) {
    for (const span of spans) span.end(error);
    throw error;
  }
}

/** Runs the work in a span, which it gets unless the trace is not sampled. */
export function inSpan<T>(
  tracing: Tracing,
  name: SpanName,
  options: SpanOptions,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  const span = tracing.begin(name, options);
  return span ? during([span], () => work(span)) : work(undefined);
}

interface TracedEvent {
  metadata: { correlationId: string; trace?: string };
}

/** Runs work for several events, in a span of each that is traced. Events that `describe` returns nothing for have none. */
export function inSpanOfEach<E extends TracedEvent, T>(
  tracing: Tracing,
  name: SpanName,
  events: readonly E[],
  describe: (event: E) => Attributes | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!tracing.isOn) return work();
  const spans = events.flatMap((event) => {
    const parent = traceOf(event.metadata);
    const attributes = parent && describe(event);
    return (attributes && tracing.begin(name, { parent, attributes })) ?? [];
  });
  return spans.length === 0 ? work() : during(spans, work);
}
