-- What the sealer keeps: its last checkpoint, and tiles of the tree over the log. Proofs are made of tiles and compared
-- with signed checkpoints, so whoever changes a tile spoils proofs and forges none.

create table seals (
  id int generated always as identity primary key,
  -- Where the checkpoints are.
  place text not null unique,
  checkpoint json
);

create table seal_tiles (
  seal int not null references seals,
  -- A full subtree of 256^level leaves.
  level smallint not null check (level > 0),
  index bigint not null check (index >= 0),
  -- Null for the last one of level 1 while it has fewer leaves.
  root bytea,
  -- Of its last event.
  position bigint not null,
  -- The hashes of the leaves one after the other, on level 1.
  leaves bytea,
  primary key (seal, level, index)
);
create index seal_tiles_by_position on seal_tiles (seal, position) where level = 1;
-- Hashes cannot be compressed.
alter table seal_tiles alter column leaves set storage external;

-- The public keys of all sealers, for outsiders.
create table seal_keys (
  key_id text primary key,
  jwk json not null
);
