import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { parse } from 'yaml';
import { type Role, readConfig } from '../../src/config.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import {
  type ComposeService,
  ROOT,
  composeFile,
  composeVariables,
  environmentOf,
  fileText,
  filledIn,
  makeSecrets,
  networksOf,
  secretsOf,
} from '../support/journeys/deployment-files.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';

const { services, volumes, networks, secrets } = composeFile(filledIn());
const entries = Object.entries(services);
const example = parseEnv(fileText('.env.example')) as Record<string, string>;
/** The variables that the image sets: `ENV NAME=value …`. */
const imageEnv = Object.fromEntries(
  (/^ENV (.+)$/m.exec(fileText('Dockerfile'))?.[1] ?? '').split(' ').map((pair) => pair.split('=')),
) as Record<string, string>;
const isOurs = ({ build }: ComposeService) => build !== undefined;
const nodes = entries.filter(([, { environment }]) => environment?.['ROLES'] !== undefined);
const replicas = ({ deploy }: ComposeService) => deploy?.replicas ?? 1;

const folder = mkdtempSync(join(tmpdir(), 'chat-secrets-'));
makeSecrets(folder);
afterAll(() => rmSync(folder, { recursive: true }));
const secretText = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
/** The settings of a service, as the server reads them. */
const settingsOf = (service: ComposeService) =>
  readConfig({ ...imageEnv, ...environmentOf(service, folder) });

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
  expect(optional).toEqual(['eventstore', 'prometheus', 'grafana']);
  for (const [, { depends_on = {} }] of entries)
    for (const name of optional)
      expect(depends_on[name] ?? { required: false }).toHaveProperty('required', false);
});

test('Every variable is in .env.example, and every entry there is used', () => {
  const ofComposeItself = ['COMPOSE_PROFILES'];
  const used = new Set([...composeVariables().map(({ name }) => name), ...ofComposeItself]);
  expect([...used].toSorted()).toEqual(Object.keys(example).toSorted());
});

test('No secret is in the environment of a container, or in .env', () => {
  for (const [service, { environment = {}, command = [] }] of entries)
    for (const [name, value] of Object.entries(environment)) {
      const inUrl = URL.canParse(value) ? new URL(value).password : '';
      const isNamed = /PASS|SECRET|PRIVATE_KEY|MASTER_KEY|_KEYS$/.test(name) && !name.endsWith('_FILE');
      expect([service, name, inUrl, isNamed ? value : '']).toEqual([service, name, '', '']);
      expect(command.join(' ')).not.toMatch(/password=\S/i);
    }
  for (const name of Object.keys(example))
    expect(name).not.toMatch(/PASSWORD|SECRET$|PRIVATE_KEY$|MASTER_KEY$/);
});

test('Every secret that a service names is one of its own, and every secret is used', () => {
  const used = new Set<string>();
  for (const [service, it] of entries) {
    const text = JSON.stringify([it.environment, it.command, it.healthcheck]);
    const named = [...text.matchAll(/\/run\/secrets\/(\w+)/g)].map(([, name]) => name!);
    const own = secretsOf(it);
    for (const name of named) expect([service, name, own.includes(name)]).toEqual([service, name, true]);
    for (const name of own) {
      expect([service, name, name in secrets]).toEqual([service, name, true]);
      used.add(name);
    }
  }
  expect([...used].toSorted()).toEqual(Object.keys(secrets).toSorted());
});

test('The script makes every file that has to be there, for the users of containers, and keeps it', () => {
  const needed = Object.values(secrets).filter(({ file }) => file.startsWith('./secrets/'));
  for (const { file } of needed) {
    const { mode, size } = statSync(join(folder, file.replace('./secrets/', '')));
    expect([file, mode & 0o777, size > 0]).toEqual([file, 0o444, true]);
  }
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(fileText('.gitignore')).toContain('\nsecrets/\n');
  const before = readdirSync(folder).map(secretText);
  makeSecrets(folder);
  expect(readdirSync(folder).map(secretText)).toEqual(before);
  expect(new Set(before).size).toBe(before.length);
});

test('The script takes over the passwords and the keys of an earlier .env', () => {
  const earlier = mkdtempSync(join(tmpdir(), 'chat-earlier-'));
  try {
    makeSecrets(earlier, { POSTGRES_APP_PASSWORD: 'before', S3_PASSWORD: 'then', SMTP_URL: 'smtps://mail' });
    const text = (name: string) => readFileSync(join(earlier, name), 'utf8');
    expect(text('database_url')).toBe('postgres://chat_node:before@postgres:5432/chat\n');
    expect(text('s3_credentials')).toContain('aws_secret_access_key = then\n');
    expect(text('smtp_url')).toBe('smtps://mail\n');
  } finally {
    rmSync(earlier, { recursive: true });
  }
});

