-- Two more group roles beside chat_app. Neither can log in, write events, or read credentials, sessions, keys and read
-- models: docs/decisions/0016-roles-of-the-database.md.
--   chat_sealer   reads the log and keeps the seals
--   chat_auditor  reads the log and the seals
-- New tables of the owner are open to chat_app by its default privileges (0001) and to nobody else. So a table that these
-- two may use has to be named here, and one that they must never read, such as `text_keys` with the keys that encrypt
-- personal text, needs nothing: only chat_app can read it.

-- Makes the roles and grants their rights on the tables that exist. Returns the roles that are missing because the owner
-- may not create roles. May be repeated, by the owner: "npm run admin -- create-database-login" does, after a copy or a
-- restored backup, and where a superuser made the roles later.
create function prepare_reader_roles() returns text[] language plpgsql as $$
declare
  sealer constant text := 'chat_sealer';
  auditor constant text := 'chat_auditor';
  group_role text;
  relation text;
  rights text;
  missing text[] := '{}';
begin
  foreach group_role in array array[sealer, auditor] loop
    if exists (select from pg_roles where rolname = group_role) then
      continue;
    end if;
    begin
      execute format('create role %I nologin', group_role);
    exception
      -- Roles belong to the whole server: a migration of another database made it meanwhile.
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        missing := missing || group_role;
        raise warning 'the owner may not create the role %: let a superuser run "create role % nologin"',
          group_role, group_role;
    end;
  end loop;

  for group_role, relation, rights in
    values
      (sealer, 'events', 'select'),
      (sealer, 'log_head', 'select'),
      (sealer, 'seals', 'select, insert, update'),
      (sealer, 'seal_tiles', 'select, insert, update'),
      (sealer, 'seal_keys', 'select, insert'),
      (auditor, 'events', 'select'),
      (auditor, 'log_head', 'select'),
      (auditor, 'seals', 'select'),
      (auditor, 'seal_tiles', 'select'),
      (auditor, 'seal_keys', 'select')
  loop
    if group_role <> all (missing) and to_regclass('public.' || relation) is not null then
      execute format('grant usage on schema public to %I', group_role);
      execute format('grant %s on public.%I to %I', rights, relation, group_role);
    end if;
  end loop;
  return missing;
end
$$;

revoke execute on function prepare_reader_roles() from public;
select prepare_reader_roles();
