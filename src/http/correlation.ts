import type { IncomingHttpHeaders } from 'node:http';
import { asUuid, parseTraceparent } from '../kit/trace-context.ts';

/** 32 hexadecimal digits, as proxies make them, or a UUID of any version. */
const ID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/;
/** Names nothing, as in events/ids.ts. */
const NAMELESS = /^(?:0+|f+)$/;

/** Returns the id that a caller has given to a request in a header; undefined for anything that is none. */
function idIn(header: string | string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header.toLowerCase() : '';
  const hex = text.replaceAll('-', '');
  return ID.test(text) && !NAMELESS.test(hex) ? asUuid(hex) : undefined;
}

/**
 * Returns the correlation id of a request: the caller's trace, or else the id that the caller or a proxy has given it, or
 * else undefined.
 */
export function correlationIdIn(headers: IncomingHttpHeaders): string | undefined {
  const trace = parseTraceparent(headers['traceparent']);
  return trace ? asUuid(trace.traceId) : (idIn(headers['x-request-id']) ?? idIn(headers['x-correlation-id']));
}
