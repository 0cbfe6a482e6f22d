import {
  asUuid,
  formatTraceparent,
  parseTraceparent,
  traceIdOf,
  traceOf,
} from '../../src/kit/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const UUID = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736';

describe('a traceparent', () => {
  test('names the trace, the span and whether it is sampled', () => {
    const sampled = { traceId: TRACE, spanId: SPAN, isSampled: true };
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual(sampled);
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)).toEqual({ ...sampled, isSampled: false });
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-03`)).toEqual(sampled);
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-the-future-adds`)).toEqual(sampled);
    expect(parseTraceparent(formatTraceparent(sampled))).toEqual(sampled);
  });

  test.each([
    undefined,
    7,
    '',
    TRACE,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-zz`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])('is ignored when it is malformed: %p', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  test('has the bytes of the correlation id', () => {
    expect(asUuid(TRACE)).toBe(UUID);
    expect(traceIdOf(UUID)).toBe(TRACE);
  });

  test('of an event is known when it was traced', () => {
    expect(traceOf({ correlationId: UUID })).toBeUndefined();
    expect(traceOf({ correlationId: UUID, trace: SPAN })).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      isSampled: true,
    });
  });
});
