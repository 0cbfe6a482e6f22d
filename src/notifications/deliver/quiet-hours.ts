import { IANAZone } from 'luxon';
import type { QuietHours } from '../../events/account.ts';

const MINUTE_MS = 60_000;
const DAY = 1_440;

const minuteOfDay = (clockTime: string): number =>
  Number(clockTime.slice(0, 2)) * 60 + Number(clockTime.slice(3));

/**
 * Returns the end of the quiet span that contains `now`; undefined outside a quiet span. It is quiet while
 * the user's local time is from `start` up to `end`, which may span midnight. So a span whose end is skipped
 * in spring ends when the clock is put forward, and a span that the clock is put back into in autumn is quiet
 * a second time.
 */
export function quietUntil(quietHours: QuietHours | null, now: Date): Date | undefined {
  if (!quietHours) return undefined;
  const zone = IANAZone.create(quietHours.timeZone);
  const start = minuteOfDay(quietHours.start);
  const end = minuteOfDay(quietHours.end);
  // Times are in whole minutes since 1970, because clocks are put forward and back at whole minutes.
  const offset = (minute: number) => zone.offset(minute * MINUTE_MS);
  const isQuiet = (minute: number): boolean => {
    const clock = (minute + offset(minute)) % DAY;
    return start < end ? start <= clock && clock < end : start <= clock || clock < end;
  };

  let minute = Math.floor(now.getTime() / MINUTE_MS);
  if (!isQuiet(minute)) return undefined;
  for (;;) {
    const clock = (minute + offset(minute)) % DAY;
    const straight = minute + ((end - clock + DAY) % DAY);
    const changed = clockChange(offset, minute, straight);
    minute = changed ?? straight;
    if (!isQuiet(minute)) return new Date(minute * MINUTE_MS);
  }
}

/**
 * Returns the first minute whose offset differs from that of `from`; undefined when `from` and `to`, at most
 * a day later, have the same offset.
 */
function clockChange(offset: (minute: number) => number, from: number, to: number): number | undefined {
  if (offset(from) === offset(to)) return undefined;
  let before = from;
  let after = to;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offset(middle) === offset(from)) before = middle;
    else after = middle;
  }
  return after;
}
