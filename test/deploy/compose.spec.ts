import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Role, readConfig } from '../../src/config.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import {
  type ComposeService,
  ROOT,
  composeFile,
  composeVariables,
  fileText,
  filledIn,
} from '../support/journeys/deployment-files.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';

const { services, volumes } = composeFile(filledIn());
const entries = Object.entries(services);
const example = parseEnv(fileText('.env.example')) as Record<string, string>;
/** The variables that the image sets: `ENV NAME=value …`. */
const imageEnv = Object.fromEntries(
  (/^ENV (.+)$/m.exec(fileText('Dockerfile'))?.[1] ?? '').split(' ').map((pair) => pair.split('=')),
) as Record<string, string>;
const isOurs = ({ build }: ComposeService) => build !== undefined;
const nodes = entries.filter(([, { environment }]) => environment?.['ROLES'] !== undefined);
const replicas = ({ deploy }: ComposeService) => deploy?.replicas ?? 1;

test.each(entries)('%s has an image of a fixed version', (_name, { image }) => {
  expect(image).toMatch(/:[\w][\w.-]*$/);
  expect(image).not.toMatch(/:(latest|stable|main|edge|\d+)$/);
});

test('Every dependency has a health check, or runs to completion', () => {
  for (const [name, { depends_on = {} }] of entries)
    for (const [part, { condition }] of Object.entries(depends_on)) {
      const found = services[part];
      expect([name, part, found !== undefined]).toEqual([name, part, true]);
      expect([part, condition]).toEqual([
        part,
        found?.healthcheck?.disable ? 'service_completed_successfully' : 'service_healthy',
      ]);
      expect([part, found?.healthcheck?.test !== undefined || found?.healthcheck?.disable]).toEqual([
        part,
        true,
      ]);
    }
});

test('A service with a profile is an optional dependency', () => {
  const optional = entries.filter(([, { profiles }]) => profiles).map(([name]) => name);
  expect(optional).toEqual(['eventstore']);
  for (const [, { depends_on = {} }] of entries)
    for (const name of optional)
      expect(depends_on[name] ?? { required: false }).toHaveProperty('required', false);
});

test('Every variable is in .env.example, and every entry there is used', () => {
  const ofComposeItself = ['COMPOSE_PROFILES'];
  const used = new Set([...composeVariables().map(({ name }) => name), ...ofComposeItself]);
  expect([...used].toSorted()).toEqual(Object.keys(example).toSorted());
});

test('Passwords are neither published nor defaulted', () => {
  const secrets = Object.keys(example).filter((name) => name.endsWith('_PASSWORD'));
  expect(secrets).toHaveLength(5);
  for (const name of secrets) expect([name, example[name]]).toEqual([name, '']);
  for (const { name, isNeeded } of composeVariables())
    if (secrets.includes(name)) expect([name, isNeeded]).toEqual([name, true]);
  for (const name of secrets)
    expect(() => composeFile({ ...filledIn(), [name]: '' })).toThrow(`${name}: set it in .env`);
});

test('Every use of a password has the configured value', () => {
  const known = new Set(
    Object.entries(filledIn())
      .filter(([name]) => name.endsWith('_PASSWORD'))
      .map(([, it]) => it),
  );
  for (const [service, { environment = {} }] of entries)
    for (const [name, value] of Object.entries(environment)) {
      const inUrl = URL.canParse(value) ? new URL(value).password : '';
      const isSecret = /PASS|SECRET_(ACCESS_)?KEY|REDISCLI_AUTH/.test(name);
      const secret = inUrl || (isSecret ? value : '');
      if (secret) expect([service, name, known.has(secret)]).toEqual([service, name, true]);
    }
});

