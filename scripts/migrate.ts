import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { readConfig } from '../src/config.ts';
import { Misused, program } from './program.ts';

const USAGE = `Usage: npm run migrate

Brings the database up to date as DATABASE_OWNER_URL, and creates the application's login with the name and password of
DATABASE_URL, so that no serving process needs the owner's password.

  --json   prints the result as JSON
`;

await program(USAGE, {}, async ({ positionals, print }) => {
  if (positionals.length > 0) throw new Misused();
  const config = readConfig(process.env);
  const log = createLogger({ level: 'error', destination: process.stderr });
  const database = await openDatabase({ ...config, log });
  try {
    const migrations: string[] = [];
    const { username } = new URL(
      await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl, (name) => migrations.push(name)),
    );
    const user = decodeURIComponent(username);
    print({ migrations, user }, [
      ...migrations.map((name) => `applied ${name}`),
      `The database is up to date; the application logs in as ${user}.`,
    ]);
  } finally {
    await database.close();
  }
});
