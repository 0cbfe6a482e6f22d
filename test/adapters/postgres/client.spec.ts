import { once } from 'node:events';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { type ListenOptions, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '../../../src/adapters/postgres/client.ts';
import { encodeHosts } from '../../../src/kit/server-url.ts';
import { certificate, certificateKey } from '../../support/servers/certificate.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type PostgresPair, startPostgresPair } from '../../support/servers/postgres-pair.ts';
import { freePort } from '../../../tools/server-process.ts';
import { type TcpProxy, startTcpProxy } from '../../../tools/tcp-proxy.ts';
import { until } from '../../../tools/until.ts';

const { log } = linesOf('silent');

describe('A connection to one of several hosts', () => {
  let pair: PostgresPair;
  let folder: string;
  /** Accepts connections and says nothing. */
  let silent: TcpProxy;
  let closedPort: number;

  beforeAll(async () => {
    pair = await startPostgresPair(log);
    silent = await startTcpProxy({ to: pair.primary.port });
    silent.blackHole();
    closedPort = await freePort();
    folder = await mkdtemp(join(tmpdir(), 'hosts-'));
  }, 60_000);
  afterAll(async () => {
    await silent.close();
    await pair.stop();
    await rm(folder, { recursive: true });
  });

  /** Returns the URL of a list of hosts, as the settings give it. */
  function urlOf(hosts: (string | number)[], parameters = ''): string {
    const { password, pathname } = new URL(pair.primary.ownerUrl);
    const list = hosts.map((host) => (typeof host === 'number' ? `127.0.0.1:${host}` : host)).join(',');
    return encodeHosts(`postgres://postgres:${password}@${list}${pathname}${parameters}`);
  }
  async function portBehind(url: string): Promise<number> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    await client.connect();
    try {
      return (await client.query<{ port: number }>('select inet_server_port() as port')).rows[0]!.port;
    } finally {
      await client.end();
    }
  }
  /** Passes connections on to the primary. */
  async function relay(address: ListenOptions) {
    const server = createServer((near) => {
      const far = createConnection({ port: pair.primary.port, host: '127.0.0.1' });
      near.pipe(far).pipe(near);
      for (const end of [near, far]) end.on('error', () => [near, far].forEach((each) => each.destroy()));
    }).listen(address);
    await once(server, 'listening');
    return server;
  }

  test.each(['', '?target_session_attrs=primary', '?target_session_attrs=read-write'])(
    'is made to the primary, wherever it stands in the list: %s',
    async (parameters) => {
      const { primary, standby } = pair;
      for (const hosts of [
        [primary.port, standby.port],
        [standby.port, primary.port],
      ])
        expect(await portBehind(urlOf(hosts, parameters))).toBe(primary.port);
    },
  );

  test('does not wait for a host that is gone or silent', async () => {
    const began = performance.now();
    expect(await portBehind(urlOf([closedPort, silent.port, pair.primary.port]))).toBe(pair.primary.port);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  test('is made to a standby where any host fits', async () => {
    const url = urlOf([closedPort, pair.standby.port], '?target_session_attrs=any');
    expect(await portBehind(url)).toBe(pair.standby.port);
  });

  test('fails with the reason of each host when none fits', async () => {
    const url = urlOf([closedPort, pair.standby.port], '?target_session_attrs=primary');
    await expect(portBehind(url)).rejects.toMatchObject({
      code: '08001',
      message: expect.stringMatching(/ECONNREFUSED.*is not primary/),
    });
  });

  test('that fails has ended', async () => {
    const client = new Client({ connectionString: urlOf([closedPort, pair.standby.port]) });
    const ended = once(client, 'end');
    await expect(client.connect()).rejects.toThrow('no host of PostgreSQL is read-write');
    await ended;
  });

  test('fails where the only host is a standby and a primary is wanted', async () => {
    const url = urlOf([pair.standby.port], '?target_session_attrs=read-write');
    await expect(portBehind(url)).rejects.toThrow('is not read-write');
  });

  test('fails with the answer of a host that refuses the login', async () => {
    const address = new URL(urlOf([closedPort, pair.primary.port]));
    address.password = 'wrong';
    await expect(portBehind(address.href)).rejects.toMatchObject({ code: '28P01' });
  });

  test('is not made to a primary that is read-only, except where a primary is enough', async () => {
    const { primary, standby, ask } = pair;
    const hosts = [primary.port, standby.port];
    await ask(primary, 'alter system set default_transaction_read_only = on');
    await ask(primary, 'select pg_reload_conf()');
    try {
      const isRefused = () =>
        portBehind(urlOf(hosts)).then(
          () => false,
          () => true,
        );
      await until(isRefused, 'the primary is read-only');
      expect(await portBehind(urlOf(hosts, '?target_session_attrs=primary'))).toBe(primary.port);
    } finally {
      await ask(primary, 'alter system reset default_transaction_read_only');
      await ask(primary, 'select pg_reload_conf()');
    }
  });

  test('is made through a Unix socket', async () => {
    const server = await relay({ path: join(folder, '.s.PGSQL.5432') });
    expect(await portBehind(urlOf([closedPort, encodeURIComponent(folder)]))).toBe(pair.primary.port);
    server.close();
  });

  test('verifies the certificate for the host that it is made to', async () => {
    const { primary, ask } = pair;
    const [row] = await ask<{ data_directory: string }>(primary, 'show data_directory');
    const data = row!.data_directory;
    const { uid, gid } = await stat(data);
    await writeFile(join(data, 'server.crt'), certificate);
    await writeFile(join(data, 'server.key'), certificateKey, { mode: 0o600 });
    await chown(join(data, 'server.key'), uid, gid);
    await ask(primary, 'alter system set ssl = on');
    await ask(primary, 'select pg_reload_conf()');
    const hosts = [closedPort, `localhost:${primary.port}`];
    const url = urlOf(hosts, `?sslmode=verify-full&sslrootcert=${join(data, 'server.crt')}`);
    await until(
      () =>
        portBehind(url).then(
          (port) => port === primary.port,
          () => false,
        ),
      'TLS is on',
    );
  });

  test('ends while its host is looked for', async () => {
    const client = new Client({ connectionString: urlOf([silent.port, pair.primary.port]) });
    const connecting = client.connect();
    await client.end();
    await expect(connecting).rejects.toThrow('Connection terminated');
  });
});
