import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'slonik';
import { z } from 'zod';
import { createPool, isUnproved } from '../../../src/adapters/postgres/connection.ts';
import { createQueryPool } from '../../../src/adapters/postgres/query-pool.ts';
import { postgresAddress } from '../../../src/config/setting-kinds.ts';
import { linesOf } from '../../support/log-lines.ts';
import {
  certificate,
  certificateKey,
  clientCertificate,
  clientKey,
} from '../../support/servers/certificate.ts';
import { type DebianPostgres, startDebianPostgres } from '../../support/servers/debian-postgres.ts';
import { databaseUrl } from '../../support/stages/database.ts';

/** An address of the server that its certificate does not name. */
const UNNAMED = '127.0.0.2';
const IS_ENCRYPTED = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

describe('TLS to PostgreSQL', () => {
  const { log } = linesOf('silent');
  let folder: string;
  let server: DebianPostgres;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-tls-'));
    const files = { 'ca.crt': certificate, 'client.crt': clientCertificate, 'client.key': clientKey };
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
    const tls = { certificate, key: certificateKey, clientAuthority: clientCertificate };
    server = await startDebianPostgres({ tls });
    await server.create('jobs');
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  /** Asks through both drivers. Resolves with `TLS`, `plain`, or why the connection is refused. */
  async function reached(url: string): Promise<string> {
    const settings = { url: postgresAddress(url), max: 1, applicationName: 'tls', log };
    const [pool, queries] = [createPool(settings), await createQueryPool(settings)];
    const [outcome, ofQueries] = await Promise.all(
      [
        async () => ((await pool.query<{ ssl: boolean }>(IS_ENCRYPTED)).rows[0]!.ssl ? 'TLS' : 'plain'),
        // The role of queries does not see its own connection.
        async () => queries.oneFirst(sql.type(z.object({ answer: z.string() }))`select 'reached' as answer`),
      ].map((ask) => ask().catch(reasonOf)),
    );
    await Promise.all([pool.end(), queries.end()]);
    expect(ofQueries).toBe(['TLS', 'plain'].includes(outcome!) ? 'reached' : outcome);
    return outcome!;
  }

  /** Returns the first words of the first cause. */
  function reasonOf(error: Error): string {
    const cause = error.cause instanceof Error ? error.cause : error;
    return (
      /no pg_hba\.conf entry|valid client certificate|self-signed certificate|does not match certificate|not support SSL/.exec(
        cause.message,
      )?.[0] ?? cause.message
    );
  }

  const jobs = (parameters: string, host: string) => {
    const url = new URL(server.settings('jobs').DATABASE_OWNER_URL);
    url.hostname = host;
    const files = parameters.replaceAll(
      /=(\w+-?\w*\.(?:crt|key))/g,
      (_, name: string) => `=${join(folder, name)}`,
    );
    return `${url.href}?${files}`;
  };
  const CLIENT = 'sslcert=client.crt&sslkey=client.key';

  test.each([
    [`sslmode=disable`, 'localhost', 'no pg_hba.conf entry'],
    [`sslmode=allow&${CLIENT}`, UNNAMED, 'TLS'],
    [`sslmode=prefer&${CLIENT}`, UNNAMED, 'TLS'],
    [`sslmode=require&${CLIENT}`, UNNAMED, 'TLS'],
    [`sslmode=no-verify&${CLIENT}`, UNNAMED, 'TLS'],
    [`sslmode=require`, 'localhost', 'valid client certificate'],
    [`sslmode=require&sslrootcert=ca.crt&${CLIENT}`, UNNAMED, 'TLS'],
    [`sslmode=require&sslrootcert=client.crt&${CLIENT}`, 'localhost', 'self-signed certificate'],
    [`sslmode=verify-ca&sslrootcert=ca.crt&${CLIENT}`, UNNAMED, 'TLS'],
    [`sslmode=verify-ca&sslrootcert=client.crt&${CLIENT}`, 'localhost', 'self-signed certificate'],
    [`sslmode=verify-full&sslrootcert=ca.crt&${CLIENT}`, 'localhost', 'TLS'],
    [`sslmode=verify-full&sslrootcert=ca.crt&${CLIENT}`, UNNAMED, 'does not match certificate'],
    [`sslmode=verify-full&sslrootcert=client.crt&${CLIENT}`, 'localhost', 'self-signed certificate'],
    [`sslmode=verify-full&sslrootcert=system&${CLIENT}`, 'localhost', 'self-signed certificate'],
  ])('with %s at %s: %s', async (parameters, host, outcome) => {
    expect(await reached(jobs(parameters, host))).toBe(outcome);
  });

  test.each([
    ['sslmode=allow', 'plain'],
    ['sslmode=prefer', 'plain'],
    ['sslmode=disable', 'plain'],
    ['sslmode=require', 'not support SSL'],
    ['sslmode=verify-full', 'not support SSL'],
  ])('with %s on a server without TLS: %s', async (parameters, outcome) => {
    expect(await reached(`${databaseUrl('postgres')}?${parameters}`)).toBe(outcome);
  });

  test.each([
    ['sslmode=require', true],
    ['sslmode=prefer', true],
    ['sslmode=no-verify', true],
    ['sslmode=disable', false],
    ['sslmode=verify-full', false],
    ['sslmode=require&sslrootcert=ca.crt', false],
    ['', false],
  ])('proves nothing with "%s": %s', (parameters, isUnprovedThen) => {
    expect(isUnproved(postgresAddress(jobs(parameters, 'localhost')))).toBe(isUnprovedThen);
  });
});
