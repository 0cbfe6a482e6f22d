import type { z } from 'zod';
import type { Role } from '../events/account.ts';
import type { UserId } from '../events/ids.ts';
import { text } from '../events/text.ts';
import { isCommonPassword, namesItsOwner } from './passwords/common-passwords.ts';

/** Any password of sensible length that is not guessed first; no rules about its characters. */
export const NewPassword = text(8, 128)
  .refine((value) => !isCommonPassword(value), 'Too common: choose another password')
  .meta({
    description:
      'None of the most common ones, no mere repetition, and nothing of the address or the name of its owner',
  });

const OWNERS = 'Too easy to guess: it says your e-mail address or your name';

/** Refuses an account whose password says the address or the name of its owner, at `/password`. */
export const withUnrelatedPassword = <
  T extends z.ZodType<{ email: string; displayName: string; password: string }>,
>(
  account: T,
): T =>
  account.refine(({ password, ...owner }) => !namesItsOwner(password, owner), {
    path: ['password'],
    message: OWNERS,
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
  /** Whether somebody has shown that mail to the address reaches them. */
  emailVerified: boolean;
  /** Takes the place of `email` once it is confirmed. */
  newEmail: string | null;
  /** Counts the passwords that the account has had. */
  passwordVersion: number;
}

/** Who registers. The account waits for its address to be confirmed. */
export type NewCredential = Pick<Credential, 'userId' | 'email' | 'passwordHash' | 'role' | 'displayName'>;

/**
 * The port of the credentials. What calls for a letter writes it in the same transaction; the limits of letters hold:
 * three of verification a day to an address, and three for a forgotten password an hour.
 */
export interface Credentials {
  /** Writes the letter of verification as well. Throws `EmailTaken`. */
  add(credential: NewCredential): Promise<void>;
  ofEmail(email: string): Promise<Credential | undefined>;
  ofUser(userId: UserId): Promise<Credential | undefined>;
  /** Those whose registration was cut off, oldest first. */
  unregistered(): Promise<Credential[]>;
  markRegistered(userId: UserId): Promise<void>;
  /** Everybody, by address. */
  list(): Promise<Credential[]>;

  /** Writes a letter of verification; resolves with whether the address may have one more. */
  sendVerification(userId: UserId, address: string): Promise<boolean>;
  /** Keeps the address until it is confirmed, and writes to it; the present one is told if it is verified. */
  awaitEmail(userId: UserId, newEmail: string): Promise<void>;
  /** Forgets an address that was not confirmed. */
  keepEmail(userId: UserId): Promise<void>;
  /** An operator's word in place of a letter, for one account or for all; resolves with how many changed. */
  vouch(isVerified: boolean, userId?: UserId): Promise<number>;
  /** Makes the address the account's own, and a verified one. False when the account does not wait for it. Throws `EmailTaken`. */
  confirmEmail(userId: UserId, address: string): Promise<boolean>;

  /** Another hash of the same password, unless the account has another hash by now. */
  renewPasswordHash(credential: Pick<Credential, 'userId' | 'passwordHash'>, renewed: string): Promise<void>;
  /**
   * Another password. Ends the sessions of the account but for `kept`, and resolves with their ids; undefined when the
   * password is not of the `version` any more.
   */
  replacePassword(
    userId: UserId,
    passwordHash: string,
    only?: { version: number; kept: string },
  ): Promise<string[] | undefined>;
  /** Writes the letter for a forgotten password. The work is the same whether or not the address is an account's. */
  sendReset(address: string): Promise<void>;
  /** Whose password the letter can reset; undefined when it is unknown, too old, spent, or its address is no account's. */
  ofReset(letterId: string): Promise<Credential | undefined>;
  /** Resets the password, once for each letter. Resolves with the sessions that ended. */
  resetPassword(letterId: string, passwordHash: string): Promise<string[] | undefined>;
}

export class EmailTaken extends Error {
  override readonly name = 'EmailTaken';

  constructor() {
    super('the e-mail address is registered already');
  }
}

/** The password is not that of the account that asks. */
export class WrongPassword extends Error {
  override readonly name = 'WrongPassword';
}

/** What a link carried is forged, too old, spent, or for an address that is not the account's. */
export class LinkTokenInvalid extends Error {
  override readonly name = 'LinkTokenInvalid';
}

/** The new password says the address or the name of its owner. */
export class OwnersPassword extends Error {
  override readonly name = 'OwnersPassword';
  /** Where it was given. */
  readonly field: 'password' | 'newPassword';

  constructor(field: OwnersPassword['field']) {
    super(OWNERS);
    this.field = field;
  }
}

/** Too many passwords wait to be checked; safe to repeat in a moment. */
export class PasswordQueueFull extends Error {
  override readonly name = 'PasswordQueueFull';
}
