import { type DatabasePool, sql } from 'slonik';
import { z } from 'zod';
import type { GroupId, UserId } from '../events/ids.ts';
import { searchQuery } from '../search/query.ts';
import type { Page, Paging } from './cursor.ts';
import { reachOfMember } from './members.ts';
import { Message, circumstances, messageFor } from './message.ts';
import { type Stretch, byRank, newestFirst } from './newest-first.ts';

const FoundRow = Message.extend({ position: z.number() });

export interface SearchMessages extends Paging {
  userId: UserId;
  /** The syntax of a search engine: words, "phrases", or, -not. */
  q: string;
  groupId?: GroupId | undefined;
}

/** Maximum number of keys in a lookup. The index compares every hit with all of them; more keys take more lookups. */
const KEYS_PER_LOOKUP = 128;
/** Maximum number of groups that are looked up directly. */
const FEW_GROUPS = 1_024;
/** An owner replaces its groups when the searcher is in at least one of this many. */
const ONE_GROUP_IN = 8;

/**
 * The keys to look up: the searcher's groups, except those of `owners`, whose groups are looked up by their
 * owner.
 */
const Reach = z.object({ groups: z.number(), owners: z.array(z.string()) });
type Reach = z.infer<typeof Reach>;

const reachOf = (db: DatabasePool, userId: UserId): Promise<Reach> =>
  db.one(sql.type(Reach)`
    with mine as materialized (
      select owner_id, count(*) as groups from chat_groups.members
      where user_id = ${userId} and is_active group by owner_id
    ), judged as (
      select owner_id, groups, (select sum(groups) from mine) > ${FEW_GROUPS} and groups > ${KEYS_PER_LOOKUP}
        and owner_id is not null and (
          select count(*) from (
            select from chat_groups.groups g
            where g.owner_id = mine.owner_id limit mine.groups * ${ONE_GROUP_IN} + 1
          ) all_of_them
        ) <= mine.groups * ${ONE_GROUP_IN} as is_wide
      from mine
    )
    select coalesce(sum(groups) filter (where not is_wide), 0)::int as groups,
      coalesce(array_agg(owner_id) filter (where is_wide), '{}') as owners
    from judged`);

/** Returns the keys to look up, one batch for each lookup. */
function lookups(userId: UserId, groupId: GroupId | undefined, { groups, owners }: Reach) {
  const ofOwners = sql.fragment`select unnest(${sql.array(owners, 'uuid')})`;
  const ofOthers = sql.fragment`
    select group_id from chat_groups.members
    where user_id = ${userId} and is_active and (owner_id = any (${sql.array(owners, 'uuid')})) is not true`;
  const mine = groups === 0 ? ofOwners : sql.fragment`${ofOwners} union all ${ofOthers}`;
  const keys = groupId === undefined ? mine : sql.fragment`select ${groupId}::uuid`;
  return sql.fragment`
    select array_agg(key) as keys
    from (select key, (row_number() over () - 1) / ${KEYS_PER_LOOKUP} as batch from (${keys}) k (key)) numbered
    group by batch`;
}

/**
 * Resolves with messages of the caller's groups, or of one of them, newest first; messages with the words as
 * typed come before those with other accents. Membership is checked for each hit, by the group's id, and so is whether the caller was there. The
 * other lookups, by groups and by owners of groups, only exclude hits of other users: messages elsewhere cost
 * nothing. Throws GROUP_NOT_FOUND.
 */
export async function searchMessages(
  db: DatabasePool,
  { userId, q, groupId, cursor, limit }: SearchMessages,
): Promise<Page<Message>> {
  const after = byRank.read(cursor);
  if (groupId !== undefined) await reachOfMember(db, { userId, groupId });
  const query = searchQuery(q);
  if (query === undefined) return { data: [], nextCursor: null };
  const reach = groupId === undefined ? await reachOf(db, userId) : { groups: 1, owners: [] };
  const byKeys = sql.fragment`array[m.group_id, m.owner_id] && lookup.keys`;

  const hasManyKeys = reach.groups > FEW_GROUPS;
  /** If there are few hits, filtering all of them costs less than the keys of a searcher who is in many groups. */
  const [all, mine] = [
    { from: sql.fragment`select`, where: sql.fragment`true` },
    { from: lookups(userId, groupId, reach), where: byKeys },
  ];
  const source = ({ hasFew }: Stretch) => (hasFew && hasManyKeys ? all : mine);

  const rows = await newestFirst(
    db,
    { readModel: 'conversations', query, after, wanted: limit + 1, hasManyKeys },
    (tx, stretch, wanted) => {
      const { from, where } = source(stretch);
      return tx.any(sql.type(FoundRow)`
        with lookups as materialized (${from}), found as materialized (
          select hit.message_id from lookups lookup cross join lateral (
            with hits as materialized (
              select m.message_id, m.group_id, m.seq, m.position from conversations.messages m
              where ${where} and ${stretch.inIndex}
            )
            select message_id, position from hits
            where ${stretch.within} and (
              select mine.is_active from chat_groups.members mine
              where mine.group_id = hits.group_id and mine.user_id = ${userId}
            ) and not exists (
              select from conversations.participants p
              where p.group_id = hits.group_id and p.user_id = ${userId} and hits.seq <= p.hidden_seq
            )
            order by position desc limit ${wanted}
          ) hit
          order by hit.position desc limit ${wanted}
        )
        select ${messageFor(userId, sql.fragment`coalesce(mine.hidden_seq, 0)`)}, m.position
        from found
        join conversations.messages m on m.message_id = found.message_id
        left join conversations.participants mine on mine.group_id = m.group_id and mine.user_id = ${userId}
        ${circumstances}
        order by m.position desc`);
    },
  );
  return byRank.page(
    rows,
    limit,
    ({ position, rank }) => ({ position, rank }),
    ({ position: _, rank: __, ...found }) => found,
  );
}
