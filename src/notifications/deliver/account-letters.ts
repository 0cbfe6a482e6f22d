import type { UserId } from '../../events/ids.ts';
import type { Mail } from './mailer.ts';
import { addressChangeLetter, resetLetter, verificationLetter } from '../templates/account-letters.ts';

/** A letter that an account needs, whatever its owner wants to be told of. */
export interface AccountLetter {
  kind: 'verification' | 'password-reset' | 'address-change';
  address: string;
  /** Null for a reset: whose the address is, if anybody's, is looked up when it is sent. */
  userId: UserId | null;
  writtenAt: Date;
}

/** The port of what is asked before such a letter is sent. */
export interface AccountLetterFacts {
  /** Whose address it is; undefined when it is nobody's. */
  owner(address: string): Promise<{ userId: UserId; isVerified: boolean } | undefined>;
  /** Whether the account waits for the address to be confirmed. */
  awaits(userId: UserId, address: string): Promise<boolean>;
  /** Makes the letter of a reset one of verification; false when the address has had as many as it may. */
  turnIntoVerification(letterId: string, userId: UserId): Promise<boolean>;
}

/** Where the letters lead, and until when: each the same for every attempt at the same letter. */
export interface AccountLinks {
  verification(userId: UserId, address: string, writtenAt: Date): Link;
  reset(letterId: string, writtenAt: Date): Link;
}
interface Link {
  url: string;
  endsAt: Date;
}

type Content = Pick<Mail, 'subject' | 'html' | 'text' | 'link'>;

/** What a letter says when it is sent at this moment; undefined when it is not to be sent any more. */
export type WriteAccountLetter = (letterId: string, letter: AccountLetter) => Promise<Content | undefined>;

/** An address that nobody has proved gets letters of verification, and nothing else: not even a reset. */
export function createWriteAccountLetter({
  facts,
  links,
  siteUrl,
  now,
}: {
  facts: AccountLetterFacts;
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

  return async function write(letterId, letter) {
    const { kind, userId, address } = letter;
    switch (kind) {
      case 'password-reset':
        return reset(letterId, letter);
      case 'address-change':
        return addressChangeLetter({ site });
      case 'verification':
        return userId && (await facts.awaits(userId, address)) ? verification(userId, letter) : undefined;
    }
  };
}
