import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { SMTPServer } from 'smtp-server';
import { prepareDatabase } from '../../src/adapters/postgres/prepare-database.ts';
import { validity } from '../../scripts/doctor/certificates.ts';
import type { Finding } from '../../scripts/doctor/finding.ts';
import { clockFinding } from '../../scripts/doctor/postgres.ts';
import { certificate, certificateKey } from '../support/servers/certificate.ts';
import { type Clamd, startClamd } from '../support/servers/clamd.ts';
import { type DebianPostgres, startDebianPostgres } from '../support/servers/debian-postgres.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type S3Server, startS3Server } from '../support/servers/s3-server.ts';
import { type Rabbitmq, startRabbitmq } from '../../tools/rabbitmq.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { freePort } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const DEADLINE_MS = 50_000;
const tls = { certificate, key: certificateKey };
const ed25519 = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

let folder: string;
let postgres: DebianPostgres;
let redis: Redis;
let rabbitmq: Rabbitmq;
let s3: S3Server;
let clamd: Clamd;
let mail: MailServer;
let site: Server;
/** The settings of a deployment without a fault. */
let healthy: Record<string, string>;
let backup: string;

const portOf = (server: Server | SMTPServer['server']) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-doctor-'));
  const ca = join(folder, 'ca.crt');
  await writeFile(ca, certificate);
  backup = join(folder, 'backups');
  await mkdir(backup);
  await writeFile(join(backup, 'chat.dump'), 'a dump');
  site = createServer({ cert: certificate, key: certificateKey });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  [postgres, redis, rabbitmq, s3, clamd, mail] = await Promise.all([
    startDebianPostgres({ tls }),
    startRedis({ password: 'a-secret', tls }),
    startRabbitmq({ tls }),
    startS3Server({ bucket: 'chat-files', objectLock: {} }),
    startClamd(),
    startMailServer({ login: { user: 'jobs', password: 'a-secret' } }),
  ]);
  await postgres.create('chat');
  await set('wal_recycle', 'off');
  const { DATABASE_URL, DATABASE_OWNER_URL } = postgres.settings('chat');
  const query = `?sslmode=verify-full&sslrootcert=${ca}`;
  await prepareDatabase(DATABASE_URL + query, DATABASE_OWNER_URL + query);
  healthy = {
    DATA_DIR: folder,
    DATABASE_URL: DATABASE_URL + query,
    REDIS_URL: `rediss://:a-secret@127.0.0.1:${redis.tlsPort}`,
    REDIS_CA_FILE: ca,
    AMQP_URL: rabbitmq.tlsUrl!,
    AMQP_CA_FILE: ca,
    NODE_EXTRA_CA_CERTS: ca,
    S3_BUCKET: 'chat-files',
    S3_ENDPOINT: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    SEAL_URL: 's3://chat-files/checkpoints',
    ERASED_PEOPLE_URL: 's3://chat-files/erased-people',
    CLAMD_URL: clamd.url,
    SMTP_URL: mail.url,
    PUBLIC_URL: `https://127.0.0.1:${portOf(site)}`,
    TRUSTED_PROXIES: '10.1.2.0/24',
    MASTER_KEY: randomBytes(32).toString('base64'),
    JWT_PRIVATE_KEY: ed25519(),
    SEAL_PRIVATE_KEY: ed25519(),
  };
}, 120_000);

afterAll(async () => {
  site.close();
  await Promise.all([postgres, redis, rabbitmq, s3, clamd].map((it) => it?.stop()));
  await mail?.close();
  await rm(folder, { recursive: true });
});

async function set(name: string, value: string): Promise<void> {
  await postgres.ask(`alter system set ${name} = ${value}`);
  await postgres.ask('select pg_reload_conf()');
  const shown = async () =>
    Object.values((await postgres.ask<Record<string, string>>(`show ${name}`))[0]!)[0];
  await until(async () => (await shown()) === value, `${name} is ${value}`);
}

const run = (env: Record<string, string>, args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) =>
    execFile(
      process.execPath,
      ['scripts/doctor.ts', ...args],
      { cwd: ROOT, env: { PATH: process.env['PATH'], ...env }, timeout: DEADLINE_MS },
      (error, out, err) => resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
    ),
  );

/** Runs the doctor on the healthy deployment with changes. Resolves with its exit code and with what is not ok. */
async function examine(
  changed: Record<string, string> = {},
  args = ['--processes', '6', '--backup', backup],
) {
  const { code, out } = await run({ ...healthy, ...changed }, [...args, '--json']);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  const bad = findings.filter(({ status }) => status !== 'ok');
  return { code, findings, bad: bad.map(({ status, check, detail }) => `${status} ${check}: ${detail}`) };
}