test('The neighbours take the passwords with which the nodes log in', () => {
  const passwordIn = (name: string) => new URL(secretText(name)).password;
  expect(passwordIn('database_owner_url')).toBe(secretText('postgres_password'));
  expect(services['postgres']!.environment!['POSTGRES_PASSWORD_FILE']).toBe('/run/secrets/postgres_password');
  expect(passwordIn('redis_url')).toBe(secretText('redis_password'));
  expect(secretText('rabbitmq_user.conf').split('\n')).toEqual([
    `default_user = ${new URL(secretText('amqp_url')).username}`,
    `default_pass = ${passwordIn('amqp_url')}`,
  ]);
  expect(secretText('s3_credentials')).toContain(`aws_secret_access_key = ${secretText('s3_password')}`);
  expect(secretText('s3_credentials')).toContain(
    `aws_access_key_id = ${services['s3']!.environment!['ROOT_ACCESS_KEY']}`,
  );
});

test('A secret that .env does not name is not set, and one that it names is', () => {
  const api = (changed: object) => composeFile({ ...filledIn(), ...changed });
  const without = api({ MASTER_KEY_FILE: '' });
  expect(without.secrets['master_key']).toEqual({ file: '/dev/null' });
  expect(settingsOf(without.services['api-1']!).masterKeys).toEqual([]);
  expect(settingsOf(services['api-1']!).masterKeys).toEqual([secretText('master_key')]);
  expect(secrets['master_key']).toEqual({ file: './secrets/master_key' });
});

test('Traces are off, and go from every node to where .env says', () => {
  for (const [, service] of nodes) expect(settingsOf(service).traces).toBeUndefined();
  writeFileSync(join(folder, 'otlp_headers'), 'authorization=Bearer%20abc\n');
  const file = composeFile({
    ...filledIn(),
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS_FILE: './secrets/otlp_headers',
    OTEL_SERVICE_NAME: 'chat',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.05',
  });
  for (const [name] of nodes) {
    expect([name, settingsOf(file.services[name]!).traces]).toEqual([
      name,
      {
        url: 'http://collector:4318/v1/traces',
        headers: { authorization: 'Bearer abc' },
        serviceName: 'chat',
        sampler: 'parentbased_traceidratio',
        ratio: 0.05,
      },
    ]);
    // Its way out.
    expect(networksOf(file.services[name]!).filter((it) => !networks[it]?.internal)).toContain('nodes');
  }
});

test.each(['eventstoredb', 'postgres'] as const)('A node accepts its settings, with the log in %s', (log) => {
  const file = composeFile(filledIn({ log }));
  const ours = Object.values(file.services).filter(({ environment }) => environment?.['ROLES']);
  expect(ours.length).toBeGreaterThanOrEqual(7);
  for (const service of ours) {
    const config = settingsOf(service);
    expect(config.eventStoreDbUrl).toBe(
      log === 'eventstoredb' ? 'esdb://eventstore:2113?tls=false' : undefined,
    );
    const inBucket = { s3: { bucket: 'chat-files' } };
    expect(config).toMatchObject({ host: '0.0.0.0', port: 3000, ...inBucket, erasedPeople: inBucket });
    expect(config.redisUrl && config.clamdUrl).toBeTruthy();
    const does = (...roles: Role[]) => roles.some((role) => config.roles.has(role));
    expect(config.amqpUrl !== undefined).toBe(does('notifier', 'worker'));
    expect(config.smtpUrl !== undefined).toBe(does('worker'));
  }
});

test('Only the migrations have the database owner, and every node waits for them', () => {
  const withOwner = entries.filter(([, it]) => secretsOf(it).includes('database_owner_url'));
  expect(withOwner.map(([name]) => name)).toEqual(['migrate']);
  const owner = new URL(settingsOf(services['migrate']!).databaseOwnerUrl!);
  for (const [name, service] of nodes) {
    const { username, password } = new URL(settingsOf(service).databaseUrl!);
    expect([name, username]).not.toEqual([name, owner.username]);
    expect([name, password]).toEqual([name, secretText('postgres_app_password')]);
    expect(service.depends_on).toMatchObject({ migrate: { condition: 'service_completed_successfully' } });
  }
});

