-- A message with a large audience is told in slices, and leaves in a lane of its own.

create table notification_fan_outs (
  event_id uuid primary key,
  group_id uuid not null,
  subject_id uuid not null,
  seq bigint not null,
  position bigint not null,
  sender_id uuid not null,
  -- The version of the group whose members are the audience.
  roster bigint not null,
  sent_at timestamptz not null,
  pushed_by timestamptz not null,
  decide_at timestamptz not null,
  -- When the next slice may be taken.
  due_at timestamptz not null,
  -- The last member that was looked at, in the order of user ids.
  through uuid,
  is_deciding boolean not null default false,
  has_undecided boolean not null default false
) with (fillfactor = 50);

create index notification_fan_outs_by_turn on notification_fan_outs (group_id, due_at, position);
create index notification_fan_outs_by_position on notification_fan_outs (position);

-- Whether it is of a large audience: then it leaves in the slow lane.
alter table notification_pace add column is_slow boolean not null default false;
alter table notification_batches add column is_slow boolean not null default false;

drop index notifications_waiting;
create index notifications_waiting on notifications (recipient_id, channel, position) where batch_id is null;
drop index notification_pace_waiting;
create index notification_pace_due on notification_pace (is_slow, not_before) where waits;
-- The batches of one recipient that are not done.
create index notification_batches_open on notification_batches (recipient_id, channel, gathered_at)
  where done_at is null and parked_at is null;

-- As in 0007, but takes 500 at most: what is more stays due, and goes into the next batch.
create or replace function gather_notifications(
  recipient uuid, by_channel text, of_topic text, batch uuid, last timestamptz, at timestamptz
)
returns void language plpgsql as $$
declare
  most constant int := 500;
  slow boolean;
  taken int;
begin
  update notification_pace p set waits = false, gathered_at = at, not_before = at
    where p.recipient_id = recipient and p.channel = by_channel and p.topic = of_topic
      and p.waits and p.not_before <= at and p.gathered_at is not distinct from last
    returning p.is_slow into slow;
  if not found then
    return;
  end if;
  update notifications n set batch_id = batch
    where n.event_id = any (array(
        select o.event_id from notifications o
        where o.recipient_id = recipient and o.channel = by_channel and o.batch_id is null
          and (o.kind = 'message') = (of_topic = 'messages')
        order by o.position limit most
      ))
      and n.recipient_id = recipient and n.channel = by_channel and n.batch_id is null;
  get diagnostics taken = row_count;
  if taken > 0 then
    insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at, is_slow)
      values (batch, recipient, by_channel, at, at, slow);
  end if;
  if taken = most then
    update notification_pace p set waits = true, gathered_at = last
      where p.recipient_id = recipient and p.channel = by_channel and p.topic = of_topic;
  end if;
end
$$;
