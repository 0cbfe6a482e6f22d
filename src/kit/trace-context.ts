/** The place of a span in a trace, as W3C Trace Context carries it between programs. */
export interface TraceContext {
  /** 32 hexadecimal digits: the bytes of the correlation id. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  isSampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
const SAMPLED = 1;

/** Returns the context in a `traceparent`; undefined for anything else, which is to be ignored (W3C Trace Context §3.2). */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  const [, version, traceId, spanId, flags, more] =
    TRACEPARENT.exec(typeof text === 'string' ? text : '') ?? [];
  if (traceId === undefined || spanId === undefined || ZEROS.test(traceId) || ZEROS.test(spanId))
    return undefined;
  // Later versions may add fields.
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

export const formatTraceparent = ({ traceId, spanId, isSampled }: TraceContext): string =>
  `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;

/** Returns the trace that has the bytes of a correlation id. */
export const traceIdOf = (correlationId: string): string => correlationId.replaceAll('-', '').toLowerCase();

/** Returns 32 hexadecimal digits in the form of a UUID, which need not have a version of RFC 9562. */
export const asUuid = (hex: string): string =>
  hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

/** The part of an event's metadata that tells its trace. */
interface Traced {
  correlationId: string;
  trace?: string | undefined;
}

/** Returns the context of the span that appended an event; undefined when that was not traced. */
export const traceOf = ({ correlationId, trace }: Traced): TraceContext | undefined =>
  trace === undefined ? undefined : { traceId: traceIdOf(correlationId), spanId: trace, isSampled: true };
