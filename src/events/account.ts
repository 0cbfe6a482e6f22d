import { z } from 'zod';
import { ErasureId, RecordedGroupId, UserId } from './ids.ts';
import { named, text } from './text.ts';

export const Role = z.enum(['company', 'applicant', 'auditor', 'admin']);
export type Role = z.infer<typeof Role>;

export const DisplayName = text(1, 100);
/** There are names from before that show nothing. */
export const NewDisplayName = named(DisplayName);

/** `HH:MM`, on the clock of the user's time zone. */
const ClockTime = z.string().regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/, 'Must be a time like 22:00');

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Nothing is sent between `start` and `end`; a span over midnight has its start after its end. */
export const QuietHours = z
  .strictObject({
    start: ClockTime,
    end: ClockTime,
    timeZone: z.string().max(64).refine(isTimeZone, 'Must be a time zone like Europe/Berlin').meta({
      description: 'A name of the IANA time zone database, or an offset from UTC like +05:30',
      pattern: '^(?:[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*|[+-][0-9]{2}:?[0-9]{2})$',
      example: 'Europe/Berlin',
    }),
  })
  .refine(({ start, end }) => start !== end, { path: ['end'], message: 'Must differ from start' })
  .meta({ description: '`end` differs from `start`; a span over midnight has its start after its end' });
export type QuietHours = z.infer<typeof QuietHours>;

/**
 * What somebody of a company is told of: the applications that are assigned to it and their threads, or also those that are
 * assigned to nobody.
 */
export const TeamNews = z.enum(['assigned', 'all']);
export type TeamNews = z.infer<typeof TeamNews>;

/** The groups that a user can mute. */
export const MAX_MUTED = 1_000;

/** Settings that control notifications of a user who is away. */
export const NotificationPreferences = z.strictObject({
  email: z.boolean(),
  push: z.boolean(),
  /** Groups that cause no notifications. */
  muted: z.array(RecordedGroupId).max(MAX_MUTED),
  quietHours: QuietHours.nullable(),
  /** Minutes after the first message during which further messages are gathered into one notification. */
  digestMinutes: z.int().min(0).max(1_440),
  /** Absent: `all` for owners of a company, `assigned` for its other people. */
  team: TeamNews.optional(),
});
export type NotificationPreferences = z.infer<typeof NotificationPreferences>;

/** The e-mail address and the password's hash are kept beside the log, never in it: they can be erased. */
export const accountEvents = {
  AccountRegistered: z.strictObject({ userId: UserId, role: Role, displayName: DisplayName }),
  ProfileChanged: z.strictObject({ userId: UserId, displayName: DisplayName }),
  /** Carries all of them as they are from now on. */
  NotificationPreferencesSet: z.strictObject({ userId: UserId, preferences: NotificationPreferences }),
  /** The person, or an auditor, asks for erasure. Until `dueAt` it can be taken back. */
  ErasureRequested: z.strictObject({
    userId: UserId,
    erasureId: ErasureId,
    dueAt: z.iso.datetime({ precision: 3 }),
  }),
  ErasureWithdrawn: z.strictObject({ userId: UserId, erasureId: ErasureId }),
  /** Nothing personal of the account can be read from here on. */
  AccountErased: z.strictObject({ userId: UserId, erasureId: ErasureId }),
};
