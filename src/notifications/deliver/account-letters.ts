import type { CompanyRole } from '../../events/company.ts';
import type { InvitationId, UserId } from '../../events/ids.ts';
import type { Mail } from './mailer.ts';
import {
  addressChangeLetter,
  invitationLetter,
  resetLetter,
  verificationLetter,
} from '../templates/account-letters.ts';

/** A letter that an account needs. It does not depend on the owner's preferences. */
export interface AccountLetter {
  kind: 'verification' | 'password-reset' | 'address-change' | 'invitation';
  address: string;
  /**
   * Null for a reset: the owner of the address, if there is one, is looked up when the letter is sent. Null for an
   * invitation: nobody is looked up.
   */
  userId: UserId | null;
  writtenAt: Date;
}

/** The port of the facts that are needed before such a letter is sent. */
export interface AccountLetterFacts {
  /** Resolves with the account that has the address and a password; undefined when there is none. */
  owner(address: string): Promise<{ userId: UserId; isVerified: boolean } | undefined>;
  /** Resolves with true if the account waits for the address to be confirmed. */
  awaits(userId: UserId, address: string): Promise<boolean>;
  /**
   * Turns a reset letter into a verification letter. Resolves with false when the address has had its maximum
   * of those.
   */
  turnIntoVerification(letterId: string, userId: UserId): Promise<boolean>;
}

/** What a letter of invitation says. */
export interface LetterInvitation {
  invitationId: InvitationId;
  companyId: UserId;
  companyName: string;
  role: CompanyRole;
  /** RFC 3339. */
  expiresAt: string;
}

/** Returns the links of the letters and their expiry. Both are the same for every attempt at the same letter. */
export interface AccountLinks {
  verification(userId: UserId, address: string, writtenAt: Date): Link;
  reset(letterId: string, writtenAt: Date): Link;
  invitation(invited: LetterInvitation): Link;
}
interface Link {
  url: string;
  endsAt: Date;
}

type Content = Pick<Mail, 'subject' | 'html' | 'text' | 'link'>;

/** Resolves with the content of a letter as of now; undefined when the letter is not to be sent any more. */
export type WriteAccountLetter = (letterId: string, letter: AccountLetter) => Promise<Content | undefined>;

/**
 * Creates the function that writes account letters. An unverified address gets verification letters and
 * nothing else, not even a reset.
 */
export function createWriteAccountLetter({
  facts,
  invitationOf,
  links,
  siteUrl,
  now,
}: {
  facts: AccountLetterFacts;
  /** Resolves with the invitation that has the id of the letter; undefined when it is not open any more. */
  invitationOf: (letterId: string) => Promise<LetterInvitation | undefined>;
  links: AccountLinks;
  siteUrl: string;
  now: () => Date;
}): WriteAccountLetter {
  const site = new URL(siteUrl).host;
  const unlessLate = ({ url, endsAt }: Link, write: (url: string) => Content): Content | undefined =>
    now() < endsAt ? { ...write(url), link: url } : undefined;

  const verification = (userId: UserId, { address, writtenAt }: AccountLetter) =>
    unlessLate(links.verification(userId, address, writtenAt), (url) => verificationLetter({ site, url }));

  async function reset(letterId: string, letter: AccountLetter): Promise<Content | undefined> {
    const owner = await facts.owner(letter.address);
    if (!owner) return undefined;
    if (owner.isVerified)
      return unlessLate(links.reset(letterId, letter.writtenAt), (url) => resetLetter({ site, url }));
    const { userId } = owner;
    return (await facts.turnIntoVerification(letterId, userId)) ? verification(userId, letter) : undefined;
  }

  async function invitation(letterId: string): Promise<Content | undefined> {
    const invited = await invitationOf(letterId);
    return (
      invited && unlessLate(links.invitation(invited), (url) => invitationLetter({ site, url, ...invited }))
    );
  }

  return async function write(letterId, letter) {
    const { kind, userId, address } = letter;
    switch (kind) {
      case 'password-reset':
        return reset(letterId, letter);
      case 'invitation':
        return invitation(letterId);
      case 'address-change':
        return addressChangeLetter({ site });
      case 'verification':
        return userId && (await facts.awaits(userId, address)) ? verification(userId, letter) : undefined;
    }
  };
}
