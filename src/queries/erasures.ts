import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import { CommandRejected } from '../commands/rejection.ts';
import type { ErasureId } from '../events/ids.ts';
import { type Page, type Paging, byPosition } from './cursor.ts';

const ErasureRow = z.object({
  erasureId: z.string(),
  userId: z.string().brand<'UserId'>(),
  state: z.enum(['scheduled', 'suspended', 'done']),
  /** When it begins, unless it is taken back. */
  dueAt: z.string(),
  erasedAt: z.string().nullable(),
});
export type ErasureRow = z.infer<typeof ErasureRow>;

/** Resolves with an erasure that was asked for. Throws ERASURE_NOT_FOUND, also for one that was taken back. */
export async function getErasure(
  db: DatabasePool,
  { erasureId }: { erasureId: ErasureId },
): Promise<ErasureRow> {
  const row = await db.maybeOne(sql.type(ErasureRow)`
    select a.erasure_id as "erasureId", a.user_id as "userId",
      case
        when e.cleared_at is not null and coalesce(e.scrub, 0) <= (select done from public.scrubs) then 'done'
        when a.erased_at is null and exists (
          select from conversations.participants p join audit.holds h on h.group_id = p.group_id
          where p.user_id = a.user_id and h.released_at is null
        ) then 'suspended'
        else 'scheduled'
      end as state,
      a.erasure_due_at as "dueAt", a.erased_at as "erasedAt"
    from accounts.accounts a left join public.erasures e on e.erasure_id = a.erasure_id
    where a.erasure_id = ${erasureId}`);
  if (!row) throw new CommandRejected('ERASURE_NOT_FOUND');
  return row;
}

const HoldRow = z.object({
  holdId: z.string(),
  groupId: z.string(),
  reason: z.string(),
  placedBy: z.string().nullable(),
  placedAt: z.string(),
  releasedAt: z.string().nullable(),
  position: z.number(),
});
export type Hold = Omit<z.infer<typeof HoldRow>, 'position'>;

/** Resolves with holds, newest first. */
export async function listHolds(db: DatabasePool, { cursor, limit }: Paging): Promise<Page<Hold>> {
  const before = byPosition.read(cursor)?.position ?? null;
  const rows = await db.any(sql.type(HoldRow)`
    select hold_id as "holdId", group_id as "groupId", reason, placed_by as "placedBy", placed_at as "placedAt",
      released_at as "releasedAt", position
    from audit.holds where ${before}::bigint is null or position < ${before}
    order by position desc limit ${limit + 1}`);
  return byPosition.page(
    rows,
    limit,
    ({ position }) => ({ position }),
    ({ position: _, ...hold }) => hold,
  );
}
