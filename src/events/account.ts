import { z } from 'zod';
import { UserId } from './ids.ts';
import { text } from './text.ts';

export const Role = z.enum(['company', 'applicant', 'auditor', 'admin']);
export type Role = z.infer<typeof Role>;

export const DisplayName = text(1, 100);

/** The e-mail address and the password's hash are kept beside the log, never in it: they can be erased. */
export const accountEvents = {
  AccountRegistered: z.strictObject({ userId: UserId, role: Role, displayName: DisplayName }),
  ProfileChanged: z.strictObject({ userId: UserId, displayName: DisplayName }),
};
