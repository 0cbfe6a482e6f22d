import { grantEvents, holdEvents } from '../events/audit.ts';
import type { EventOf } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';
import { column, statementAbout } from './columns.ts';
import { defineProjection, typesOf } from './projection.ts';

type Granted = Recorded<EventOf<'AccessGranted'>>;
type Ended = Recorded<EventOf<'AccessEnded'>>;
type Placed = Recorded<EventOf<'HoldPlaced'>>;
type Released = Recorded<EventOf<'HoldReleased'>>;

const grant = statementAbout<Granted>({
  name: 'grant',
  columns: {
    grant_id: column.uuid(({ data }) => data.grantId),
    auditor_id: column.uuid(({ data }) => data.auditorId),
    reason: column.text(({ data }) => data.reason),
    user_id: column.uuid(({ data: { scope } }) => ('userId' in scope ? scope.userId : null)),
    group_id: column.uuid(({ data: { scope } }) => ('groupId' in scope ? scope.groupId : null)),
    granted_at: column.timestamptz(({ occurredAt }) => occurredAt),
    expires_at: column.timestamptz(({ data }) => data.expiresAt),
    position: column.bigint(({ position }) => position),
  },
  text: ({ names, batch }) => `insert into grants (${names}) select b.* from ${batch} on conflict do nothing`,
});

const end = statementAbout<Ended>({
  name: 'end',
  columns: {
    grant_id: column.uuid(({ data }) => data.grantId),
    ended_at: column.timestamptz(({ occurredAt }) => occurredAt),
  },
  text: ({ batch }) => `
    update grants g set ended_at = b.ended_at from ${batch} where g.grant_id = b.grant_id and g.ended_at is null`,
});

const place = statementAbout<Placed>({
  name: 'place',
  columns: {
    hold_id: column.uuid(({ data }) => data.holdId),
    group_id: column.uuid(({ data }) => data.groupId),
    reason: column.text(({ data }) => data.reason),
    placed_by: column.uuid(({ metadata }) => metadata.actorId),
    placed_at: column.timestamptz(({ occurredAt }) => occurredAt),
    position: column.bigint(({ position }) => position),
  },
  text: ({ names, batch }) => `insert into holds (${names}) select b.* from ${batch} on conflict do nothing`,
});

const release = statementAbout<Released>({
  name: 'release',
  columns: {
    hold_id: column.uuid(({ data }) => data.holdId),
    released_at: column.timestamptz(({ occurredAt }) => occurredAt),
  },
  text: ({ batch }) => `
    update holds h set released_at = b.released_at from ${batch} where h.hold_id = b.hold_id and h.released_at is null`,
});

/** The access grants of auditors, and the holds that keep conversations from erasure. */
export const audit = defineProjection({
  name: 'audit',
  version: 1,
  tables: `
    create table grants (
      grant_id uuid primary key,
      auditor_id uuid not null,
      reason text not null,
      -- One of the two: what the grant opens.
      user_id uuid,
      group_id uuid,
      granted_at timestamptz not null,
      expires_at timestamptz not null,
      -- When the auditor ended it early.
      ended_at timestamptz,
      position bigint not null
    );
    create table holds (
      hold_id uuid primary key,
      group_id uuid not null,
      reason text not null,
      -- Null for the system.
      placed_by uuid,
      placed_at timestamptz not null,
      released_at timestamptz,
      position bigint not null
    )`,
  indexes: `
    create unique index grants_newest on grants (position);
    create unique index holds_newest on holds (position);
    create index holds_in_force on holds (group_id) where released_at is null`,
  handles: [...typesOf(grantEvents), ...typesOf(holdEvents)],
  project: (events) => {
    const granted: Granted[] = [];
    const ended: Ended[] = [];
    const placed: Placed[] = [];
    const released: Released[] = [];
    for (const event of events) {
      if (event.type === 'AccessGranted') granted.push(event);
      else if (event.type === 'AccessEnded') ended.push(event);
      else if (event.type === 'HoldPlaced') placed.push(event);
      else released.push(event);
    }
    return [...grant(granted), ...end(ended), ...place(placed), ...release(released)];
  },
});
