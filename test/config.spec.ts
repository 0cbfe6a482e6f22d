import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EventStoreDBClient } from '@eventstore/db-client';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import webPush from 'web-push';
import { BadConfig, readConfig } from '../src/config.ts';

function faults(env: NodeJS.ProcessEnv): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof BadConfig) return error.lines;
    throw error;
  }
}

const privateKey = (type: 'ed25519' | 'x25519') =>
  generateKeyPairSync(type as 'ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

/** A trusted issuer, with some parts changed. */
const trusted = (parts: object = {}) => ({
  ...{ issuer: 'https://login.example', jwksUri: 'https://login.example/jwks.json', audience: 'chat' },
  ...{ algorithms: ['RS256'], clientId: '01a22b2d-b0d3-7e2d-b364-f4b84b153456' },
  ...parts,
});

describe('the settings', () => {
  test('have defaults', () => {
    expect(readConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: './data',
      logLevel: 'info',
      jwt: { algorithm: 'ES256', privateKey: undefined, previousKeys: [] },
      scanWebhookSecrets: [],
      roles: new Set(['api', 'projector', 'realtime', 'notifier', 'worker', 'sealer']),
      allowedOrigins: [],
      trustedProxies: [],
      masterKeys: [],
      jobConversations: 'group',
      threadReplyDays: 14,
      erasureDelayHours: 72,
      accessTokenSeconds: 600,
      trustedIssuers: { issuers: [] },
      auditorTotp: 'offered',
      operatorTotp: 'offered',
      totpIssuer: 'slay-e-chatapp',
      headsIntervalMs: 15_000,
      messagesPerMinute: 100,
      loginsPerMinute: 60,
      failedLoginsPerMinute: 10,
      uploadsPerMinute: 60,
      requestsPerMinute: 3000,
      clientRequestsPerMinute: 30_000,
      anonymousRequestsPerMinute: 6000,
      maxFileBytes: 26_214_400,
      uploadQuotas: { bytesPerUserDay: 524_288_000, bytesPerGroup: 5_368_709_120 },
      minFreeDiskBytes: 1_073_741_824,
      mailFrom: 'Jobs <noreply@localhost>',
      pushPrivateHosts: [],
      seal: {
        url: pathToFileURL(resolve('data/checkpoints.ndjson')).href,
        file: resolve('data/checkpoints.ndjson'),
      },
      erasedPeople: {
        url: pathToFileURL(resolve('data/erased-people.ndjson')).href,
        file: resolve('data/erased-people.ndjson'),
      },
    });
  });

  test('are read from the environment', () => {
    const config = readConfig({
      PORT: '0',
      ALLOWED_ORIGINS: 'https://app.example.org, http://localhost:5173',
      TRUSTED_PROXIES: '10.0.0.0/8,::1',
      PUBLIC_URL: 'https://chat.example.org',
      DATABASE_URL: 'postgres://chat:secret@db/chat',
      MESSAGES_PER_MINUTE: '1000',
    });
    expect(config).toMatchObject({
      port: 0,
      allowedOrigins: ['https://app.example.org', 'http://localhost:5173'],
      trustedProxies: ['10.0.0.0/8', '::1'],
      publicUrl: 'https://chat.example.org',
      totpIssuer: 'chat.example.org',
      databaseUrl: 'postgres://chat:secret@db/chat',
      messagesPerMinute: 1000,
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.allowedOrigins)).toBe(true);
  });

  test('tell where traces go, and nothing without an endpoint', () => {
    const named = { OTEL_SERVICE_NAME: 'board', OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' };
    expect(readConfig(named).traces).toBeUndefined();
    expect(
      readConfig({
        ...named,
        OTEL_TRACES_SAMPLER_ARG: '0.25',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/otlp/?key=1',
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc, x-scope=a=b',
      }).traces,
    ).toEqual({
      url: 'http://collector:4318/otlp/v1/traces?key=1',
      headers: { authorization: 'Bearer abc', 'x-scope': 'a=b' },
      serviceName: 'board',
      sampler: 'parentbased_traceidratio',
      ratio: 0.25,
    });
    expect(
      readConfig({
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://tempo:4318/v1/traces',
      }).traces,
    ).toEqual({
      url: 'http://tempo:4318/v1/traces',
      headers: {},
      serviceName: 'slay-e-chatapp',
      sampler: 'parentbased_always_on',
      ratio: 1,
    });
  });

  test('count as unset when empty', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toEqual(readConfig({}));
  });

  const VAPID = { VAPID_PUBLIC_KEY: 'A'.repeat(87), VAPID_PRIVATE_KEY: 'A'.repeat(43) };

  test('take the issuers that are trusted as a list or as its URL', () => {
    const read = (TRUSTED_ISSUERS: string) => readConfig({ TRUSTED_ISSUERS }).trustedIssuers;
    expect(read(JSON.stringify([trusted({ claims: { externalId: 'uid' } })]))).toStrictEqual({
      issuers: [
        {
          ...(trusted() as object),
          claims: {
            ...{ externalId: 'uid', role: 'role', displayName: 'name', email: 'email' },
            emailVerified: 'email_verified',
          },
          roles: { company: 'company', applicant: 'applicant' },
          createUsers: false,
        },
      ],
    });
    for (const url of [
      'https://login.example/issuers.json',
      'http://127.0.0.1:8080/',
      'file:///etc/issuers.json',
    ])
      expect(read(url)).toStrictEqual({ url });
  });

  test.each<[name: string, values: string[], others?: NodeJS.ProcessEnv]>([
    ['PORT', ['0', '3000', '65535', '8080\r', ' 8080 ']],
    ['HOST', ['0.0.0.0', '::', 'chat.internal']],
    ['STATUS_PORT', ['9090']],
    ['DATA_DIR', ['./data', '/var/lib/chat data']],
    ['LOG_LEVEL', ['info', 'INFO', 'Debug', 'silent', 'warn\r']],
    [
      'PUBLIC_URL',
      [
        'https://chat.example.org',
        'https://bücher.example',
        'http://127.0.0.1:3000/',
        'https://[2001:db8::1]:8443',
      ],
    ],
    [
      'ALLOWED_ORIGINS',
      [
        'https://app.example.org',
        'http://localhost:5173, https://app.example.org',
        'capacitor://localhost',
        'ionic://localhost',
        'tauri://localhost',
        'http://tauri.localhost',
        'https://*.example.org',
        'https://*.example.org:8443,http://*.localhost:3000',
        'chrome-extension://abcdefghijklmnop',
      ],
    ],
    [
      'TRUSTED_PROXIES',
      [
        '10.0.0.0/8,::1',
        '127.0.0.1',
        'fd00::/8',
        'loopback',
        'uniquelocal, linklocal',
        '10.0.0.0/255.255.0.0',
      ],
    ],
    [
      'DATABASE_URL',
      [
        'postgres://chat:secret@db/chat',
        'postgresql://chat:p%40ss%3Aw%2Frd@db.internal:5433/chat?sslmode=require',
        'postgres://chat:secret@db/chat?sslmode=verify-full&sslrootcert=/etc/ca.crt',
        'postgres://%2Fvar%2Frun%2Fpostgresql/chat',
        'postgres://chat:secret@[::1]:5433/chat',
        'postgres://chat:secret@a,b/chat',
        'postgres://chat:p%40s%2Cs%3A@a:5432,[2001:db8::1]:5433,%2Frun,10.0.0.1/chat?target_session_attrs=primary',
        'postgres://chat@a,b/chat?sslmode=require&target_session_attrs=read-write',
        'postgres://chat@a/chat?target_session_attrs=any',
        'postgres://chat@a/chat?sslmode=allow',
        'postgres://chat@a/chat?sslmode=verify-ca&sslrootcert=/etc/ca.crt&sslcert=/etc/chat.crt&sslkey=/etc/chat.key',
      ],
    ],
    [
      'EVENTSTOREDB_URL',
      [
        'esdb://localhost:2113?tls=false',
        'esdb://user:password@node1:2113,node2:2113,node3:2113?tls=true',
        'esdb+discover://user:p%40ss@cluster.example.org:2113?tlsCAFile=/etc/ca.crt&nodePreference=leader',
        'esdb://10.0.0.1,10.0.0.2,10.0.0.3',
        'esdb://node1:2113/?tls=false\r',
      ],
    ],
    [
      'REDIS_URL',
      [
        'redis://redis',
        'rediss://user:p%40ss@redis.example.org:6380/2',
        'redis://redis.example.org.?db=2',
        'redis://:secret@[::1]:6379',
        'redis+sentinel://a,b:26380,c/chat',
        'rediss+sentinel://:secret@a:26379/chat/3',
        'unix:///run/redis.sock',
        'unix://:secret@/run/redis.sock?db=1',
      ],
    ],
    ['AMQP_URL', ['amqp://rabbit', 'amqps://chat:p%40ss@rabbit.example.org:5671/%2Fchat?heartbeat=5']],
    ['SMTP_URL', ['smtp://mail.example.org:587', 'smtps://jobs%40example.org:secret@mail.example.org']],
    ['CLAMD_URL', ['tcp://clamd', 'tcp://[::1]:3310', 'unix:///run/clamav/clamd.ctl']],
    ['MAIL_FROM', ['jobs@example.org', 'Jobs <jobs@example.org>', '"Jobs, Inc." <jobs@example.org>']],
    ['S3_BUCKET', ['files', 'chat.files-1']],
    ['MASTER_KEY', [`${'A'.repeat(43)}=`, `kms:AQIDAHj/+w==, ${'-_'.repeat(21)}A`]],
    ['S3_ENDPOINT', ['http://minio:9000', 'https://s3.eu-central-1.amazonaws.com'], { S3_BUCKET: 'files' }],
    ['VAPID_SUBJECT', ['mailto:ops@example.org', 'https://example.org/contact'], VAPID],
    ['PUSH_PRIVATE_HOSTS', ['push.internal, 10.0.0.5']],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ['http://collector:4318', 'https://user:secret@otlp.example.org/otlp/']],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', ['http://[::1]:4318/v1/traces']],
    ['OTEL_EXPORTER_OTLP_HEADERS', ['authorization=Bearer%20abc=', 'x-a=1, x-b = 2', 'x-a=']],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', ['http/json']],
    ['OTEL_TRACES_SAMPLER', ['always_on', 'parentbased_traceidratio']],
    ['OTEL_TRACES_SAMPLER_ARG', ['0', '0.25', '1', '1.0']],
  ])('accept for %s what the library that reads it accepts', (name, values, others = {}) => {
    for (const value of values) expect([value, faults({ ...others, [name]: value })]).toEqual([value, []]);
  });

  test.each([
    ['PORT', ['-1', '65536', '3000.5', '0x10', 'http', '1e3', '٣']],
    ['HOST', ['a b']],
    ['LOG_LEVEL', ['verbose']],
    [
      'ALLOWED_ORIGINS',
      [
        ...['*', 'app.example.org', 'https://app.example.org/', 'https://a.example,', 'null', 'file://'],
        ...['https://*', 'https://*.com', 'https://a.*.org', 'https://App.example.org', 'https://a.org:443'],
        ...['https://*a.example.org', 'https://user@a.org', 'https://a.org?x'],
      ],
    ],
    ['TRUSTED_PROXIES', ['10.0.0.0/33', '10.0.0.0/8/8', '1.2.3', '::1/129', '10.0.0.0/255.0.255.0', 'all']],
    ['PUBLIC_URL', ['chat.example.org', 'ftp://chat.example.org', 'https://']],
    [
      'DATABASE_URL',
      [
        'mysql://db/chat',
        'db',
        'postgres://a,/chat',
        'postgres://a:5432,b:70000/chat',
        'postgres://a,[::g]/chat',
        'postgres://db:70000/chat',
        'postgres:///chat',
        'postgres:///chat?host=/var/run/postgresql',
        'postgres://a,b/chat?target_session_attrs=standby',
        'postgres://a,b/chat?target_session_attrs=prefer-standby',
        'postgres://a,b/chat?target_session_attrs=read-only',
        'postgres://a/chat?target_session_attrs=',
        'postgres://a/chat?sslmode=verify',
        'postgres://a/chat?sslmode=',
        'postgres://a/chat?sslmode=verify-ca',
        'postgres://a/chat?sslmode=verify-ca&sslrootcert=system',
      ],
    ],
    [
      'EVENTSTOREDB_URL',
      [
        'http://node1',
        'esdb://',
        'esdb://user@node1',
        'esdb://[::1]:2113',
        'esdb://a:b:c',
        'esdb://node1/db',
        'esdb://%2Fvar%2Frun',
        'ESDB://node1',
        'node1:2113',
      ],
    ],
    [
      'REDIS_URL',
      [
        ...['redis', 'http://redis', 'redis://a,b', 'redis+sentinel://a,b', 'unix://', 'redis://a/name'],
        ...['redis://%2Frun', 'redis://%zz', 'redis://[:::]', 'unix:///run/redis.sock?db=name'],
      ],
    ],
    ['ACCESS_TOKEN_SECONDS', ['0', '3601']],
    [
      'TRUSTED_ISSUERS',
      [
        ...['login.example', 'http://login.example/issuers.json', 'https://user:secret@login.example', '{}'],
        JSON.stringify([trusted({ algorithms: ['HS256'] })]),
        JSON.stringify([trusted({ algorithms: ['none'] })]),
        JSON.stringify([trusted({ algorithms: [] })]),
        JSON.stringify([trusted({ jwksUri: 'http://login.example/jwks.json' })]),
        JSON.stringify([trusted({ jwksUri: 'file:///etc/passwd' })]),
        JSON.stringify([trusted({ clientId: 'a client' })]),
        JSON.stringify([trusted({ roles: { root: 'admin' } })]),
        JSON.stringify([trusted({ claim: {} })]),
        JSON.stringify([trusted(), trusted()]),
        JSON.stringify([trusted(), trusted({ issuer: 'https://other.example' })]),
      ],
    ],
    ['CLIENT_REQUESTS_PER_MINUTE', ['99']],
    ['AUDITOR_TOTP', ['true', 'Required']],
    ['OPERATOR_TOTP', ['true', 'Required']],
    ['HEADS_INTERVAL_MS', ['15001', '0']],
    ['MESSAGES_PER_MINUTE', ['0', 'many']],
    ['LOGINS_PER_MINUTE', ['-5']],
    ['FAILED_LOGINS_PER_MINUTE', ['ten']],
    ['UPLOADS_PER_MINUTE', ['0']],
    ['REQUESTS_PER_MINUTE', ['99', 'many']],
    ['ANONYMOUS_REQUESTS_PER_MINUTE', ['99']],
    ['MAX_FILE_MIB', ['0', '1025', '2.5']],
    ['UPLOAD_MIB_PER_USER_DAY', ['0', '24', 'much']],
    ['FILES_MIB_PER_GROUP', ['0', '24']],
    ['MIN_FREE_DISK_MIB', ['-1']],
    ['S3_BUCKET', ['A', 'no/slash']],
    ['MASTER_KEY', ['secret', 'A'.repeat(42), 'kms:', 'kms:a b', 'KMS:AQID', `kms:${'A'.repeat(8_200)}`]],
    ['CLAMD_URL', ['localhost:3310', 'http://127.0.0.1:3310', 'tcp://', 'unix:relative', 'tcp://a,b']],
    ['SCAN_WEBHOOK_SECRET', ['too short', `${'a'.repeat(32)},too short`, `${'a'.repeat(32)},`]],
    ['JWT_ALGORITHM', ['HS256', 'none', 'es256', 'ES384']],
    ['VAPID_PREVIOUS_KEYS', ['short', '_'.repeat(43), 'A'.repeat(43)]],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', ['collector:4318', 'grpc://collector:4317']],
    ['OTEL_EXPORTER_OTLP_HEADERS', ['secret', 'a b=c', 'x-a=%zz', 'x-a=1;x-b=2']],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', ['grpc', 'http/protobuf']],
    ['OTEL_TRACES_SAMPLER', ['sometimes', 'jaeger_remote']],
    ['OTEL_TRACES_SAMPLER_ARG', ['-1', '1.1', '50%', '1e-3']],
    ['AMQP_URL', ['rabbit', 'http://rabbit', 'amqp://a,b', 'amqp://']],
    ['SMTP_URL', ['mail.example.org:25', 'smtp://a,b']],
    ['MAIL_FROM', ['nobody', 'A\r\nBcc: x@example.org']],
    ['PUSH_PRIVATE_HOSTS', ['http://127.0.0.1']],
  ])('name %s when it is bad, in one line', (name, values) => {
    for (const value of values)
      expect([value, faults({ [name]: value })]).toEqual([
        value,
        [expect.stringMatching(new RegExp(`^${name} must .*$`))],
      ]);
  });

  test.each([
    ['EVENTSTOREDB_URL', 'esdb+srv://admin:changeit@node1:2113', 'not esdb+srv://***@node1:2113'],
    ['DATABASE_URL', 'postgres://chat:se@cr@et@a,/chat', 'not postgres://***@a,/chat'],
    ['DATABASE_URL', 'mysql://db/chat?password=secret&x=1', 'not mysql://db/chat?password=***&x=1'],
    ['SMTP_URL', 'jobs:secret@mail.example.org', 'not ***@mail.example.org'],
    ['REDIS_URL', 'http://redis\u0000\u202e', 'not http://redis?'],
  ])('show what %s got, without passwords: %s', (name, value, shown) => {
    expect(faults({ [name]: value })).toEqual([expect.stringContaining(shown)]);
  });

  test('name files of authorities that cannot be read, or are for no TLS', () => {
    const file = import.meta.filename;
    const tls = { REDIS_URL: 'rediss://a', AMQP_URL: 'amqps://a', EVENTSTOREDB_URL: 'esdb://a' };
    const files = (path: string) => ({
      ...{ REDIS_CA_FILE: path, AMQP_CA_FILE: path, EVENTSTOREDB_CA_FILE: path },
    });
    expect(faults({ ...tls, ...files(file) })).toEqual([]);
    const unreadable = 'must be the path of a readable file with certificates in PEM';
    expect(faults({ ...tls, ...files('/nowhere/ca.crt') })).toEqual([
      `EVENTSTOREDB_CA_FILE ${unreadable}`,
      `REDIS_CA_FILE ${unreadable}`,
      `AMQP_CA_FILE ${unreadable}`,
    ]);
    expect(faults({ REDIS_URL: 'redis://a', ...files(file) })).toEqual([
      'REDIS_CA_FILE must be set along with a URL that begins with rediss:',
      'AMQP_CA_FILE must be set along with a URL that begins with amqps:',
      'EVENTSTOREDB_URL must be set along with EVENTSTOREDB_CA_FILE',
    ]);
  });

  test('are read by EventStoreDB’s client as by its setting', () => {
    const isRead = (url: string) => {
      try {
        EventStoreDBClient.connectionString(url);
        return true;
      } catch {
        return false;
      }
    };
    const urls = [
      ...['esdb://a', 'esdb://a:1,b:2/?tls=false', 'esdb+discover://u:p%40@a', 'esdb://[::1]'],
      ...['esdb://a:b', 'esdb://', 'esdb:a', 'tcp://a', 'esdb://a?tls=false&keepAliveTimeout=5000'],
      ...[
        'ESDB://a',
        'esdb://:@a',
        'esdb://@a',
        'esdb://u:p@ss@a',
        'esdb://u:@a',
        'esdb://:p@a',
        'esdb://u:%zz@a',
      ],
      ...[
        'esdb://%2Fvar',
        'esdb://a%20b',
        'esdb://a%zz',
        'esdb://a.',
        'esdb://a_b',
        'esdb://a,,b',
        'esdb://ü',
      ],
    ];
    const accepted = urls.filter((url) => faults({ EVENTSTOREDB_URL: url }).length === 0);
    expect(accepted).toEqual(urls.filter(isRead));
  });

  test('that belong together are required together', () => {
    expect(faults({ S3_ENDPOINT: 'http://127.0.0.1:9000' })).toEqual([
      'S3_ENDPOINT must be set along with S3_BUCKET, or with a SEAL_URL or ERASED_PEOPLE_URL in S3',
    ]);
    expect(faults({ VAPID_SUBJECT: 'mailto:ops@example.org' })).toEqual([
      'VAPID_PUBLIC_KEY must be set along with VAPID_PRIVATE_KEY and VAPID_SUBJECT',
      'VAPID_PRIVATE_KEY must be set along with VAPID_PUBLIC_KEY and VAPID_SUBJECT',
    ]);
  });

  test('use path-style buckets for servers other than Amazon’s, unless told otherwise', () => {
    const s3 = (env: NodeJS.ProcessEnv) => readConfig({ S3_BUCKET: 'files', ...env }).s3;
    expect(s3({})).toEqual({ bucket: 'files', region: 'us-east-1', pathStyle: false });
    expect(s3({ S3_ENDPOINT: 'http://minio:9000' })?.pathStyle).toBeUndefined();
    expect(s3({ S3_ENDPOINT: 'http://minio:9000', S3_PATH_STYLE: 'true' })?.pathStyle).toBe(true);
    expect(s3({ S3_ENDPOINT: 'http://minio:9000', S3_PATH_STYLE: 'false' })?.pathStyle).toBe(false);
  });

  test('report all faults at once', () => {
    expect(faults({ PORT: 'x', LOG_LEVEL: 'x', PUBLC_URL: 'http://x' })).toHaveLength(3);
  });

  test.each([
    ['DATABASE_ULR', 'DATABASE_URL'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URLS', 'DATABASE_URL'],
    ['LOG_LEVL', 'LOG_LEVEL'],
    ['log_level', 'LOG_LEVEL'],
    ['MESSAGE_PER_MINUTE', 'MESSAGES_PER_MINUTE'],
  ])('are refused when misspelt: %s', (given, meant) => {
    expect(faults({ [given]: 'x' })).toEqual([`${given} is not a setting: did you mean ${meant}?`]);
  });

  test.each([
    'JWT_SECRET',
    'ERASED_PEOPLE_FILE',
    'DATA_DIRECTORY',
    'ALLOWED_ORIGIN_LIST',
    'SENDS_PER_MINUTE',
  ])('are refused when they only look like ours: %s', (name) => {
    expect(faults({ [name]: 'x' })).toEqual([`${name} is not a setting`]);
  });

  test('ignore foreign environment variables', () => {
    const others = ['PATH', 'HOME', 'HOSTNAME', 'POST', 'npm_config_loglevel', 'NODE_ENV', 'CI', 'LOGNAME'];
    expect(faults({ ...process.env, ...Object.fromEntries(others.map((name) => [name, 'x'])) })).toEqual([]);
  });
});

