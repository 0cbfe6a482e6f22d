import { words } from '../words.ts';

const DAY_MS = 86_400_000;
const time = new Intl.DateTimeFormat(words.language, { timeStyle: 'short' });
const date = new Intl.DateTimeFormat(words.language, { dateStyle: 'medium' });
const both = new Intl.DateTimeFormat(words.language, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(words.language, { dateStyle: 'full' });
/** To the millisecond, as the log has it. */
const exact = new Intl.DateTimeFormat(words.language, {
  ...{ year: 'numeric', month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' },
  ...{ second: '2-digit', fractionalSecondDigits: 3 },
});

/** Returns the time alone for today, the date for what is older. */
export function shortly(at: string): string {
  const when = new Date(at);
  const isToday = Date.now() - when.getTime() < DAY_MS && when.getDate() === new Date().getDate();
  return (isToday ? time : date).format(when);
}

export const dayOf = (at: string): string => day.format(new Date(at));
export const fully = (at: string): string => both.format(new Date(at));
export const exactly = (at: string): string => exact.format(new Date(at));

const forms = {
  short: shortly,
  clock: (at: string) => time.format(new Date(at)),
  full: fully,
  exact: exactly,
};

/** A point in time, in the zone of the browser. */
export function Time({ at, as = 'short' }: { at: string; as?: keyof typeof forms }) {
  return (
    <time dateTime={at} title={fully(at)}>
      {forms[as](at)}
    </time>
  );
}
