-- Beside the read models, which live in schemas of their own and are made by the projections.

-- How far each read model has come. `<name>_next` is being rebuilt, `<name>_previous` is kept to go back to.
create table checkpoints (
  name text primary key,
  position bigint not null,
  -- Of the code that made the rows; readers of the log that keep no rows leave it alone.
  version int not null default 0
) with (fillfactor = 20);

-- Moves a checkpoint from where the caller believes it to be. A caller that is wrong has been overtaken: it fails, and
-- with it the transaction that holds its rows.
create function move_checkpoint(projection text, expected bigint, next bigint) returns void language plpgsql as $$
begin
  update public.checkpoints c set position = next where c.name = projection and c.position = expected;
  if not found then
    raise exception 'the checkpoint of % is not at %', projection, expected using errcode = 'CP001';
  end if;
end
$$;

-- What a search for messages looks in. The group is a term as well, so that the index finds only those of the
-- searcher's own groups.
create function message_terms(group_id uuid, body text) returns tsvector
language sql immutable parallel safe
return to_tsvector('simple'::regconfig, body) || array_to_tsvector(array[group_id::text]);

-- Not in the log: a message would cost one event per reader. `total` and `own` count the messages of the group, and the
-- member's own among them, up to `seq`.
create table read_markers (
  group_id uuid,
  user_id uuid,
  seq bigint not null,
  total bigint not null,
  own bigint not null,
  primary key (group_id, user_id)
) with (fillfactor = 70);