test('Finds nothing to do for a deployment in order, and leaves nothing behind', async () => {
  const { code, findings, bad } = await examine();
  expect({ code, bad }).toEqual({ code: 0, bad: [] });
  const checks = findings.map(({ check }) => check);
  for (const about of ['postgresql: version', 'redis', 'rabbitmq', 'files', 'checkpoints', 'erased people'])
    expect(checks).toContain(about);
  for (const about of ['clamd', 'mail', 'backup', 'disk', 'node', 'PUBLIC_URL'])
    expect(checks).toContain(about);
  for (const about of ['postgresql', 'redis', 'rabbitmq', 'PUBLIC_URL'])
    expect(checks).toContain(`${about}: certificate`);
  expect([...s3.objects().keys()]).toEqual([]);
  expect(await redis.ask('DBSIZE')).toBe(0);
});

test('Prints a line for each thing, with what to do', async () => {
  const { code, out, err } = await run({ ...healthy, MASTER_KEY: '' }, ['--processes', '6']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.trimEnd().split('\n');
  expect(lines.filter((line) => /^(ok {5}|warning|fault {2}) {2}\S/.test(line))).toEqual(lines);
  expect(out).toMatch(/^warning +key: MASTER_KEY +made by the server.* → make one with/m);
  expect(out).toMatch(/^warning +backup +unknown → tell where it is/m);
  for (const secret of ['a-secret', new URL(healthy['DATABASE_URL']!).password])
    expect(out).not.toContain(secret);
});

test('Refuses wrong settings and arguments with code 2', async () => {
  expect(await run({ DATABASE_URL: 'mysql://db' }, [])).toMatchObject({ code: 2, out: '' });
  const { code, err } = await run(healthy, ['--processes', 'many']);
  expect({ code, err }).toEqual({ code: 2, err: '--processes must be a number, not many\n' });
});

test('Warns of keys that the server made, of wide proxies, and of a crowded database', async () => {
  const keys = { MASTER_KEY: '', JWT_PRIVATE_KEY: '', SEAL_PRIVATE_KEY: '' };
  const proxies = '10.0.0.0/8,172.16.0.0/255.240.0.0,uniquelocal,10.1.2.3';
  const { code, bad } = await examine({ ...keys, TRUSTED_PROXIES: proxies }, ['--backup', backup]);
  expect(code).toBe(0);
  expect(bad).toEqual([
    expect.stringMatching(/^warning key: MASTER_KEY/),
    expect.stringMatching(/^warning key: JWT_PRIVATE_KEY/),
    expect.stringMatching(/^warning key: SEAL_PRIVATE_KEY/),
    expect.stringContaining('10.0.0.0/8, 172.16.0.0/255.240.0.0, uniquelocal holds more than proxies'),
    expect.stringMatching(/^warning postgresql: connections: \d+ of 297 in use; 12 processes may take 540/),
  ]);
});

test('Finds an address without TLS and a disk without room', async () => {
  const { code, bad } = await examine({
    PUBLIC_URL: 'http://chat.example.org',
    MIN_FREE_DISK_MIB: '1048576',
  });
  expect(code).toBe(1);
  expect(bad).toEqual([
    'fault PUBLIC_URL: http://chat.example.org is not encrypted',
    expect.stringMatching(/^fault disk: \d+ MiB free in /),
  ]);
});

describe('PostgreSQL', () => {
  test('that is out of reach is a fault, and everything else is looked at', async () => {
    const { code, bad, findings } = await examine({
      DATABASE_URL: `postgres://chat:a-secret@127.0.0.1:${await freePort()}/chat`,
    });
    expect(code).toBe(1);
    expect(bad).toEqual([expect.stringMatching(/^fault postgresql: .*ECONNREFUSED/)]);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'rabbitmq', status: 'ok' }));
  });

  test('without the tables of this version is a fault', async () => {
    await postgres.create('empty');
    const url = new URL(healthy['DATABASE_URL']!);
    url.pathname = '/empty';
    expect((await examine({ DATABASE_URL: url.href })).bad).toEqual([
      expect.stringContaining('fault postgresql: this database is empty'),
    ]);
    await postgres.ask(`insert into schema_migrations values ('9999-later.sql', '')`, 'chat');
    try {
      expect((await examine()).bad).toEqual([expect.stringContaining('this database is of a newer version')]);
    } finally {
      await postgres.ask(`delete from schema_migrations where name = '9999-later.sql'`, 'chat');
    }
  });

  test('that may lose what it acknowledged is a fault, and one that keeps erased text is warned of', async () => {
    await set('fsync', 'off');
    await set('wal_recycle', 'on');
    try {
      const { code, bad } = await examine();
      expect(code).toBe(1);
      expect(bad).toEqual([
        'fault postgresql: durability: fsync off: a power failure destroys the log',
        expect.stringMatching(/^warning postgresql: wal_recycle: on/),
      ]);
    } finally {
      await set('fsync', 'on');
      await set('wal_recycle', 'off');
    }
  });

  test.each([
    ['alter role chat_node createdb', 'alter role chat_node nocreatedb', 'chat_node may do more than'],
    [
      'grant delete on events to chat_app',
      'revoke delete on events from chat_app',
      'chat_app may delete events',
    ],
    ['revoke select on events from chat_app', 'grant select on events to chat_app', 'may not read the log'],
  ])('has wrong rights after "%s"', async (done, undone, told) => {
    await postgres.ask(done, 'chat');
    try {
      const { code, bad } = await examine();
      expect(code).toBe(1);
      expect(bad.join('\n')).toContain(told);
    } finally {
      await postgres.ask(undone, 'chat');
    }
  });

  test('is warned of when it need not prove who it is', async () => {
    const url = healthy['DATABASE_URL']!.replace(/sslmode=.*/, 'sslmode=require');
    expect((await examine({ DATABASE_URL: url })).bad).toEqual([
      'warning postgresql: TLS: encrypted, without proof of which server it is',
    ]);
  });

  test('has batches that could not be sent', async () => {
    await postgres.ask(
      `insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at, parked_at, park_reason)
       values (gen_random_uuid(), gen_random_uuid(), 'email', now(), now(), now(), 'refused')`,
      'chat',
    );
    try {
      expect((await examine()).bad).toEqual(['warning notifications: parked: 1 batches could not be sent']);
    } finally {
      await postgres.ask('delete from notification_batches', 'chat');
    }
  });

  test.each([
    [0, 'ok'],
    [-1_900, 'ok'],
    [2_100, 'warning'],
    [-29_000, 'warning'],
    [31_000, 'fault'],
    [-10_800_000, 'fault'],
  ])('with a clock %i ms ahead is judged as %s', (skewMs, status) => {
    expect(clockFinding(skewMs)).toMatchObject({ status });
  });
});

