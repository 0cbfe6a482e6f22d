-- What each upload that was asked for counts against the sums below, until it is given back.
create table upload_reservations (
  file_id uuid primary key,
  user_id uuid not null,
  group_id uuid not null,
  day date not null,
  bytes bigint not null,
  reserved_at timestamptz not null default now(),
  -- Whether the log knows the file.
  is_confirmed boolean not null default false
);

create index upload_reservations_unconfirmed on upload_reservations (reserved_at) where not is_confirmed;

-- Of one day, in UTC: another day starts from nothing.
create table upload_bytes_of_users (
  user_id uuid primary key,
  day date not null,
  bytes bigint not null
) with (fillfactor = 50);

create table upload_bytes_of_groups (
  group_id uuid primary key,
  bytes bigint not null
) with (fillfactor = 50);

-- Counts a file once, or says which sum has no room for it: 'reserved', 'user' or 'group'. The rows of the user and the group
-- are locked in that order, so requests at once take turns.
create function reserve_upload(file uuid, uploader uuid, chat_group uuid, size bigint, day_limit bigint, group_limit bigint)
returns text language plpgsql as $$
declare
  today date := (now() at time zone 'UTC')::date;
  of_user bigint;
  of_group bigint;
begin
  insert into public.upload_bytes_of_users (user_id, day, bytes) values (uploader, today, 0) on conflict do nothing;
  select case when u.day = today then u.bytes else 0 end into of_user
    from public.upload_bytes_of_users u where u.user_id = uploader for update;
  if exists (select from public.upload_reservations r where r.file_id = file) then return 'reserved'; end if;
  if of_user + size > day_limit then return 'user'; end if;

  insert into public.upload_bytes_of_groups (group_id, bytes) values (chat_group, 0) on conflict do nothing;
  select g.bytes into of_group from public.upload_bytes_of_groups g where g.group_id = chat_group for update;
  if of_group + size > group_limit then return 'group'; end if;

  update public.upload_bytes_of_users u set day = today, bytes = of_user + size where u.user_id = uploader;
  update public.upload_bytes_of_groups g set bytes = of_group + size where g.group_id = chat_group;
  insert into public.upload_reservations (file_id, user_id, group_id, day, bytes)
    values (file, uploader, chat_group, today, size);
  return 'reserved';
end
$$;

-- Gives back what a file counts for, once.
create function release_upload(file uuid) returns void language plpgsql as $$
declare
  released public.upload_reservations;
begin
  delete from public.upload_reservations r where r.file_id = file returning * into released;
  update public.upload_bytes_of_users u set bytes = u.bytes - released.bytes
    where u.user_id = released.user_id and u.day = released.day;
  update public.upload_bytes_of_groups g set bytes = g.bytes - released.bytes where g.group_id = released.group_id;
end
$$;
