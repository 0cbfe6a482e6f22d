import { linesOf } from '../support/log-lines.ts';
import { type PostgresPair, startPostgresPair } from '../support/servers/postgres-pair.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';
import { freePort } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** Connections that stay open or that the calls of this test open. */
const CONNECTIONS = [
  ...['commands', 'ended-sessions', 'event log appends', 'event log notifications', 'leases', 'logins'],
  ...['notifications', 'notifications queue', 'projection jobs', 'queries'],
];

describe('A program whose DATABASE_URL names a primary and its standby', () => {
  let pair: PostgresPair;
  let app: TestApp;

  beforeAll(async () => {
    pair = await startPostgresPair(linesOf('silent').log);
    const { username, password, pathname } = new URL(pair.primary.ownerUrl);
    const hosts = [await freePort(), pair.standby.port, pair.primary.port].map((port) => `127.0.0.1:${port}`);
    app = await startApp({
      DATABASE_URL: `postgres://${username}:${password}@${hosts.join()}${pathname}?target_session_attrs=primary`,
    });
  }, 120_000);
  afterAll(async () => {
    await app.stop();
    await pair.stop();
  });

  const connectionsTo = async (server: PostgresPair['primary']) => {
    const rows = await pair.ask<{ name: string }>(
      server,
      `select distinct application_name as name from pg_stat_activity
       where backend_type = 'client backend' and usename <> 'postgres'`,
    );
    return rows.map(({ name }) => name).toSorted();
  };

  test('works on the primary, and on the standby once that is promoted', async () => {
    const company = await app.register('company');
    const job = { title: 'Engineer', description: 'Builds engines' };
    const posted = await app.ask('POST', '/v1/jobs', { as: company, body: job });
    expect(posted.status).toBe(201);
    expect(await connectionsTo(pair.primary)).toEqual(expect.arrayContaining(CONNECTIONS));
    expect(await connectionsTo(pair.standby)).toEqual([]);

    await pair.failOver();
    const isReady = async () => (await app.ask('GET', '/health/ready')).status === 200;
    await until(isReady, 'the program is ready again', 50_000);
    const again = await app.logIn(company);
    const path = `/v1/jobs/${String(posted.body['jobId'])}`;
    const read = await app.ask('GET', path, { as: again });
    expect(read.body).toMatchObject(job);
    const later = await app.ask('POST', '/v1/jobs', { as: again, body: job });
    expect(later.status).toBe(201);
    const haveComeBack = async () => {
      const names = await connectionsTo(pair.standby);
      return CONNECTIONS.every((name) => names.includes(name));
    };
    await until(haveComeBack, 'connections of every kind have come back', 30_000);
  }, 180_000);
});