describe('Redis', () => {
  test('that forgets when it is full is a fault', async () => {
    await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    try {
      const { code, bad } = await examine();
      expect(code).toBe(1);
      expect(bad).toEqual([expect.stringMatching(/^fault redis: memory: allkeys-lru/)]);
    } finally {
      await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    }
  });

  test('that lets its user do too little is a fault', async () => {
    const rights = ['~chat:*', '+@all', '-@admin', '-@dangerous', '+info'];
    await redis.ask('ACL', 'SETUSER', 'chat', 'on', '>another', 'resetkeys', 'resetchannels', ...rights);
    const url = healthy['REDIS_URL']!.replace(':a-secret', 'chat:another');
    expect((await examine({ REDIS_URL: url })).bad).toEqual([
      expect.stringMatching(/^fault redis: rights: PUBLISH is refused: NOPERM/),
    ]);
    await redis.ask('ACL', 'SETUSER', 'chat', '&chat:*');
    expect((await examine({ REDIS_URL: url })).bad).toEqual([]);
  });

  test('with another password or an unknown authority is a fault', async () => {
    const url = healthy['REDIS_URL']!.replace('a-secret', 'wrong');
    expect((await examine({ REDIS_URL: url })).bad).toEqual([
      expect.stringMatching(/^fault redis: cannot be used: WRONGPASS/),
    ]);
    const { bad } = await examine({ REDIS_CA_FILE: '', NODE_EXTRA_CA_CERTS: '' });
    expect(bad).toContainEqual(expect.stringMatching(/^fault redis: certificate: is not proved/));
    expect(bad).toContainEqual(
      expect.stringMatching(/^fault redis: cannot be used: self-signed certificate/),
    );
  });
});

test('RabbitMQ that takes no messages is a fault', async () => {
  await rabbitmq.ctl('set_vm_memory_high_watermark', 'absolute', '1');
  try {
    await until(async () => (await rabbitmq.ctl('status')).includes('Memory alarm'), 'the alarm', 30_000);
    const { code, bad } = await examine();
    expect(code).toBe(1);
    expect(bad).toEqual([expect.stringMatching(/^fault rabbitmq: cannot be used: .*takes no messages/)]);
  } finally {
    await rabbitmq.ctl('set_vm_memory_high_watermark', '0.4');
  }
});

