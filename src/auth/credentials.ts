import type { z } from 'zod';
import type { Role } from '../events/account.ts';
import type { UserId } from '../events/ids.ts';
import { text } from '../events/text.ts';
import { isCommonPassword, namesItsOwner } from './passwords/common-passwords.ts';

/** Any password of sensible length that is not among the first guesses. There are no rules about its characters. */
export const NewPassword = text(8, 128)
  .refine((value) => !isCommonPassword(value), 'Too common: choose another password')
  .meta({
    description:
      'None of the most common ones, no mere repetition, and nothing of the address or the name of its owner',
  });

const OWNERS = 'Too easy to guess: it says your e-mail address or your name';

/** Rejects an account whose password contains its owner's address or name; the issue is at `/password`. */
export const withUnrelatedPassword = <
  T extends z.ZodType<{ email: string; displayName: string; password: string }>,
>(
  account: T,
): T =>
  account.refine(({ password, ...owner }) => !namesItsOwner(password, owner), {
    path: ['password'],
    message: OWNERS,
  });

/** The login data of an account. Stored beside the log, never in it, because it must be possible to erase it. */
export interface Credential {
  userId: UserId;
  /** Null for an account of a board that has given none. */
  email: string | null;
  /** Null for an account of a board: no password opens it. */
  passwordHash: string | null;
  role: Role;
  /** The name given at registration. The log has the current one. */
  displayName: string;
  /** False until the log holds AccountRegistered. */
  registered: boolean;
  /** True once the link of a letter to the address has been used, or an operator has vouched for it. */
  emailVerified: boolean;
  /** Replaces `email` once it is confirmed. */
  newEmail: string | null;
  /**
   * Rises with every new password, and when a second factor is activated: a login that began before opens no
   * session.
   */
  passwordVersion: number;
  /** True while logins ask for a code. */
  hasSecondFactor: boolean;
  /** True while an operator, or the client that made the account, keeps it from logging in. */
  isSuspended: boolean;
}

/** A new account, which waits for its address to be confirmed, unless that is proved already. */
export type NewCredential = Pick<Credential, 'userId' | 'role' | 'displayName'> & {
  email: string;
  passwordHash: string;
  emailVerified?: boolean;
};

/**
 * The port of the credentials. An operation that calls for a letter writes it in the same transaction.
 * Letters are limited: three for verification a day to an address, and three for a forgotten password an
 * hour.
 */
export interface Credentials {
  /** Stores the credential, and writes a verification letter unless the address is verified. Throws `EmailTaken`. */
  add(credential: NewCredential): Promise<void>;
  ofEmail(email: string): Promise<Credential | undefined>;
  ofUser(userId: UserId): Promise<Credential | undefined>;
  /** Resolves with the credentials whose registration was interrupted, oldest first. */
  unregistered(): Promise<Credential[]>;
  markRegistered(userId: UserId): Promise<void>;
  /** Resolves with all credentials, ordered by address; those without one are the last. */
  list(): Promise<Credential[]>;

  /** Writes a verification letter. Resolves with false when the address has had its limit of letters. */
  sendVerification(userId: UserId, address: string): Promise<boolean>;
  /**
   * Stores the new address until it is confirmed, and writes to it. The present address is notified if it is
   * verified.
   */
  awaitEmail(userId: UserId, newEmail: string): Promise<void>;
  /** Drops an unconfirmed new address. */
  keepEmail(userId: UserId): Promise<void>;
  /**
   * Sets an operator's word in place of a letter, for one account or for all. Resolves with the number of
   * accounts changed.
   */
  vouch(isVerified: boolean, userId?: UserId): Promise<number>;
  /**
   * Keeps the account from logging in, and ends its sessions. Resolves with the ids of those that were open;
   * undefined when it is suspended already.
   */
  suspend(userId: UserId): Promise<string[] | undefined>;
  /** As `suspend`, with no ids when it is suspended already. Resolves with undefined for the last operator, who stays. */
  suspendForOperator(userId: UserId): Promise<string[] | undefined>;
  /** Resolves with true for the only account with the role `admin` that can log in. */
  isLastOperator(userId: UserId): Promise<boolean>;
  /** Lets a suspended account log in again. Resolves with false when it is not suspended. */
  restore(userId: UserId): Promise<boolean>;
  /**
   * Makes the address the account's own, and verified. Resolves with false when the account does not wait for
   * it. Throws `EmailTaken`.
   */
  confirmEmail(userId: UserId, address: string): Promise<boolean>;

  /** Replaces the hash by another one of the same password, unless the stored hash has changed since. */
  renewPasswordHash(credential: Pick<Credential, 'userId' | 'passwordHash'>, renewed: string): Promise<void>;
  /**
   * Replaces the password and ends all sessions of the account except `kept`. Resolves with the ids of the
   * ended sessions; undefined when the password is no longer of that `version`, or the account has none.
   */
  replacePassword(
    userId: UserId,
    passwordHash: string,
    only?: { version: number; kept: string },
  ): Promise<string[] | undefined>;
  /**
   * Writes the letter for a forgotten password. Takes the same work whether or not the address belongs to an
   * account.
   */
  sendReset(address: string): Promise<void>;
  /**
   * Resolves with the credential whose password the letter can reset; undefined when the letter is unknown,
   * too old or spent, or its address belongs to no account with a password.
   */
  ofReset(letterId: string): Promise<Credential | undefined>;
  /**
   * Resets the password, once for each letter. Resolves with the ids of the ended sessions; undefined when
   * the letter cannot reset a password.
   */
  resetPassword(letterId: string, passwordHash: string): Promise<string[] | undefined>;
}

export class EmailTaken extends Error {
  override readonly name = 'EmailTaken';

  constructor() {
    super('the e-mail address is registered already');
  }
}

/** The password is not that of the account. */
export class WrongPassword extends Error {
  override readonly name = 'WrongPassword';
}

/** The token of a link is forged, too old, spent, or for an address that is not the account's. */
export class LinkTokenInvalid extends Error {
  override readonly name = 'LinkTokenInvalid';
}

/** The new password contains the address or the name of its owner. */
export class OwnersPassword extends Error {
  override readonly name = 'OwnersPassword';
  /** The field that held the password. */
  readonly field: 'password' | 'newPassword';

  constructor(field: OwnersPassword['field']) {
    super(OWNERS);
    this.field = field;
  }
}

/** Too many passwords wait to be checked. It is safe to repeat the request in a moment. */
export class PasswordQueueFull extends Error {
  override readonly name = 'PasswordQueueFull';
}
