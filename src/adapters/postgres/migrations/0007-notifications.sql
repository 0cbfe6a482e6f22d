-- Who is to be told of what, later. Made by the notifier as it follows the log, never by a rebuild of read models.

-- One event, one recipient, one channel: the primary key is the promise that nobody is told twice.
create table notifications (
  event_id uuid not null,
  recipient_id uuid not null,
  channel text not null check (channel in ('email', 'push')),
  kind text not null,
  group_id uuid not null,
  subject_id uuid not null,
  seq bigint not null,
  position bigint not null,
  written_at timestamptz not null,
  -- Null until somebody's pace allows a batch.
  batch_id uuid,
  -- `sent`, or why it was not.
  outcome text,
  settled_at timestamptz,
  primary key (event_id, recipient_id, channel)
);

create index notifications_waiting on notifications (recipient_id, channel) where batch_id is null;
create index notifications_unsettled on notifications (batch_id) where outcome is null;
-- Rows are written in the order of time, so a few bytes for each stretch of pages find the old ones.
create index notifications_by_age on notifications using brin (written_at) with (autosummarize = on);

-- What goes out together. The queue carries its id, which never changes.
create table notification_batches (
  batch_id uuid primary key,
  recipient_id uuid not null,
  channel text not null,
  gathered_at timestamptz not null,
  -- When the relay is to hand it to the queue: at once, at the time of a retry, or when the queue seems to have lost it.
  publish_at timestamptz not null,
  -- Until then one relay is at it.
  claimed_until timestamptz,
  attempts int not null default 0,
  last_error text,
  parked_at timestamptz,
  park_reason text,
  done_at timestamptz
) with (fillfactor = 80);

create index notification_batches_to_publish on notification_batches (publish_at)
  where done_at is null and parked_at is null;
create index notification_batches_parked on notification_batches (parked_at) where parked_at is not null;

-- At which pace somebody is told by a channel: of messages, and apart from that of what becomes of applications. One row
-- for each, so that nobody looks through what waits to find whose turn it is.
create table notification_pace (
  recipient_id uuid,
  channel text,
  topic text check (topic in ('messages', 'applications')),
  -- When the last batch was made.
  gathered_at timestamptz,
  -- What waits was put off until then.
  not_before timestamptz not null,
  -- Whether there are notifications that no batch has taken.
  waits boolean not null,
  primary key (recipient_id, channel, topic)
);

create index notification_pace_waiting on notification_pace (not_before) where waits;

-- Takes what waits for somebody into a new batch. Of many that try at once, one does: the pace is the lock. Whoever writes
-- notifications marks the pace after them, so that what is not visible here is marked again afterwards.
create function gather_notifications(
  recipient uuid, by_channel text, of_topic text, batch uuid, last timestamptz, at timestamptz
)
returns void language plpgsql as $$
begin
  update notification_pace p set waits = false, gathered_at = at, not_before = at
    where p.recipient_id = recipient and p.channel = by_channel and p.topic = of_topic
      and p.waits and p.not_before <= at and p.gathered_at is not distinct from last;
  if not found then
    return;
  end if;
  update notifications n set batch_id = batch
    where n.recipient_id = recipient and n.channel = by_channel and n.batch_id is null
      and (n.kind = 'message') = (of_topic = 'messages');
  if found then
    insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at)
      values (batch, recipient, by_channel, at, at);
  end if;
end
$$;

-- Settles notifications of a batch, the first outcome of each, and ends the batch once none is left.
create function settle_notifications(batch uuid, events uuid[], outcomes text[], at timestamptz)
returns void language plpgsql as $$
begin
  perform from notification_batches b where b.batch_id = batch for update;
  update notifications n set outcome = o.outcome, settled_at = at
    from unnest(events, outcomes) o (event_id, outcome)
    where n.batch_id = batch and n.event_id = o.event_id and n.outcome is null;
  update notification_batches b set done_at = at, parked_at = null
    where b.batch_id = batch and b.done_at is null
      and not exists (select from notifications n where n.batch_id = batch and n.outcome is null);
end
$$;
