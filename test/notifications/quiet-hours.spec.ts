import fc from 'fast-check';
import type { QuietHours } from '../../src/events/account.ts';
import { quietUntil } from '../../src/notifications/deliver/quiet-hours.ts';

const MINUTE_MS = 60_000;
/**
 * Time zones that change the clock at 2, at 1, at midnight, by half an hour, in the southern hemisphere, or
 * never.
 */
const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Atlantic/Azores',
  'Africa/Cairo',
  'America/Santiago',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'UTC',
];
/** Nights in which some of those zones change the clock. */
const CHANGES = [
  '2026-03-08',
  '2026-03-29',
  '2026-04-05',
  '2026-04-24',
  '2026-09-06',
  '2026-10-04',
  '2026-10-25',
  '2026-10-30',
  '2026-11-01',
];

const clocks = new Map(
  ZONES.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  ]),
);

/** Whether the local time is quiet, by comparing it as text. */
function showsQuiet({ start, end, timeZone }: QuietHours, at: number): boolean {
  const clock = clocks.get(timeZone)!.format(at);
  return start < end ? start <= clock && clock < end : start <= clock || clock < end;
}

/** Computes the expected result by checking the clock every minute. */
function byLooking(quietHours: QuietHours, now: Date): Date | undefined {
  let at = now.getTime();
  if (!showsQuiet(quietHours, at)) return undefined;
  for (at -= at % MINUTE_MS; showsQuiet(quietHours, at);) at += MINUTE_MS;
  return new Date(at);
}

const clockTime = fc
  .record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) })
  .map(({ hour, minute }) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
const nightTime = clockTime.filter((time) => time < '04:00');
const span = (time: fc.Arbitrary<string>) =>
  fc
    .record({ start: time, end: time, timeZone: fc.constantFrom(...ZONES) })
    .filter(({ start, end }) => start !== end);
const anyTime = fc
  .integer({ min: Date.UTC(2025, 0), max: Date.UTC(2030, 0) })
  .map((milliseconds) => new Date(milliseconds));
const nearChange = fc
  .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -12 * 60, max: 36 * 60 }))
  .map(([day, minutes]) => new Date(Date.parse(day) + minutes * MINUTE_MS));

const isAsLooked = (quietHours: QuietHours, now: Date) =>
  expect({ quietHours, now, until: quietUntil(quietHours, now) }).toStrictEqual({
    quietHours,
    now,
    until: byLooking(quietHours, now),
  });

const berlin = (start: string, end: string): QuietHours => ({ start, end, timeZone: 'Europe/Berlin' });
const until = (quietHours: QuietHours | null, now: string) =>
  quietUntil(quietHours, new Date(now))?.toISOString();

describe('quiet hours', () => {
  test('never apply when there are none', () => expect(until(null, '2026-01-01T03:00:00Z')).toBeUndefined());

  test("last from their start up to their end on the user's clock", () => {
    const lunch = berlin('12:00', '13:30');
    expect(until(lunch, '2026-01-01T10:59:59.999Z')).toBeUndefined();
    expect(until(lunch, '2026-01-01T11:00:00.000Z')).toBe('2026-01-01T12:30:00.000Z');
    expect(until(lunch, '2026-01-01T12:29:59.999Z')).toBe('2026-01-01T12:30:00.000Z');
    expect(until(lunch, '2026-01-01T12:30:00.000Z')).toBeUndefined();
    expect(until(lunch, '2026-07-01T11:00:00.000Z')).toBe('2026-07-01T11:30:00.000Z');
  });

  test('may span midnight', () => {
    const night = berlin('22:00', '07:00');
    expect(until(night, '2026-01-01T20:59:00Z')).toBeUndefined();
    expect(until(night, '2026-01-01T21:00:00Z')).toBe('2026-01-02T06:00:00.000Z');
    expect(until(night, '2026-01-01T23:30:00Z')).toBe('2026-01-02T06:00:00.000Z');
    expect(until(night, '2026-01-02T06:00:00Z')).toBeUndefined();
  });

  test('are an hour shorter in the night of the change to summer time', () =>
    expect(until(berlin('22:00', '07:00'), '2026-03-28T22:00:00Z')).toBe('2026-03-29T05:00:00.000Z'));

  test('end at the change to summer time when it skips their end', () =>
    expect(until(berlin('22:00', '02:30'), '2026-03-29T00:59:00Z')).toBe('2026-03-29T01:00:00.000Z'));

  test('repeat when the clock is set back into them', () => {
    const early = berlin('01:00', '02:30');
    expect(until(early, '2026-10-25T00:10:00Z')).toBe('2026-10-25T00:30:00.000Z');
    expect(until(early, '2026-10-25T00:40:00Z')).toBeUndefined();
    expect(until(early, '2026-10-25T01:10:00Z')).toBe('2026-10-25T01:30:00.000Z');
  });

  test('match a check of the clock every minute', () =>
    fc.assert(fc.property(span(clockTime), anyTime, isAsLooked), { numRuns: 300 }));

  test('match that check in nights of clock changes, too', () =>
    fc.assert(fc.property(span(fc.oneof(clockTime, nightTime)), nearChange, isAsLooked), { numRuns: 500 }));
});