test('the place of backups is a folder of this machine or of a bucket, and there is none by default', () => {
  expect(readConfig({}).backupUrl).toBeUndefined();
  for (const place of ['file:///var/backups/chat', 's3://backups/chat']) {
    expect(readConfig({ BACKUP_URL: place }).backupUrl).toBe(place);
  }
  for (const place of ['/var/backups/chat', 'https://backups.example.org', 'file://host/backups'])
    expect(faults({ BACKUP_URL: place })).toEqual([
      expect.stringMatching(
        /^BACKUP_URL must be a URL like file:\/\/\/path\/backups or s3:\/\/bucket\/folder/,
      ),
    ]);
});

describe.each([
  ['checkpoints', 'SEAL_URL', 'checkpoints.ndjson', (env: Record<string, string>) => readConfig(env).seal],
  [
    'the list of erased people',
    'ERASED_PEOPLE_URL',
    'erased-people.ndjson',
    (env: Record<string, string>) => readConfig(env).erasedPeople,
  ],
] as const)('the place of %s', (_what, name, file, placeIn) => {
  test('is a file in the data folder, or another one', () => {
    expect(placeIn({ DATA_DIR: '/srv/chat' })).toEqual({
      url: `file:///srv/chat/${file}`,
      file: `/srv/chat/${file}`,
    });
    expect(placeIn({ [name]: 'file:///mnt/the%20safe/list.ndjson' })).toMatchObject({
      file: '/mnt/the safe/list.ndjson',
    });
  });

  test('is a folder of a bucket, at the server of S3 that is set', () => {
    const url = 's3://evidence/chat/log/';
    expect(placeIn({ [name]: url })).toMatchObject({
      url,
      s3: { bucket: 'evidence', prefix: 'chat/log', region: 'us-east-1', endpoint: undefined },
    });
    expect(placeIn({ [name]: url, S3_ENDPOINT: 'http://minio:9000', S3_REGION: 'here' })).toMatchObject({
      s3: { bucket: 'evidence', region: 'here', endpoint: 'http://minio:9000' },
    });
  });

  test.each([
    ...['/srv/checkpoints', 'file://host/checkpoints', 'file:///folder/', 'file:///a%00b', 'file:///a%zz'],
    ...['s3://', 's3://Bucket/x', 's3://bucket/%ff', 's3://bucket/x?y=z', 'https://bucket/x'],
  ])('is refused as %s', (url) => {
    expect(faults({ [name]: url })).toEqual([
      `${name} must be a URL like file:///path/${file} or s3://bucket/folder, not ${url}`,
    ]);
  });
});

