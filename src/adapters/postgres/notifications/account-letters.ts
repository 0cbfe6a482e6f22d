import type pg from 'pg';
import type { UserId } from '../../../events/ids.ts';
import type { AccountLetter, AccountLetterFacts } from '../../../notifications/deliver/account-letters.ts';

/** Maximum number of letters that one address gets in a period. */
const MOST = {
  verification: `3, '1 day'`,
  'password-reset': `3, '1 hour'`,
  'address-change': `5, '1 hour'`,
  invitation: `3, '1 hour'`,
} satisfies Record<AccountLetter['kind'], string>;

/** Returns an SQL call that writes a verification letter. It evaluates to true if the address may have one more. */
export const POST_VERIFICATION = (letterId: string, address: string, userId: string): string =>
  `post_account_letter(${letterId}, 'verification', ${address}, ${userId}, ${MOST.verification})`;

/** Returns the same call for a forgotten password. */
export const POST_RESET = (letterId: string, address: string): string =>
  `post_account_letter(${letterId}, 'password-reset', ${address}, null, ${MOST['password-reset']})`;

/** Returns the same call for the notice that another address is to replace this one. */
export const POST_ADDRESS_CHANGE = (letterId: string, address: string, userId: string): string =>
  `post_account_letter(${letterId}, 'address-change', ${address}, ${userId}, ${MOST['address-change']})`;

/** The maximum of invitations, for `keep_invitation`, which writes them. */
export const MOST_INVITATION_LETTERS: string = MOST.invitation;

/** Reads from PostgreSQL the facts that the worker needs before it sends a letter. */
export function createAccountLetterFacts(pool: Pick<pg.Pool, 'query'>): AccountLetterFacts {
  return {
    async owner(address) {
      const { rows } = await pool.query<{ userId: UserId; isVerified: boolean }>(
        `select user_id as "userId", email_verified_at is not null as "isVerified"
         from credentials where email = $1 and password_hash is not null`,
        [address],
      );
      return rows[0];
    },
    async awaits(userId, address) {
      const { rows } = await pool.query(
        `select from credentials
         where user_id = $1 and (new_email = $2 or email = $2 and email_verified_at is null)`,
        [userId, address],
      );
      return rows.length > 0;
    },
    async turnIntoVerification(letterId, userId) {
      const { rows } = await pool.query<{ isOne: boolean }>(
        `select turn_into_verification($1, $2, ${MOST.verification}) as "isOne"`,
        [letterId, userId],
      );
      return rows[0]?.isOne ?? false;
    },
  };
}
