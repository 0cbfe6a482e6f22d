import { prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { Misused, program } from './program.ts';
import { withServer } from './with-database.ts';

const USAGE = `Usage: npm run migrate

Brings the database up to date as DATABASE_OWNER_URL, and creates the application's login with the name and password of
DATABASE_URL, so that no serving process needs the owner's password.

  --json   prints the result as JSON
`;

await program(USAGE, {}, async ({ positionals, print }) => {
  if (positionals.length > 0) throw new Misused();
  await withServer({ mayMake: true }, async ({ url, ownerUrl }) => {
    const migrations: string[] = [];
    const { username } = new URL(await prepareDatabase(url, ownerUrl, (name) => migrations.push(name)));
    const user = decodeURIComponent(username);
    print({ migrations, user }, [
      ...migrations.map((name) => `applied ${name}`),
      `The database is up to date; the application logs in as ${user}.`,
    ]);
  });
});