test.each(['eventstoredb', 'postgres'] as const)('A node accepts its settings, with the log in %s', (log) => {
  const file = composeFile(filledIn({ log }));
  const ours = Object.values(file.services).filter(isOurs);
  expect(ours.length).toBeGreaterThanOrEqual(7);
  for (const { environment } of ours) {
    const config = readConfig({ ...imageEnv, ...environment });
    expect(config.eventStoreDbUrl).toBe(
      log === 'eventstoredb' ? 'esdb://eventstore:2113?tls=false' : undefined,
    );
    const inBucket = { s3: { bucket: 'chat-files' } };
    expect(config).toMatchObject({ host: '0.0.0.0', port: 3000, ...inBucket, erasedPeople: inBucket });
    expect(config.redisUrl && config.amqpUrl && config.clamdUrl && config.smtpUrl).toBeTruthy();
  }
});

test('Only the migrations have the database owner, and every node waits for them', () => {
  const withOwner = entries.filter(([, { environment }]) => environment?.['DATABASE_OWNER_URL']);
  expect(withOwner.map(([name]) => name)).toEqual(['migrate']);
  const passwords: Record<string, string> = filledIn();
  const owner = new URL(services['migrate']!.environment!['DATABASE_OWNER_URL']!);
  expect(owner.password).toBe(passwords['POSTGRES_PASSWORD']);
  for (const [name, { environment, depends_on }] of nodes) {
    const { username, password } = new URL(environment!['DATABASE_URL']!);
    expect([name, username]).not.toEqual([name, owner.username]);
    expect([name, password]).toEqual([name, passwords['POSTGRES_APP_PASSWORD']]);
    expect(depends_on).toMatchObject({ migrate: { condition: 'service_completed_successfully' } });
  }
});

test('Only the sealers have the key that signs checkpoints', () => {
  const withKey = entries.filter(([, { environment }]) => environment?.['SEAL_PRIVATE_KEY']);
  expect(withKey.map(([name]) => name)).toEqual(['sealer']);
  expect(() => composeFile({ ...filledIn(), SEAL_PRIVATE_KEY: '' })).toThrow(
    'SEAL_PRIVATE_KEY: set it in .env',
  );
});

test('Every role runs in two processes', () => {
  const counts: Partial<Record<Role, number>> = {};
  for (const [, service] of nodes)
    for (const role of readConfig({ ...imageEnv, ...service.environment }).roles)
      counts[role] = (counts[role] ?? 0) + replicas(service);
  expect(counts).toEqual({ api: 2, projector: 2, realtime: 2, notifier: 2, worker: 2, sealer: 2 });
});

test('Settings refer to services by their names and ports', () => {
  const ports: Record<string, string[]> = {
    postgres: ['5432'],
    eventstore: ['2113'],
    redis: ['6379'],
    rabbitmq: ['5672'],
    s3: ['9000'],
    clamav: ['3310'],
    mailpit: ['1025'],
  };
  const addresses = [
    'DATABASE_URL',
    'EVENTSTOREDB_URL',
    'REDIS_URL',
    'AMQP_URL',
    'S3_ENDPOINT',
    'CLAMD_URL',
    'SMTP_URL',
  ];
  for (const [, { environment }] of nodes)
    for (const name of addresses) {
      const { hostname, port } = new URL(environment?.[name] ?? '');
      expect(services).toHaveProperty(hostname);
      expect(ports[hostname]).toContain(port);
    }
});

test('NGINX passes requests to the api nodes, which trust no other proxy', () => {
  const api = nodes.filter(([, { environment }]) => environment?.['ROLES'] === 'api');
  const upstream = [...fileText('deploy/nginx/upstream.conf').matchAll(/^ +server (\S+?)[ ;]/gm)].map(
    ([, it]) => it,
  );
  expect(new Set(upstream)).toEqual(new Set(api.map(([name]) => `${name}:3000`)));
  const address = services['nginx']?.networks?.['edge']?.ipv4_address;
  expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  for (const [, { environment, networks }] of api) {
    expect(environment?.['TRUSTED_PROXIES']).toBe(address);
    // NGINX resolves it once: it must not change when the container is recreated.
    expect(networks?.['edge']?.ipv4_address).toMatch(/^172\.31\.250\.\d+$/);
  }
});

test('Only NGINX, the upload target and the mail viewer publish ports, by default on loopback', () => {
  const published = entries.filter(([, { ports }]) => ports).map(([name]) => name);
  expect(published).toEqual(['nginx', 's3', 'mailpit']);
  for (const [, { ports = [] }] of entries)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
});

