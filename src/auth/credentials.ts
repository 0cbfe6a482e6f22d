import { z } from 'zod';
import type { Role } from '../events/account.ts';
import type { UserId } from '../events/ids.ts';
import { text } from '../events/text.ts';
import { isCommonPassword, namesItsOwner } from './common-passwords.ts';

/** One address, one account: however it is written, it is kept trimmed and in lower case. */
export const EmailAddress = text(3, 254)
  .transform((value) => value.trim().toLowerCase())
  .pipe(z.email());

/** Any password of sensible length that is not guessed first; no rules about its characters. */
export const NewPassword = text(8, 128).refine(
  (value) => !isCommonPassword(value),
  'Too common: choose another password',
);

/** Refuses an account whose password says the address or the name of its owner, at `/password`. */
export const withUnrelatedPassword = <
  T extends z.ZodType<{ email: string; displayName: string; password: string }>,
>(
  account: T,
): T =>
  account.refine(({ password, ...owner }) => !namesItsOwner(password, owner), {
    path: ['password'],
    message: 'Too easy to guess: it says your e-mail address or your name',
  });

/** What lets a person in. Kept beside the log, never in it, because it must be possible to erase it. */
export interface Credential {
  userId: UserId;
  email: string;
  passwordHash: string;
  role: Role;
  /** As given at the registration; the log knows what became of it. */
  displayName: string;
  /** False until the log holds AccountRegistered. */
  registered: boolean;
}

/** The port of the credentials. */
export interface Credentials {
  /** Throws `EmailTaken`. */
  add(credential: Omit<Credential, 'registered'>): Promise<void>;
  ofEmail(email: string): Promise<Credential | undefined>;
  ofUser(userId: UserId): Promise<Credential | undefined>;
  /** Those whose registration was cut off, oldest first. */
  unregistered(): Promise<Credential[]>;
  markRegistered(userId: UserId): Promise<void>;
  changePasswordHash(userId: UserId, passwordHash: string): Promise<void>;
  /** Everybody, by address. */
  list(): Promise<Credential[]>;
}

export class EmailTaken extends Error {
  override readonly name = 'EmailTaken';

  constructor() {
    super('the e-mail address is registered already');
  }
}

/** Too many passwords wait to be checked; safe to repeat in a moment. */
export class PasswordQueueFull extends Error {
  override readonly name = 'PasswordQueueFull';
}
