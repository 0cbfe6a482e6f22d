import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { type Page, type Paging, byPosition } from './cursor.ts';

const GrantRow = z.object({
  grantId: z.string(),
  auditorId: z.string(),
  reason: z.string(),
  userId: z.string().nullable(),
  groupId: z.string().nullable(),
  grantedAt: z.string(),
  expiresAt: z.string(),
  endedAt: z.string().nullable(),
  position: z.number(),
});
type Row = z.infer<typeof GrantRow>;

/** A grant as auditors see it. */
export type AccessGrant = Omit<Row, 'userId' | 'groupId' | 'position'> & {
  scope: { userId: string } | { groupId: string };
};

function view({ userId, groupId, position: _, ...grant }: Row): AccessGrant {
  return { ...grant, scope: userId === null ? { groupId: groupId! } : { userId } };
}

/** Resolves with the grants of all auditors, newest first. Every auditor may see them. */
export async function listGrants(db: DatabasePool, { cursor, limit }: Paging): Promise<Page<AccessGrant>> {
  const after = byPosition.read(cursor);
  const rows = await db.any(sql.type(GrantRow)`
    select grant_id as "grantId", auditor_id as "auditorId", reason, user_id as "userId", group_id as "groupId",
      granted_at as "grantedAt", expires_at as "expiresAt", ended_at as "endedAt", position
    from audit.grants
    where ${after ? sql.fragment`position < ${after.position}` : sql.fragment`true`}
    order by position desc limit ${limit + 1}`);
  return byPosition.page(rows, limit, ({ position }) => ({ position }), view);
}