describe('the key that signs checkpoints', () => {
  test('is like that of tokens', () => {
    const pem = privateKey('ed25519');
    expect(readConfig({ SEAL_PRIVATE_KEY: pem.replaceAll('\n', '\\n').trim() }).seal.privateKey).toBe(pem);
    expect(faults({ SEAL_PRIVATE_KEY: privateKey('x25519') })).toEqual([
      'SEAL_PRIVATE_KEY must be an Ed25519 private key in PKCS #8 PEM',
    ]);
  });
});

describe('the keys of access tokens', () => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).privateKey;
  const ed = () => generateKeyPairSync('ed25519').privateKey;
  const pemOf = (key: ReturnType<typeof ed>) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicPem = (key: ReturnType<typeof ed>) =>
    createPublicKey(pemOf(key)).export({ type: 'spki', format: 'pem' }).toString();

  test('are made for ES256, or for the algorithm that is set', () => {
    expect(readConfig({}).jwt.algorithm).toBe('ES256');
    for (const JWT_ALGORITHM of ['ES256', 'EdDSA', 'RS256'])
      expect(readConfig({ JWT_ALGORITHM }).jwt.algorithm).toBe(JWT_ALGORITHM);
  });

  test.each([
    ['ES256', () => ec('P-256')],
    ['EdDSA', ed],
    ['RS256', () => rsa(2_048)],
  ])('are for %s when the given key is, also with line ends written as \\n', (algorithm, make) => {
    const pem = pemOf(make());
    expect(readConfig({ JWT_PRIVATE_KEY: pem.replaceAll('\n', '\\n') }).jwt.privateKey).toBe(pem);
    expect(readConfig({ JWT_PRIVATE_KEY: pem, JWT_ALGORITHM: algorithm }).jwt.privateKey).toBe(pem.trim());
    for (const other of ['ES256', 'EdDSA', 'RS256'].filter((name) => name !== algorithm))
      expect(faults({ JWT_PRIVATE_KEY: pem, JWT_ALGORITHM: other })).toEqual([
        `JWT_ALGORITHM must be ${algorithm} or not set, because JWT_PRIVATE_KEY is a key for ${algorithm}`,
      ]);
  });

  test.each([
    ['P-384', () => pemOf(ec('P-384'))],
    ['secp256k1', () => pemOf(ec('secp256k1'))],
    ['X25519', () => privateKey('x25519')],
    ['RSA of 1024 bits', () => pemOf(rsa(1_024))],
    ['a public key', () => publicPem(ed())],
    ['a password', () => 'secret'],
  ])('are refused when the given one is %s, without its content', (_, make) => {
    expect(faults({ JWT_PRIVATE_KEY: make() })).toEqual([
      'JWT_PRIVATE_KEY must be a private key of P-256, Ed25519, or RSA with 2048 to 8192 bits, in PKCS #8 PEM',
    ]);
  });

  test('are accepted by their public halves, several one after the other', () => {
    const [a, b, c] = [ec('P-256'), ed(), rsa(2_048)];
    const given = `${publicPem(a)}${pemOf(b)}\n${publicPem(c)}`;
    const halves = [a, b, c].map(publicPem);
    for (const JWT_PREVIOUS_KEYS of [given, given.replaceAll('\n', '\\n'), halves.join(',')])
      expect(readConfig({ JWT_PREVIOUS_KEYS }).jwt.previousKeys).toEqual(halves);
    for (const JWT_PREVIOUS_KEYS of [`${given}x`, publicPem(ec('P-384')), 'secret', pemOf(a).slice(0, -20)])
      expect(faults({ JWT_PREVIOUS_KEYS })).toEqual([
        'JWT_PREVIOUS_KEYS must be public or private keys in PEM, one after the other: P-256, Ed25519, or RSA with 2048 to 8192 bits',
      ]);
  });
});

