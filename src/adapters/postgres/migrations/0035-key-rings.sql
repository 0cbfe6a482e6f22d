-- A key can be replaced: each name has versions, of which one signs and the others are still, or already, accepted.

alter table signing_keys drop constraint signing_keys_pkey;
alter table signing_keys
  add column version int not null default 1,
  -- It is accepted from the moment when it is made, and signs from here on until a later version does.
  add column signs_at timestamptz not null default now(),
  -- When nothing that it signed is valid any more. Null until a later version exists.
  add column retires_at timestamptz,
  add primary key (name, version);

create index signing_keys_retired on signing_keys (retires_at) where retires_at is not null;
