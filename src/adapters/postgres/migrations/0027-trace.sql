-- What followed from an event. Only automations name a cause, so most appends do not touch it.

create index events_by_cause on events ((metadata ->> 'causationId')) where metadata ->> 'causationId' is not null;
