import { hash } from 'node:crypto';
import { UserId } from '../../events/ids.ts';
import type { SignedLinks } from './signed-links.ts';

const MINUTE_MS = 60_000;
export const VERIFICATION_MS = 24 * 60 * MINUTE_MS;
export const RESET_MS = 30 * MINUTE_MS;

/** What the links in letters about accounts carry. They are signed, so none of them is stored anywhere. */
export interface AccountTokens {
  /** Proves an address for 24 h from when its letter was written. The same for the same letter. */
  verification(userId: UserId, address: string, writtenAt: Date): string;
  /** Undefined when the token is forged or too old. */
  openVerification(token: string): { userId: UserId; proves: (address: string) => boolean } | undefined;
  /** Opens an account for 30 min from when its letter was written. The same for the same letter. */
  reset(letterId: string, writtenAt: Date): string;
  /** The letter that it came with; undefined when the token is forged or too old. */
  openReset(token: string): string | undefined;
}

/** A token is seen by browsers and proxies, which need not learn the address. */
const digestOf = (address: string) => hash('sha256', address, 'base64url');

export function createAccountTokens(links: SignedLinks): AccountTokens {
  return {
    verification: (userId, address, writtenAt) =>
      links.sign(
        'verify-address',
        { userId, address: digestOf(address) },
        writtenAt.getTime() + VERIFICATION_MS,
      ),
    openVerification(token) {
      const fields = links.open('verify-address', token);
      if (!fields) return undefined;
      const digest = fields['address'];
      return {
        userId: UserId.parse(fields['userId']),
        proves: (address) => digestOf(address) === digest,
      };
    },
    reset: (letterId, writtenAt) =>
      links.sign('reset-password', { letterId }, writtenAt.getTime() + RESET_MS),
    openReset: (token) => links.open('reset-password', token)?.['letterId'],
  };
}
