import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { createClamdScanner } from '../../src/adapters/clamd/scanner.ts';
import { keepRabbitmqLink } from '../../src/adapters/rabbitmq/link.ts';
import { redisAddress } from '../../src/adapters/redis/link.ts';
import { createSmtpMailer } from '../../src/adapters/smtp/mailer.ts';
import type { Config } from '../../src/config.ts';
import { within } from '../../src/kit/deadline.ts';
import { reasonOf } from '../../src/kit/reason.ts';
import { parseServerUrl } from '../../src/kit/server-url.ts';
import { type Finding, fault, isHere, ok, warning } from './finding.ts';

const ANSWER_MS = 3_000;
const OLDEST_REDIS = 7;

/** Looks at Redis: its version, what it does when it is full, and whether the user may do what the server does. */
export async function redisFindings({ redisUrl, redisCaFile }: Config): Promise<Finding[]> {
  if (redisUrl === undefined) return [];
  const client = new Redis({
    ...redisAddress(redisUrl, redisCaFile),
    ...{ connectTimeout: ANSWER_MS, commandTimeout: ANSWER_MS, sentinelCommandTimeout: ANSWER_MS },
    ...{ lazyConnect: true, disableClientInfo: true, maxRetriesPerRequest: 0 },
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  });
  let lost: unknown;
  client.on('error', (error) => (lost ??= error));
  try {
    await client.connect().catch((error: unknown) => {
      throw lost ?? error;
    });
    const info = new Map(
      (await client.info()).split('\r\n').map((line) => line.split(':', 2) as [string, string]),
    );
    const version = info.get('redis_version') ?? 'of an unknown version';
    const policy = info.get('maxmemory_policy');
    return [
      Number.parseInt(version, 10) >= OLDEST_REDIS
        ? ok('redis', version)
        : fault('redis', version, 'upgrade Redis to 7 or later'),
      policy === 'noeviction'
        ? ok('redis: memory', `noeviction, ${info.get('maxmemory_human')} at most`)
        : fault(
            'redis: memory',
            `${policy}: rooms, limits and revocations are forgotten when it is full`,
            'set maxmemory-policy to noeviction',
          ),
      await redisRights(client, redisUrl),
    ];
  } catch (error) {
    return [fault('redis', `cannot be used: ${reasonOf(error)}`, 'check REDIS_URL, and whether Redis runs')];
  } finally {
    client.disconnect();
  }
}

/** Tries what the server does with Redis on keys of its own: docs/tls.md has the rights. */
async function redisRights(client: Redis, url: string): Promise<Finding> {
  const key = `chat:doctor:${randomUUID()}`;
  const tries: [string, () => Promise<unknown>][] = [
    ['SET', () => client.set(key, '1', 'EX', 10)],
    ['EVAL', () => client.eval("return redis.call('get', KEYS[1])", 1, key)],
    ['DEL', () => client.del(key)],
    ['PUBLISH', () => client.publish(key, '1')],
    ['SUBSCRIBE', () => client.subscribe(key)],
  ];
  for (const [command, work] of tries)
    try {
      await work();
    } catch (error) {
      return fault(
        'redis: rights',
        `${command} is refused: ${reasonOf(error)}`,
        'give the user the rights of docs/tls.md',
      );
    }
  const { username = 'default', password, hosts } = parseServerUrl(url)!;
  const isOpen = password === undefined && hosts.some(({ host }) => !isHere(host));
  return isOpen
    ? warning('redis: rights', 'no password is needed', 'give the server a user of its own: docs/tls.md')
    : ok('redis: rights', `the user ${username} may do what the server does`);
}