describe('a secret in a file', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'chat-secrets-'));
  });
  afterAll(() => rm(dir, { recursive: true }));
  const inFile = async (name: string, text: string) => {
    await writeFile(join(dir, name), text);
    return join(dir, name);
  };

  test('is its content, without the line end, and with the links that Kubernetes makes', async () => {
    const pem = privateKey('ed25519');
    await inFile('key', `${pem}\n`);
    await symlink('key', join(dir, 'link'));
    const config = readConfig({
      JWT_PRIVATE_KEY_FILE: join(dir, 'link'),
      DATABASE_URL_FILE: await inFile('database', 'postgres://chat:secret@db/chat\n'),
      MASTER_KEY_FILE: await inFile('master', `${'A'.repeat(43)}=\r\n${'B'.repeat(42)}A=\n`),
      SCAN_WEBHOOK_SECRET_FILE: await inFile('scan', `${'s'.repeat(32)}\n`),
    });
    expect(config.jwt.privateKey).toBe(pem.trim());
    expect(config).toMatchObject({
      databaseUrl: 'postgres://chat:secret@db/chat',
      masterKeys: [`${'A'.repeat(43)}=`, `${'B'.repeat(42)}A=`],
      scanWebhookSecrets: ['s'.repeat(32)],
    });
  });

  test('may be each of these', () => {
    const names = [
      ...['DATABASE_URL', 'DATABASE_OWNER_URL', 'EVENTSTOREDB_URL', 'REDIS_URL', 'AMQP_URL', 'SMTP_URL'],
      ...['JWT_PRIVATE_KEY', 'JWT_PREVIOUS_KEYS', 'SEAL_PRIVATE_KEY', 'MASTER_KEY', 'SCAN_WEBHOOK_SECRET'],
      ...['VAPID_PRIVATE_KEY', 'VAPID_PREVIOUS_KEYS', 'OTEL_EXPORTER_OTLP_HEADERS'],
    ];
    const missing = join(dir, 'none');
    for (const name of names)
      expect(faults({ [`${name}_FILE`]: missing })).toContain(
        `${name}_FILE names a file that cannot be read (ENOENT): ${missing}`,
      );
  });

  test('is not given twice', async () => {
    const REDIS_URL_FILE = await inFile('redis', 'redis://redis');
    expect(faults({ REDIS_URL: 'redis://redis', REDIS_URL_FILE })).toEqual([
      'REDIS_URL_FILE must not be set along with REDIS_URL',
    ]);
  });

  test('is refused in one line, which never shows the content', async () => {
    await mkdir(join(dir, 'folder'));
    const of = (path: string) => faults({ AMQP_URL_FILE: path });
    const large = await inFile('large', 'x'.repeat(65_537));
    const empty = await inFile('empty', ' \n\n');
    const wrong = await inFile('wrong', 'http://user:hunter2@host\nhunter3');
    expect(of(join(dir, 'folder'))).toEqual([
      `AMQP_URL_FILE names something that is not a file: ${join(dir, 'folder')}`,
    ]);
    expect(of('/dev/zero')).toEqual(['AMQP_URL_FILE names something that is not a file: /dev/zero']);
    expect(of(large)).toEqual([`AMQP_URL_FILE names a file of more than 65536 bytes: ${large}`]);
    expect(of(empty)).toEqual([`AMQP_URL_FILE names an empty file: ${empty}`]);
    expect(of(wrong)).toEqual(['AMQP_URL_FILE: the content must be a URL with amqp: or amqps:']);
  });

  test('is given by a name that is checked for slips', () => {
    expect(faults({ REDIS_URL_FIEL: '/run/redis' })).toEqual([
      'REDIS_URL_FIEL is not a setting: did you mean REDIS_URL_FILE?',
    ]);
    expect(faults({ JWT_KEY_FILE: '/run/key' })).toEqual(['JWT_KEY_FILE is not a setting']);
  });
});

