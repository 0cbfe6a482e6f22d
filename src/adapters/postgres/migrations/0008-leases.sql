-- Which process leads what. A lease ends when its time is up, and at once when the connection that took it has ended.
create table leases (
  name text primary key,
  holder uuid not null,
  -- The process id of the server's side of the holder's connection.
  backend int not null,
  expires_at timestamptz not null
);