test('Only the sealers have the key that signs checkpoints', () => {
  const withKey = entries.filter(([, it]) => secretsOf(it).includes('seal_private_key'));
  expect(withKey.map(([name]) => name)).toEqual(['sealer']);
  expect(settingsOf(services['sealer']!).seal.privateKey).toBe(secretText('seal_private_key'));
});

test('Every role runs in two processes', () => {
  const counts: Partial<Record<Role, number>> = {};
  for (const [, service] of nodes)
    for (const role of settingsOf(service).roles) counts[role] = (counts[role] ?? 0) + replicas(service);
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
  const addressed = new Set<string>();
  for (const [node, service] of nodes) {
    const config = settingsOf(service);
    const { databaseUrl, eventStoreDbUrl, redisUrl, amqpUrl, clamdUrl, smtpUrl, s3, roles } = config;
    // Only workers ask clamd.
    const scanner = roles.has('worker') ? clamdUrl : undefined;
    for (const url of [databaseUrl, eventStoreDbUrl, redisUrl, amqpUrl, scanner, smtpUrl, s3?.endpoint]) {
      if (url === undefined) continue;
      const { hostname, port } = new URL(url);
      addressed.add(hostname);
      expect(services).toHaveProperty(hostname);
      expect(ports[hostname]).toContain(port);
      const shared = networksOf(services[hostname]!).filter((it) => networksOf(service).includes(it));
      expect([node, hostname, shared.length]).toEqual([node, hostname, 1]);
    }
  }
  expect([...addressed].toSorted()).toEqual(Object.keys(ports).toSorted());
});

test('Only those who need a neighbour reach it', () => {
  const reaching = (neighbour: string) =>
    entries
      .filter(
        ([name, it]) =>
          name !== neighbour && networksOf(it).some((n) => networksOf(services[neighbour]!).includes(n)),
      )
      .map(([name]) => name);
  const nodeNames = nodes.map(([name]) => name);
  expect(reaching('postgres')).toEqual(expect.arrayContaining([...nodeNames, 'migrate']));
  expect(reaching('rabbitmq')).toEqual(['notifier', 'worker']);
  expect(reaching('clamav')).toEqual(['worker']);
  expect(reaching('mailpit')).toEqual(['worker']);
  expect(reaching('redis')).toEqual(nodeNames);
  expect(reaching('nginx')).toEqual(['api-1', 'api-2']);
  // Neighbours do not reach each other, and those that publish nothing and fetch nothing have no way out.
  const neighbours = entries.filter(([, it]) => !isOurs(it) && !it.profiles?.includes('observability'));
  for (const [name] of neighbours)
    expect(reaching(name).filter((other) => !isOurs(services[other]!))).toEqual([]);
  for (const name of ['postgres', 'eventstore', 'redis', 'rabbitmq'])
    expect(networksOf(services[name]!).map((it) => networks[it])).toEqual([{ internal: true }]);
  const known = new Set(entries.flatMap(([, it]) => networksOf(it)));
  expect([...known].toSorted()).toEqual(Object.keys(networks).toSorted());
});

test('Prometheus finds every node under the name that it asks for', () => {
  const { scrape_configs: scrapes } = parse(fileText('deploy/observability/prometheus.yml')) as {
    scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
  };
  const [{ names, port } = { names: [], port: 0 }] = scrapes[0]!.dns_sd_configs;
  for (const [node, service] of nodes) {
    const joined = service.networks as Record<string, { aliases?: string[] }>;
    expect([node, joined['nodes']!.aliases]).toEqual([node, names]);
    expect(settingsOf(service).port).toBe(port);
  }
  expect(networksOf(services['prometheus']!)).toContain('nodes');
  const { datasources } = parse(fileText('deploy/grafana/datasources.yml')) as {
    datasources: { url: string }[];
  };
  expect(new URL(datasources[0]!.url).hostname).toBe('prometheus');
  const [provider] = (
    parse(fileText('deploy/grafana/dashboards.yml')) as {
      providers: { options: { path: string } }[];
    }
  ).providers;
  const mounts = services['grafana']!.volumes!.map((mount) => mount.split(':'));
  expect(mounts).toContainEqual([
    './deploy/observability/dashboard.json',
    `${provider!.options.path}/chat.json`,
    'ro',
  ]);
});