test('earlier keys of Web Push are known by their private halves', () => {
  const { publicKey, privateKey: key } = webPush.generateVAPIDKeys();
  const VAPID = { VAPID_PUBLIC_KEY: 'A'.repeat(87), VAPID_PRIVATE_KEY: 'A'.repeat(43) };
  const env = { ...VAPID, VAPID_SUBJECT: 'mailto:ops@example.org', VAPID_PREVIOUS_KEYS: key };
  expect(readConfig(env).vapid?.previous).toEqual([{ publicKey, privateKey: key }]);
  expect(faults({ VAPID_PREVIOUS_KEYS: key })).toEqual([
    'VAPID_PRIVATE_KEY must be set along with VAPID_PREVIOUS_KEYS',
  ]);
});

describe('roles', () => {
  const cluster = { DATABASE_URL: 'postgres://db/chat', REDIS_URL: 'redis://redis' };

  test('are the configured ones', () => {
    expect(readConfig({ ...cluster, ROLES: 'api, worker' }).roles).toEqual(new Set(['api', 'worker']));
  });

  test('are refused when unknown', () => {
    expect(faults({ ROLES: 'web' })).toEqual([
      'ROLES must be some of api, projector, realtime, notifier, worker, sealer, separated by commas',
    ]);
  });

  test('left to other processes require a shared database', () => {
    expect(faults({ ROLES: 'projector' })).toEqual([
      'DATABASE_URL must be set when ROLES leaves work to others',
    ]);
  });

  test('that know sockets require a shared Redis', () => {
    const reason = 'REDIS_URL must be set when ROLES leaves some of api, realtime, notifier to others';
    const { DATABASE_URL } = cluster;
    expect(faults({ DATABASE_URL, ROLES: 'api' })).toEqual([reason]);
    expect(faults({ DATABASE_URL, ROLES: 'notifier,projector' })).toEqual([reason]);
    expect(faults({ DATABASE_URL, ROLES: 'projector' })).toEqual([]);
    expect(faults({ DATABASE_URL, ROLES: 'api,realtime,notifier' })).toEqual([]);
    expect(faults({ ...cluster, ROLES: 'api' })).toEqual([]);
  });

  test('that send mail or pushes without the api require its public URL', () => {
    const reason = 'PUBLIC_URL must be set for a worker without the role api: links in mails begin with it';
    expect(faults({ ...cluster, ROLES: 'worker' })).toEqual([reason]);
    expect(faults({ ...cluster, ROLES: 'worker', PUBLIC_URL: 'https://chat.example' })).toEqual([]);
    expect(faults({ ...cluster, ROLES: 'api,worker' })).toEqual([]);
  });
});
