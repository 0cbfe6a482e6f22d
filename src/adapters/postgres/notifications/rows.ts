import type pg from 'pg';
import { kindNames, kinds } from '../../../notifications/kinds/kinds.ts';
import type { Candidate } from '../../../notifications/notification.ts';
import { plain } from '../../../kit/array-parameters.ts';

/** An SQL expression: the topic of a row's `kind`. */
const TOPIC = `case kind ${kindNames.map((kind) => `when '${kind}' then '${kinds[kind].topic}'`).join(' ')} end`;
/** An SQL array: the kinds that members who have muted the group do not get. */
const MUTED_WITH_GROUP = `'{${kindNames.filter((kind) => kinds[kind].isForMembers).join()}}'::text[]`;

/**
 * Push is written only for users with a push subscription. A muted group suppresses its messages and nothing
 * else. A waiting topic is slow only if all of its notifications are slow.
 */
const WRITE = `
  with written as (
    insert into notifications
      (event_id, recipient_id, channel, kind, group_id, subject_id, seq, position, written_at)
    select c.event_id, c.recipient_id, w.channel, c.kind, c.group_id, c.subject_id, c.seq, c.position, $1::timestamptz
    from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[])
      c (event_id, recipient_id, kind, group_id, subject_id, seq, position)
    join accounts.accounts a on a.user_id = c.recipient_id
    cross join lateral (values
      ('email', a.email),
      ('push', a.push and exists (select from push_subscriptions s where s.user_id = a.user_id))
    ) w (channel, is_wanted)
    where w.is_wanted and not (c.kind = any (${MUTED_WITH_GROUP}) and c.group_id = any (a.muted))
    on conflict do nothing
    returning recipient_id, channel, kind
  )
  insert into notification_pace as p (recipient_id, channel, topic, not_before, waits, is_slow)
  select distinct recipient_id, channel, ${TOPIC},
    $1::timestamptz, true, $9::boolean
  from written order by 1, 2, 3
  on conflict (recipient_id, channel, topic) do update
    set waits = true, is_slow = excluded.is_slow and (p.is_slow or not p.waits)
    where not p.waits or p.is_slow and not excluded.is_slow`;

/** Writes a row for each channel on which a candidate wants notifications. Existing rows are left unchanged. */
export const writeNotifications = (
  client: pg.ClientBase,
  at: Date,
  candidates: readonly Candidate[],
  { isSlow }: { isSlow: boolean },
): Promise<unknown> =>
  client.query(WRITE, [
    at,
    plain(candidates.map(({ eventId }) => eventId)),
    plain(candidates.map(({ recipientId }) => recipientId)),
    plain(candidates.map(({ kind }) => kind)),
    plain(candidates.map(({ groupId }) => groupId)),
    plain(candidates.map(({ subjectId }) => subjectId)),
    plain(candidates.map(({ seq }) => seq)),
    plain(candidates.map(({ position }) => position)),
    isSlow,
  ]);
