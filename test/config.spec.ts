import { generateKeyPairSync } from 'node:crypto';
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

describe('the settings', () => {
  test('have defaults', () => {
    expect(readConfig({})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      dataDir: './data',
      logLevel: 'info',
      jwtIssuer: 'slay-e-chatapp',
      roles: new Set(['api', 'projector', 'realtime', 'notifier', 'worker']),
      allowedOrigins: [],
      trustedProxies: [],
      accessTokenSeconds: 600,
      headsIntervalMs: 15_000,
      messagesPerMinute: 100,
      loginsPerMinute: 60,
      failedLoginsPerMinute: 10,
      uploadsPerMinute: 60,
      requestsPerMinute: 3000,
      anonymousRequestsPerMinute: 6000,
      maxFileBytes: 26_214_400,
      uploadQuotas: { bytesPerUserDay: 524_288_000, bytesPerGroup: 5_368_709_120 },
      minFreeDiskBytes: 1_073_741_824,
      mailFrom: 'Jobs <noreply@localhost>',
      pushPrivateHosts: [],
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
      jwtIssuer: 'https://chat.example.org',
      databaseUrl: 'postgres://chat:secret@db/chat',
      messagesPerMinute: 1000,
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.allowedOrigins)).toBe(true);
  });

  test('count as unset when empty', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toEqual(readConfig({}));
  });

  test('accept an Ed25519 key, also with line ends written as \\n, and no other', () => {
    const pem = privateKey('ed25519');
    expect(readConfig({ JWT_PRIVATE_KEY: pem.replaceAll('\n', '\\n') }).jwtPrivateKey).toBe(pem);
    expect(faults({ JWT_PRIVATE_KEY: privateKey('x25519') })).toHaveLength(1);
    expect(faults({ JWT_PRIVATE_KEY: 'secret' })).toHaveLength(1);
  });

  test.each([
    ['PORT', ['-1', '65536', '3000.5', '0x10', 'http', '1e3', '٣']],
    ['HOST', ['a b']],
    ['LOG_LEVEL', ['verbose', 'INFO']],
    ['ALLOWED_ORIGINS', ['*', 'app.example.org', 'https://app.example.org/', 'https://a.example,', 'null']],
    ['TRUSTED_PROXIES', ['loopback', '10.0.0.0/33', '10.0.0.0/8/8', '1.2.3', '::1/129']],
    ['PUBLIC_URL', ['chat.example.org', 'ftp://chat.example.org']],
    ['DATABASE_URL', ['mysql://db/chat', 'db']],
    ['ACCESS_TOKEN_SECONDS', ['0', '3601']],
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
    ['CLAMD_URL', ['localhost:3310', 'http://127.0.0.1:3310']],
    ['SCAN_WEBHOOK_SECRET', ['too short']],
    ['AMQP_URL', ['rabbit', 'http://rabbit']],
    ['SMTP_URL', ['mail.example.org:25']],
    ['MAIL_FROM', ['nobody', 'A\r\nBcc: x@example.org']],
    ['PUSH_PRIVATE_HOSTS', ['http://127.0.0.1']],
  ])('report %s when it is invalid, in one line that does not repeat the value', (name, values) => {
    for (const value of values) {
      const lines = faults({ [name]: value });
      expect(lines).toEqual([expect.stringMatching(new RegExp(`^${name} must `))]);
    }
  });

  test('that belong together are required together', () => {
    expect(faults({ S3_ENDPOINT: 'http://127.0.0.1:9000' })).toEqual([
      'S3_ENDPOINT must be set along with S3_BUCKET',
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

  test.each(['JWT_SECRET', 'DATA_DIRECTORY', 'ALLOWED_ORIGIN_LIST', 'SENDS_PER_MINUTE'])(
    'are refused when they only look like ours: %s',
    (name) => {
      expect(faults({ [name]: 'x' })).toEqual([`${name} is not a setting`]);
    },
  );

  test('ignore foreign environment variables', () => {
    const others = ['PATH', 'HOME', 'HOSTNAME', 'POST', 'npm_config_loglevel', 'NODE_ENV', 'CI', 'LOGNAME'];
    expect(faults({ ...process.env, ...Object.fromEntries(others.map((name) => [name, 'x'])) })).toEqual([]);
  });
});

describe('roles', () => {
  const cluster = { DATABASE_URL: 'postgres://db/chat', REDIS_URL: 'redis://redis' };

  test('are the configured ones', () => {
    expect(readConfig({ ...cluster, ROLES: 'api, worker' }).roles).toEqual(new Set(['api', 'worker']));
  });

  test('are refused when unknown', () => {
    expect(faults({ ROLES: 'web' })).toEqual([
      'ROLES must be some of api, projector, realtime, notifier, worker, separated by commas',
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
