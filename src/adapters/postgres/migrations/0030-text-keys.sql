-- The keys of the personal text in the log, each wrapped by the master key, which is not in this database where the
-- operator gives one. Erasing a person destroys its key: the row stays, so that the key is never made again.

create table text_keys (
  -- p.<user> for a person, g.<group>.<YYYY-MM> for what was said in a group in a month.
  name text collate "C" primary key,
  master_id text collate "C",
  wrapped bytea,
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,
  check ((wrapped is null) = (destroyed_at is not null))
);

-- Finds what retention is to destroy.
create index text_keys_by_month on text_keys ((split_part(name, '.', 3)))
  where wrapped is not null and name like 'g.%';
create index text_keys_by_master on text_keys (master_id, name) where wrapped is not null;
