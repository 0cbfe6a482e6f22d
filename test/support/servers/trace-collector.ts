import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { z } from 'zod';
import { createTracing } from '../../../src/adapters/opentelemetry/tracing.ts';

const Value = z.strictObject({
  stringValue: z.string().optional(),
  intValue: z.coerce.number().optional(),
  doubleValue: z.number().optional(),
  boolValue: z.boolean().optional(),
});
const Attributes = z
  .array(z.strictObject({ key: z.string(), value: Value }))
  .transform((list) =>
    Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]!] as const)),
  );
const Link = z.object({ traceId: z.string(), spanId: z.string() });
const Span = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: Attributes,
  links: z.array(Link).default([]),
  status: z.object({ code: z.int(), message: z.string().optional() }),
});
/** The request of OTLP/HTTP in JSON. */
const Request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ spans: z.array(Span) })),
    }),
  ),
});

export interface CollectedSpan extends z.output<typeof Span> {
  resource: z.output<typeof Attributes>;
}

/** The names of `SpanKind` in OTLP. */
export const KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };

/** A collector of traces over OTLP/HTTP, on a free port. It keeps everything that it is sent. */
export async function startTraceCollector() {
  const spans: CollectedSpan[] = [];
  const requests: { headers: IncomingMessage['headers']; body: string }[] = [];
  let behaviour: 'takes' | 'refuses' | 'says nothing' = 'takes';

  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (behaviour === 'says nothing') return;
      requests.push({ headers: request.headers, body });
      if (behaviour === 'refuses' || request.url !== '/v1/traces') {
        response.writeHead(400).end();
        return;
      }
      for (const { resource, scopeSpans } of Request.parse(JSON.parse(body)).resourceSpans)
        for (const scope of scopeSpans)
          spans.push(...scope.spans.map((span) => ({ ...span, resource: resource.attributes })));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    spansOf: (traceId: string) => spans.filter((span) => span.traceId === traceId),
    takes: () => void (behaviour = 'takes'),
    /** Answers every request with 400, which is final. */
    refuses: () => void (behaviour = 'refuses'),
    /** Accepts connections and never answers. */
    saysNothing: () => void (behaviour = 'says nothing'),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

export type TraceCollector = Awaited<ReturnType<typeof startTraceCollector>>;

type TracingOptions = Parameters<typeof createTracing>[0];

/** Opens tracing that sends every span to the collector, unless the options say otherwise. */
export const tracingTo = (
  { url }: { url: string },
  {
    settings,
    ...options
  }: Partial<Omit<TracingOptions, 'settings'>> & {
    settings?: Partial<TracingOptions['settings']>;
  } = {},
) =>
  createTracing({
    settings: {
      url: `${url}/v1/traces`,
      headers: {},
      serviceName: 'chat',
      sampler: 'parentbased_always_on',
      ratio: 1,
      ...settings,
    },
    service: { version: '1.2.3', instanceId: 'node-1' },
    onDropped: () => {},
    log: pino({ level: 'silent' }),
    ...options,
  });