/** Looks at RabbitMQ: whether a message that is published is taken. */
export async function rabbitmqFindings({ amqpUrl, amqpCaFile }: Config, log: Logger): Promise<Finding[]> {
  if (amqpUrl === undefined) return [];
  let version = '';
  const link = await keepRabbitmqLink({
    ...{ url: amqpUrl, caFile: amqpCaFile, log, name: 'doctor' },
    async setUp(connection) {
      version = String(connection.connection.serverProperties.version);
      let alarm: string | undefined;
      connection.on('blocked', (reason: string) => (alarm = reason));
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      const { queue } = await channel.assertQueue('', { exclusive: true });
      // With an alarm the first message is taken still, and then nothing more is read.
      for (let message = 0; message < 2; message += 1) {
        channel.sendToQueue(queue, Buffer.from('doctor'));
        await within(channel.waitForConfirms(), ANSWER_MS, () => {
          // Nor would it read that the connection is to close.
          (connection.connection as unknown as { stream: Socket }).stream.destroy();
          throw new Error(`it takes no messages: ${alarm ?? 'no answer'}`);
        });
      }
    },
    tearDown: () => undefined,
  });
  const failure = link.failure();
  await link.close();
  return [
    failure === undefined
      ? ok('rabbitmq', `${version}, takes messages`)
      : fault(
          'rabbitmq',
          `cannot be used: ${failure}`,
          'check AMQP_URL; an alarm means that memory or disk is short: rabbitmq-diagnostics check_alarms',
        ),
  ];
}

/** Looks at clamd: whether it finds a virus and looks inside archives, its signatures, and its limit of size. */
export async function scannerFindings(
  { clamdUrl, roles, scanWebhookSecrets, maxFileBytes }: Config,
  log: Logger,
): Promise<Finding[]> {
  if (clamdUrl === undefined)
    return roles.has('worker') && scanWebhookSecrets.length === 0
      ? [warning('clamd', 'files are not scanned for viruses', 'set CLAMD_URL: docs/files.md')]
      : [];
  const scanner = createClamdScanner({ url: clamdUrl, log });
  const failure = await scanner.failure();
  if (failure !== undefined)
    return [fault('clamd', failure, 'clamd needs the settings of deploy/clamav/clamd.conf, and freshclam')];
  const largest = Readable.from(zeros(maxFileBytes));
  try {
    await scanner.scan(largest, AbortSignal.timeout(60_000));
    return [ok('clamd', `finds its test virus, and takes files of ${maxFileBytes / 1_048_576} MiB`)];
  } catch (error) {
    return [
      fault(
        'clamd',
        `does not take a file as large as MAX_FILE_MIB: ${reasonOf(error)}`,
        'set StreamMaxLength above it',
      ),
    ];
  }
}

function* zeros(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(65_536);
  for (let left = bytes; left > 0; left -= chunk.length)
    yield chunk.subarray(0, Math.min(left, chunk.length));
}

/** Looks at the mail server: whether it lets the server in. Sends nothing. */
export async function mailFindings({ smtpUrl, mailFrom, roles }: Config, log: Logger): Promise<Finding[]> {
  if (smtpUrl === undefined)
    return roles.has('worker') ? [warning('mail', 'mails go to the log', 'set SMTP_URL and MAIL_FROM')] : [];
  const mailer = createSmtpMailer({ url: smtpUrl, from: mailFrom, log });
  const failure = await mailer.failure();
  await mailer.close();
  return [
    failure === undefined
      ? ok('mail', 'the server takes the login')
      : fault('mail', failure, 'check SMTP_URL: host, port, user and password'),
  ];
}

/** Looks at EventStoreDB: whether the log can be read. */
export async function eventStoreDbFindings({ eventStoreDbUrl }: Config, log: Logger): Promise<Finding[]> {
  if (eventStoreDbUrl === undefined) return [];
  const { createEventStoreDbClient } = await import('../../src/adapters/eventstoredb/client.ts');
  const client = createEventStoreDbClient({ url: eventStoreDbUrl, log });
  try {
    await within(client.readBackwards('end', 1), ANSWER_MS, () => {
      throw new Error('no answer');
    });
    return [ok('eventstoredb', 'the log can be read')];
  } finally {
    await client.close();
  }
}