test('A bucket that refuses is a fault, and one without Object Lock is warned of', async () => {
  s3.fail(403);
  try {
    const { code, bad } = await examine();
    expect(code).toBe(1);
    expect(bad).toEqual([
      expect.stringMatching(/^fault files: s3:\/\/chat-files refuses to put/),
      expect.stringMatching(/^fault checkpoints: S3 did not answer/),
      expect.stringMatching(/^fault erased people: S3 did not answer/),
    ]);
  } finally {
    s3.heal();
  }
  const unlocked = await startS3Server({ bucket: 'chat-files' });
  try {
    const { code, bad } = await examine({ S3_ENDPOINT: unlocked.endpoint });
    expect({ code, bad }).toEqual({
      code: 0,
      bad: [expect.stringMatching(/^warning checkpoints: s3:\/\/chat-files has no Object Lock/)],
    });
  } finally {
    await unlocked.stop();
  }
});

describe('clamd', () => {
  afterEach(async () => {
    await clamd.kill();
    await clamd.restart();
  });

  test.each([
    [{ AlertEncrypted: 'no' }, /^fault clamd: clamd takes encrypted archives for clean/],
    [{ StreamMaxLength: '1M' }, /^fault clamd: does not take a file as large as MAX_FILE_MIB/],
  ])('with %p is a fault', async (settings, told) => {
    await clamd.kill();
    await clamd.restart(settings);
    const { code, bad } = await examine();
    expect({ code, bad }).toEqual({ code: 1, bad: [expect.stringMatching(told)] });
  });
});

describe('The mail server', () => {
  test('that refuses the login is a fault', async () => {
    const { code, bad } = await examine({ SMTP_URL: mail.url.replace('a-secret', 'wrong') });
    expect({ code, bad }).toEqual({ code: 1, bad: [expect.stringMatching(/^fault mail: .*535/)] });
    expect(mail.mails).toEqual([]);
  });

  test('shows its certificate after STARTTLS', async () => {
    const server = new SMTPServer({ key: certificateKey, cert: certificate, authOptional: true });
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { findings, bad } = await examine({ SMTP_URL: `smtp://127.0.0.1:${portOf(server.server)}` });
      expect(bad).toEqual([]);
      expect(findings).toContainEqual(expect.objectContaining({ check: 'mail: certificate', status: 'ok' }));
    } finally {
      await new Promise<void>((resolve) => server.close(resolve));
    }
  });
});

describe('A certificate', () => {
  const endsIn = (days: number) =>
    validity('redis', {
      valid_to: new Date(Date.now() + days * 86_400_000).toUTCString(),
    } as PeerCertificate);

  test.each([
    [365, 'ok'],
    [13, 'warning'],
    [-1, 'fault'],
  ])('that ends in %i days is judged as %s', (days, status) => {
    expect(endsIn(days)).toMatchObject({ status });
  });
});

describe('A backup', () => {
  const HOUR_S = 3_600;
  const about = async (place: string) => (await examine({}, ['--processes', '6', '--backup', place])).bad;

  test.each([
    [30, 'warning'],
    [200, 'fault'],
  ])('of %i hours is judged as %s', async (hours, status) => {
    const old = join(folder, `backups-${hours}`);
    await mkdir(join(old, 'yesterday'), { recursive: true });
    await writeFile(join(old, 'yesterday/chat.dump'), 'a dump');
    await writeFile(join(old, 'empty.dump'), '');
    const at = Date.now() / 1_000 - hours * HOUR_S;
    await utimes(join(old, 'yesterday/chat.dump'), at, at);
    expect(await about(old)).toEqual([`${status} backup: the newest in ${old} is ${hours} hours old`]);
  });

  test('is looked for where BACKUP_URL says, unless another place is given', async () => {
    const at = async (url: string, ...args: string[]) =>
      (await examine({ BACKUP_URL: url }, ['--processes', '6', ...args])).bad;
    const nowhere = 's3://chat-files/dumps';
    expect(await at(pathToFileURL(backup).href)).toEqual([]);
    expect(await at(nowhere)).toEqual([`fault backup: there is none in ${nowhere}`]);
    expect(await at(nowhere, '--backup', backup)).toEqual([]);
  });

  test('that is nowhere is a fault', async () => {
    expect(await about(join(folder, 'nowhere'))).toEqual([expect.stringMatching(/^fault backup: ENOENT/)]);
    expect(await about('s3://chat-files/dumps')).toEqual([
      'fault backup: there is none in s3://chat-files/dumps',
    ]);
  });

  test('is found in a bucket', async () => {
    s3.objects().set('dumps/chat.dump', {
      ...{ bytes: Buffer.from('a dump'), etag: 'e', contentType: 'application/octet-stream' },
      ...{ modifiedAt: new Date(), checksum: ['x-amz-checksum-sha256', ''] },
    });
    try {
      expect(await about('s3://chat-files/dumps')).toEqual([]);
    } finally {
      s3.objects().clear();
    }
  });
});
