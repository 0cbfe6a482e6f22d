import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Listener } from '../../tools/listener.ts';
import { call, signUp } from '../../tools/rest.ts';
import { type Rabbitmq, startRabbitmq } from '../../tools/rabbitmq.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { certificate, certificateKey, clientCertificate, clientKey } from '../support/servers/certificate.ts';
import { type DebianPostgres, startDebianPostgres } from '../support/servers/debian-postgres.ts';

const START_MS = 120_000;
/** The rights that docs/operations.md gives the server in Redis. */
const REDIS_RIGHTS = ['~chat:*', '&chat:*', '+@all', '-@admin', '-@dangerous', '+info'];

describe('every neighbour is reached with TLS', () => {
  let folder: string;
  let postgres: DebianPostgres;
  let redis: Redis;
  let rabbitmq: Rabbitmq;
  let settings: Record<string, string>;
  const file = (name: string) => join(folder, name);
  const databaseUrl = (parameters: string, host = 'localhost') => {
    const url = new URL(postgres.settings('jobs').DATABASE_OWNER_URL);
    url.hostname = host;
    return `${url.href}?${parameters}`;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-tls-'));
    for (const [name, content] of [
      ['ca.crt', certificate],
      ['other-ca.crt', clientCertificate],
      ['client.crt', clientCertificate],
      ['client.key', clientKey],
    ] as const)
      await writeFile(file(name), content, { mode: 0o600 });
    const tls = { certificate, key: certificateKey };
    [postgres, redis, rabbitmq] = await Promise.all([
      startDebianPostgres({ tls: { ...tls, clientAuthority: clientCertificate } }),
      startRedis({ tls }),
      startRabbitmq({ tls }),
    ]);
    await postgres.create('jobs');
    await redis.ask('ACL', 'SETUSER', 'chat', 'on', '>s3cret', 'resetkeys', 'resetchannels', ...REDIS_RIGHTS);
    await redis.ask('ACL', 'SETUSER', 'default', 'off');
    settings = {
      DATABASE_URL: databaseUrl(
        `sslmode=verify-full&sslrootcert=${file('ca.crt')}&sslcert=${file('client.crt')}&sslkey=${file('client.key')}`,
      ),
      REDIS_URL: `rediss://chat:s3cret@localhost:${redis.tlsPort}`,
      REDIS_CA_FILE: file('ca.crt'),
      AMQP_URL: rabbitmq.tlsUrl!,
      AMQP_CA_FILE: file('ca.crt'),
    };
  }, START_MS);
  afterAll(async () => {
    await Promise.all([postgres?.stop(), redis?.stop(), rabbitmq?.stop()]);
    await rm(folder, { recursive: true });
  });

  test(
    'nodes share messages, presence and notifications',
    async () => {
      const nodes: ServerProcess[] = [];
      try {
        for (let node = 0; node < 2; node += 1)
          nodes.push(await startServer({ env: settings, readyWithinMs: START_MS }));
        const [first, second] = nodes as [ServerProcess, ServerProcess];
        for (const { url } of nodes)
          await until(async () => {
            const { dependencies } = (await (await fetch(`${url}/health/ready`)).json()) as {
              dependencies: Record<string, { status: string }>;
            };
            return Object.values(dependencies).every(({ status }) => status === 'ok');
          }, 'every part is ok');
        const company = await signUp(first.url, { role: 'company', displayName: 'Acme' });
        const ada = await signUp(second.url, { role: 'applicant', displayName: 'Ada' });
        const { jobId, groupId } = await call<{ jobId: string; groupId: string }>(
          first.url,
          'POST',
          '/v1/jobs',
          {
            token: company.accessToken,
            body: { title: 'Pilot', description: 'Flies' },
          },
        );
        const there = await new Listener({ ...ada, url: second.url }).connect();
        await call(second.url, 'POST', `/v1/jobs/${jobId}/applications`, {
          token: ada.accessToken,
          body: {},
        });
        const here = await new Listener({ ...company, url: first.url }).connect();
        const { seq } = await here.send({ groupId, text: 'encrypted' });
        await there.reached(groupId, seq);
        here.close();
        there.close();
        expect(
          await postgres.ask(`select from pg_stat_ssl join pg_stat_activity using (pid)
          where datname = 'jobs' and not ssl`),
        ).toEqual([]);
      } finally {
        await Promise.all(nodes.map((node) => node.killTree()));
      }
    },
    2 * START_MS,
  );
});
