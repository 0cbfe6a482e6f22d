import type pg from 'pg';
import type { InvitationStore, KeptInvitation } from '../../../auth/invitations.ts';
import type { InvitationId } from '../../../events/ids.ts';
import { MOST_INVITATION_LETTERS } from '../notifications/account-letters.ts';

const COLUMNS = `invitation_id as "invitationId", company_id as "companyId", address, expires_at as "expiresAt"`;

/** Creates the store of the addresses of invitations in PostgreSQL. */
export function createInvitationStore(pool: Pick<pg.Pool, 'query'>): InvitationStore {
  const select = async (condition: string, value: string): Promise<KeptInvitation[]> => {
    const { rows } = await pool.query<KeptInvitation>(
      `select ${COLUMNS} from company_invitations where ${condition} order by invitation_id`,
      [value],
    );
    return rows;
  };

  return {
    async keep({ invitationId, companyId, address, expiresAt }) {
      const { rows } = await pool.query<{ replaced: InvitationId | null }>(
        `select keep_invitation($1, $2, $3, $4, ${MOST_INVITATION_LETTERS}) as replaced`,
        [invitationId, companyId, address, expiresAt],
      );
      return rows[0]?.replaced ?? undefined;
    },
    find: async (invitationId) => (await select('invitation_id = $1', invitationId))[0],
    ofCompany: (companyId) => select('company_id = $1', companyId),
    async forget(invitationId) {
      await pool.query('delete from company_invitations where invitation_id = $1', [invitationId]);
    },
  };
}
