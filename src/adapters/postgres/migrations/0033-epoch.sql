-- The epochs of the log. A new one begins when the log was restored to an earlier state, or moved: what clients and other
-- processes know of positions and seqs ends there.
create table log_epochs (
  number int primary key,
  epoch text not null unique check (epoch ~ '^[0-9a-z]{8}$'),
  began_at timestamptz not null default clock_timestamp(),
  -- The head of the log when it began.
  position bigint not null
);

-- The first one is as old as the database: a backup from before this migration must not seem newer than its original.
insert into log_epochs (number, epoch, began_at, position)
select 1, substr(md5(gen_random_uuid()::text), 1, 8), coalesce(min(applied_at), clock_timestamp()), 0 from schema_migrations;

revoke insert, update, delete, truncate on log_epochs from chat_app;