test('Services have no rights but those that their images need', () => {
  for (const [name, it] of entries) {
    expect([name, it.cap_drop]).toEqual([name, ['ALL']]);
    expect([name, it.security_opt]).toEqual([name, ['no-new-privileges:true']]);
    expect([name, it.pids_limit]).toEqual([name, 512]);
    // Whoever may become another user begins as root for that alone.
    if (it.user || isOurs(it)) expect([name, it.cap_add]).toEqual([name, undefined]);
  }
  const writable = entries.filter(([, it]) => !it.read_only).map(([name]) => name);
  expect(writable).toEqual(['eventstore', 'clamav']);
  expect(entries.filter(([, it]) => it.cap_add).map(([name]) => name)).toEqual([
    'nginx',
    'postgres',
    'clamav',
  ]);
});

test('The memory of all services fits into the machine that the guide asks for', () => {
  const mib = (limit = '') => Number.parseInt(limit, 10) * (limit.endsWith('g') ? 1_024 : 1);
  const sum = (list: typeof entries) =>
    list.reduce((total, [, it]) => total + mib(it.mem_limit) * replicas(it), 0);
  for (const [name, { mem_limit, cpus }] of entries)
    expect([name, mib(mem_limit) > 0, cpus! > 0 && cpus! < 4]).toEqual([name, true, true]);
  // Those that run to completion do so before the nodes start.
  const lasting = entries.filter(([, it]) => !it.healthcheck?.disable);
  const asked = (text: string) =>
    Number(
      new RegExp(`(\\d+) GiB${text}`).exec(fileText('docs/deployment.md').replaceAll(/\s+/g, ' '))?.[1],
    ) * 1_024;
  expect(sum(lasting.filter(([, it]) => !it.profiles))).toBeLessThanOrEqual(asked(';'));
  expect(asked(';')).toBe(10_240);
  for (const profile of new Set(entries.flatMap(([, it]) => it.profiles ?? [])))
    expect(sum(lasting.filter(([, it]) => it.profiles?.includes(profile)))).toBeLessThanOrEqual(
      asked(` more with the profile \`${profile}\``),
    );
  for (const [, it] of nodes) {
    const heap = Number(/--max-old-space-size=(\d+)/.exec(it.command!.join(' '))?.[1]);
    expect(heap).toBeLessThanOrEqual(mib(it.mem_limit) * 0.65);
  }
});

test('NGINX passes requests to the api nodes, which trust no other proxy', () => {
  const api = nodes.filter(([, { environment }]) => environment?.['ROLES'] === 'api');
  const upstream = [...fileText('deploy/nginx/upstream.conf').matchAll(/^ +server (\S+?)[ ;]/gm)].map(
    ([, it]) => it,
  );
  expect(new Set(upstream)).toEqual(new Set(api.map(([name]) => `${name}:3000`)));
  const addressOf = ({ networks: joined = [] }: ComposeService) =>
    Array.isArray(joined) ? undefined : joined['edge']?.ipv4_address;
  const address = addressOf(services['nginx']!);
  expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  for (const [, service] of api) {
    expect(service.environment?.['TRUSTED_PROXIES']).toBe(address);
    // NGINX resolves it once: it must not change when the container is recreated.
    expect(addressOf(service)).toMatch(/^172\.31\.250\.\d+$/);
  }
});

test('Only NGINX, the upload target and the pages of mails and figures publish ports, by default on loopback', () => {
  const published = entries.filter(([, { ports }]) => ports).map(([name]) => name);
  expect(published).toEqual(['nginx', 's3', 'mailpit', 'grafana']);
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
  expect([...new Set(named)].toSorted()).toEqual(Object.keys(volumes).toSorted());
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
  // Here the heap is as large as the memory of the container lets it be.
  const here = nodes.map(([, it]) => it.command!.join(' ').replace(/(old-space-size)=\d+/, '$1=1536'));
  expect(new Set(here)).toEqual(new Set([scripts['start']]));
});

test('The image has the Node.js version of the tests and the programs that are run in it', () => {
  const { devDependencies } = JSON.parse(fileText('package.json')) as {
    devDependencies: Record<string, string>;
  };
  const from = [...fileText('Dockerfile').matchAll(/^FROM node:(\S+)-slim/gm)].map(([, version]) => version);
  expect(new Set(from)).toEqual(new Set([devDependencies['node']]));
  const copied = [...fileText('Dockerfile').matchAll(/^COPY (\w+) \1$/gm)].map(([, folder]) => folder);
  for (const [, service] of entries.filter(([, it]) => isOurs(it) && it.command)) {
    const [command, script = ''] = service.command!.filter((it) => !it.startsWith('--'));
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
