-- When the log took an event, by the clock of the database; null for events from before. Without a default for the rows
-- that are there, adding the column rewrites nothing.

alter table events add column recorded_at timestamptz(3);
alter table events alter column recorded_at set default clock_timestamp();
