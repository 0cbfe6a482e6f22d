import { hash } from 'node:crypto';
import { InvitationId, UserId } from '../../events/ids.ts';
import type { SignedLinks } from './signed-links.ts';

const MINUTE_MS = 60_000;
export const VERIFICATION_MS = 24 * 60 * MINUTE_MS;
export const RESET_MS = 30 * MINUTE_MS;

/** The tokens in the links of account letters. They are signed, so none of them is stored. */
export interface AccountTokens {
  /**
   * Returns a token that proves an address until 24 h after the letter was written. The same letter gets the
   * same token.
   */
  verification(userId: UserId, address: string, writtenAt: Date): string;
  /** Returns undefined when the token is forged or too old. */
  openVerification(token: string): { userId: UserId; proves: (address: string) => boolean } | undefined;
  /**
   * Returns a token that opens an account until 30 min after the letter was written. The same letter gets the
   * same token.
   */
  reset(letterId: string, writtenAt: Date): string;
  /** Returns the id of the token's letter; undefined when the token is forged or too old. */
  openReset(token: string): string | undefined;
  /** Returns a token that lets its bearer into a company, as long as the invitation is open. */
  invitation(invitationId: InvitationId, companyId: UserId, expiresAt: Date): string;
  /** Returns undefined when the token is forged or too old. */
  openInvitation(token: string): { invitationId: InvitationId; companyId: UserId } | undefined;
}

/** Browsers and proxies see a token, and need not learn the address. */
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
    invitation: (invitationId, companyId, expiresAt) =>
      links.sign('join-company', { invitationId, companyId }, expiresAt.getTime()),
    openInvitation(token) {
      const fields = links.open('join-company', token);
      if (!fields) return undefined;
      return {
        invitationId: InvitationId.parse(fields['invitationId']),
        companyId: UserId.parse(fields['companyId']),
      };
    },
  };
}
