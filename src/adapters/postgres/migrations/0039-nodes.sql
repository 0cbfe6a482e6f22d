-- The processes that run on this database. One that has not been seen for a while is gone.
create table nodes (
  node_id uuid primary key,
  host text not null,
  version text not null,
  roles text[] not null,
  -- Whether it has a Redis, through which it knows who is connected to the others.
  has_redis boolean not null,
  started_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp()
);
