import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { migrate } from '../../../src/adapters/postgres/migrate.ts';
import { administer, databaseUrl } from '../../support/stages/database.ts';

const FOLDER = new URL('../../../src/adapters/postgres/migrations/', import.meta.url);
const FIRST = '0024';

test('Existing accounts keep receiving mail after the upgrade; new ones must verify their address', async () => {
  const name = `upgrade_${process.pid}_${Date.now()}`;
  await administer(`create database ${name}`);
  const ownerUrl = databaseUrl(name);
  const before = await mkdtemp(join(tmpdir(), 'migrations-'));
  const client = new pg.Client({ connectionString: ownerUrl });
  try {
    for (const file of await readdir(FOLDER))
      if (file < FIRST) await cp(new URL(file, FOLDER), join(before, file));
    await migrate(ownerUrl, pathToFileURL(`${before}/`));
    await client.connect();
    const register = (email: string) =>
      client.query(
        `insert into credentials (user_id, email, password_hash, role, display_name)
         values ($1, $2, '', 'applicant', 'Ada')`,
        [randomUUID(), email],
      );
    await register('before@example.org');
    await migrate(ownerUrl);
    await register('after@example.org');
    const { rows } = await client.query<{ email: string; isVerified: boolean }>(
      `select email, email_verified_at is not null as "isVerified" from credentials order by created_at`,
    );
    expect(rows).toEqual([
      { email: 'before@example.org', isVerified: true },
      { email: 'after@example.org', isVerified: false },
    ]);
  } finally {
    await client.end();
    await administer(`drop database ${name} with (force)`);
    await rm(before, { recursive: true });
  }
});
