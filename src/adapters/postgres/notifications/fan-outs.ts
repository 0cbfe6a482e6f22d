import type pg from 'pg';
import type { Position } from '../../../events/event-store.ts';
import type { GroupId, UserId } from '../../../events/ids.ts';
import type { FanOut, FanOutInWork, FanOutPlace, FanOuts } from '../../../notifications/decide/fan-outs.ts';
import { plain } from '../../../kit/array-parameters.ts';
import { writeNotifications } from './rows.ts';
import { transaction } from '../transactions.ts';

const COUNTED = 10_000;

const ADD = `
  insert into notification_fan_outs
    (event_id, group_id, subject_id, seq, position, sender_id, roster, sent_at, pushed_by, decide_at, due_at)
  select *, f.pushed_by from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::uuid[],
      $7::bigint[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
    f (event_id, group_id, subject_id, seq, position, sender_id, roster, sent_at, pushed_by, decide_at)
  on conflict do nothing`;

const timestamps = (times: readonly number[]) => plain(times.map((time) => new Date(time).toISOString()));

/** Adds fan-outs. A fan-out that exists already is left unchanged. */
export const addFanOuts = (client: pg.ClientBase, fanOuts: readonly FanOut[]): Promise<unknown> =>
  client.query(ADD, [
    plain(fanOuts.map(({ notice }) => notice.eventId)),
    plain(fanOuts.map(({ notice }) => notice.groupId)),
    plain(fanOuts.map(({ notice }) => notice.subjectId)),
    plain(fanOuts.map(({ notice }) => notice.seq)),
    plain(fanOuts.map(({ notice }) => notice.position)),
    plain(fanOuts.map(({ senderId }) => senderId)),
    plain(fanOuts.map(({ roster }) => roster)),
    timestamps(fanOuts.map(({ sentAt }) => sentAt)),
    timestamps(fanOuts.map(({ pushedBy }) => pushedBy)),
    timestamps(fanOuts.map(({ decideAt }) => decideAt)),
  ]);

/** The groups take turns: each call takes the next group by id. */
const NEXT = `
  select event_id as "eventId", group_id as "groupId", subject_id as "subjectId", seq, position, sender_id as "senderId",
    roster, sent_at as "sentAt", pushed_by as "pushedBy", decide_at as "decideAt", through, is_deciding as "isDeciding",
    has_undecided as "hasUndecided"
  from notification_fan_outs
  where due_at <= $1 and position > $2 and ($3::uuid is null or group_id > $3)
  order by group_id, due_at, position limit 1`;

interface Row extends Omit<FanOutInWork, 'notice' | 'sentAt' | 'pushedBy' | 'decideAt'> {
  eventId: string;
  groupId: GroupId;
  subjectId: string;
  seq: number;
  position: Position;
  sentAt: Date;
  pushedBy: Date;
  decideAt: Date;
}

const inWork = ({ eventId, groupId, subjectId, seq, position, ...row }: Row): FanOutInWork => ({
  ...row,
  notice: { eventId, kind: 'message', groupId, subjectId, seq, position },
  sentAt: row.sentAt.getTime(),
  pushedBy: row.pushedBy.getTime(),
  decideAt: row.decideAt.getTime(),
});

/**
 * A row that has not changed since the message shows the membership at that time. For a member who joined,
 * left or changed their role since, the time of joining decides; the worker leaves out members who have left.
 */
const MEMBERS = `
  select user_id as "userId",
    is_active and user_id <> $3 and (roster <= $4 or joined_at <= $5) as "isInAudience"
  from chat_groups.members
  where group_id = $1 and ($2::uuid is null or user_id > $2)
  order by user_id limit $6`;

const MOVE = `
  update notification_fan_outs
  set through = $5, is_deciding = $6, has_undecided = $7, due_at = case when $6 then decide_at else due_at end
  where event_id = $1 and through is not distinct from $2 and is_deciding = $3 and has_undecided = $4`;

const END = `
  delete from notification_fan_outs
  where event_id = $1 and through is not distinct from $2 and is_deciding = $3 and has_undecided = $4`;

const placeOf = ({ through, isDeciding, hasUndecided }: FanOutPlace) => [through, isDeciding, hasUndecided];

/** Creates the fan-outs in PostgreSQL. `now` decides what is due. */
export function createFanOuts({
  pool,
  now = () => new Date(),
}: {
  pool: pg.Pool;
  now?: () => Date;
}): FanOuts {
  return {
    async next({ after, beyond }) {
      for (const from of after === undefined ? [null] : [after, null]) {
        const { rows } = await pool.query<Row>({
          name: 'next-fan-out',
          text: NEXT,
          values: [now(), beyond, from],
        });
        if (rows[0]) return inWork(rows[0]);
      }
      return undefined;
    },
    async isEmpty() {
      const { rowCount } = await pool.query('select from notification_fan_outs limit 1');
      return rowCount === 0;
    },
    async members({ notice, through, senderId, roster, sentAt }, rows) {
      const { rows: members } = await pool.query<{ userId: UserId; isInAudience: boolean }>({
        name: 'fan-out-members',
        text: MEMBERS,
        values: [notice.groupId, through, senderId, roster, new Date(sentAt), rows],
      });
      return members;
    },
    async advance(fanOut, { to, candidates }) {
      const from = [fanOut.notice.eventId, ...placeOf(fanOut)];
      await transaction(pool, async (client) => {
        const { rowCount } = await (to
          ? client.query(MOVE, [...from, ...placeOf(to)])
          : client.query(END, from));
        if (rowCount !== 1)
          throw new Error(`another process tells the audience of event ${fanOut.notice.eventId}`);
        if (candidates.length > 0) await writeNotifications(client, now(), candidates, { isSlow: true });
      });
    },
    async backlog() {
      const { rows } = await pool.query<{ count: number; oldestSentAt: Date | null }>(
        `select (select count(*) from (select from notification_fan_outs limit ${COUNTED}) counted) as count,
           (select sent_at from notification_fan_outs order by position limit 1) as "oldestSentAt"`,
      );
      return rows[0]!;
    },
  };
}
