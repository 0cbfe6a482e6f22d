-- Which log the checkpoints of this database belong to: in another one the same position is another event.
create table log_identity (
  only_row boolean primary key default true check (only_row),
  kind text not null check (kind in ('postgresql', 'eventstoredb')),
  -- Its first event, once there is one.
  first_event uuid,
  first_position bigint,
  check ((first_event is null) = (first_position is null))
);

insert into log_identity (kind, first_event, first_position)
select 'postgresql', id, position from events where position = 1;