test('Every mounted file exists, and every volume is declared and used', () => {
  const sources = entries.flatMap(([, { volumes: mounts = [] }]) =>
    mounts.map((mount) => mount.split(':')[0]!),
  );
  const files = sources.filter((source) => source.startsWith('./'));
  for (const file of files) expect([file, existsSync(join(ROOT, file))]).toEqual([file, true]);
  const named = sources.filter((source) => !source.startsWith('./'));
  expect(named.toSorted()).toEqual(Object.keys(volumes).toSorted());
});

test('The stop grace period of a node exceeds its shutdown time', () => {
  const mostMs = Number(/SHUTDOWN_MS = ([\d_]+)/.exec(fileText('src/main.ts'))?.[1]?.replaceAll('_', ''));
  expect(mostMs).toBe(25_000);
  for (const [name, { stop_grace_period }] of nodes)
    expect([name, Number(stop_grace_period?.replace(/s$/, '')) * 1_000 > mostMs]).toEqual([name, true]);
});

test('The image starts the program with the options of `npm start`', () => {
  const { scripts } = JSON.parse(fileText('package.json')) as { scripts: Record<string, string> };
  const command = JSON.parse(/^CMD (.+)$/m.exec(fileText('Dockerfile'))?.[1] ?? '[]') as string[];
  expect(command.join(' ')).toBe(scripts['start']);
});

test('The image has the Node.js version of the tests and the programs that are run in it', () => {
  const { devDependencies } = JSON.parse(fileText('package.json')) as {
    devDependencies: Record<string, string>;
  };
  const from = [...fileText('Dockerfile').matchAll(/^FROM node:(\S+)-slim/gm)].map(([, version]) => version);
  expect(new Set(from)).toEqual(new Set([devDependencies['node']]));
  const copied = [...fileText('Dockerfile').matchAll(/^COPY (\w+) \1$/gm)].map(([, folder]) => folder);
  for (const [, service] of entries.filter(([, it]) => isOurs(it) && it.command)) {
    const [command, script = ''] = service.command!;
    expect([command, existsSync(join(ROOT, script))]).toEqual(['node', true]);
    expect(copied).toContain(script.split('/')[0]);
    expect(fileText('.dockerignore')).toContain(`!${script.split('/')[0]}\n`);
  }
});

test('The guide names existing services and programs', () => {
  const guide = fileText('docs/deployment.md');
  const calls = [...guide.matchAll(/docker compose exec (\S+) node (\S+)/g)];
  expect(calls.length).toBeGreaterThan(2);
  for (const [, service = '', script = ''] of calls) {
    expect(services).toHaveProperty(service);
    expect([script, existsSync(join(ROOT, script))]).toEqual([script, true]);
  }
  for (const [, named = ''] of guide.matchAll(/--no-deps ([\w -]+)/g))
    for (const service of named.split(' ')) expect(services).toHaveProperty(service);
});

describe('the health check of a node', () => {
  const [, program, ...args] = nodes[0]![1].healthcheck!.test!;
  const check = (port: string) =>
    new Promise<number>((done) =>
      execFile(process.execPath, args, { env: { ...imageEnv, PORT: port } }, (error) =>
        done(error ? Number(error.code) : 0),
      ),
    );
  let database: TestDatabase;
  let server: ServerProcess | undefined;
  beforeAll(async () => (database = await createTestDatabase()));
  afterAll(async () => {
    await server?.killProcess();
    await database.drop();
  });

  test('is the same for all nodes, and runs in the image', () => {
    expect(program).toBe('node');
    for (const [, { healthcheck }] of nodes) expect(healthcheck?.test).toEqual(['CMD', program, ...args]);
  });

  test('passes while the node is ready, and fails when it is gone', async () => {
    server = await startServer({ env: { DATABASE_URL: database.ownerUrl } });
    const { port } = new URL(server.url);
    expect(await check(port)).toBe(0);
    await server.stop();
    expect(await check(port)).toBe(1);
  });
});
