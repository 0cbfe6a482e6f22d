import { createPrivateKey } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import { misspelt } from './config/misspelt-settings.ts';
import { isOriginPattern } from './kit/origins.ts';
import { JWT_ALGORITHMS, jwtAlgorithmOf } from './kit/jwt-algorithms.ts';
import { readSecretFiles } from './config/secret-files.ts';
import { trustedIssuers } from './config/trusted-issuers.ts';
import {
  caFile,
  clamdUrl,
  contact,
  ed25519Key,
  eventStoreDbUrl,
  isAddressOrRange,
  isMasterKey,
  jwtKey,
  jwtVerifyingKeys,
  list,
  optionalNumber,
  pairs,
  placeUrl,
  postgresAddress,
  postgresUrl,
  redisUrl,
  secondFactor,
  secrets,
  url,
  vapidKey,
  vapidPrivateKeys,
  vapidPublicKeyOf,
  wholeNumber,
} from './config/setting-kinds.ts';

/** The roles of a process. The whole program in one process has all of them. */
const ROLES = ['api', 'projector', 'realtime', 'notifier', 'worker', 'sealer'] as const;
export type Role = (typeof ROLES)[number];
const isRole = (name: string): name is Role => ROLES.some((role) => role === name);
const rolesOf = (names: readonly string[]): ReadonlySet<Role> =>
  new Set(names.length > 0 ? names.filter(isRole) : ROLES);
/** Roles that know who is connected. When one of them runs in another process, they need Redis between them. */
const AMONG_SOCKETS: readonly Role[] = ['api', 'realtime', 'notifier'];

/** The operator's settings, described in docs/operations.md. */
export type Config = Readonly<z.output<typeof settings>>;

/** The settings are not usable; one line for each setting that is wrong. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
  readonly lines: string[];

  constructor(lines: string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

/** The samplers that the specification of OpenTelemetry names. */
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;
const MIB = 1_048_576;
/** Files that are in the data folder unless a URL names another place. */
const CHECKPOINTS = 'checkpoints.ndjson';
const ERASED_PEOPLE = 'erased-people.ndjson';

const settings = z
  .object({
    PORT: wholeNumber(0, 65_535, 3000),
    HOST: z.string().max(253).regex(/^\S+$/, 'must be an address or a host name').default('127.0.0.1'),
    STATUS_PORT: optionalNumber(0, 65_535),
    DATA_DIR: z.string().default('./data'),
    LOG_LEVEL: z
      .string()
      .toLowerCase()
      .pipe(
        z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
          error: 'must be one of fatal, error, warn, info, debug, trace, silent',
        }),
      )
      .default('info'),
    PUBLIC_URL: url('http', 'https'),
    ALLOWED_ORIGINS: list(
      isOriginPattern,
      'must be origins like https://app.example.org, https://*.example.org or capacitor://localhost, separated by commas',
    ),
    TRUSTED_PROXIES: list(
      isAddressOrRange,
      'must be addresses or ranges like 10.0.0.0/8, separated by commas',
    ),
    DATABASE_URL: postgresUrl(),
    DATABASE_OWNER_URL: postgresUrl(),
    EVENTSTOREDB_URL: eventStoreDbUrl(),
    EVENTSTOREDB_CA_FILE: caFile(),
    REDIS_URL: redisUrl(),
    REDIS_CA_FILE: caFile(),
    ROLES: list(isRole, `must be some of ${ROLES.join(', ')}, separated by commas`),
    JWT_ALGORITHM: z
      .enum(JWT_ALGORITHMS, { error: `must be one of ${JWT_ALGORITHMS.join(', ')}` })
      .optional(),
    JWT_PRIVATE_KEY: jwtKey(),
    JWT_PREVIOUS_KEYS: jwtVerifyingKeys(),
    SEAL_PRIVATE_KEY: ed25519Key(),
    SEAL_URL: placeUrl(CHECKPOINTS),
    MASTER_KEY: secrets(
      isMasterKey,
      'must be 32 bytes in base64, or such as AWS KMS encrypts them, after kms:; several, separated by commas, the present one first',
    ),
    JOB_CONVERSATIONS: z.enum(['group', 'private'], { error: 'must be group or private' }).default('group'),
    THREAD_REPLY_DAYS: wholeNumber(0, 3_650, 14),
    ERASURE_DELAY_HOURS: wholeNumber(0, 8_760, 72),
    RETENTION_MONTHS: z
      .string()
      .regex(
        /^(?:job=)?[1-9]\d{0,3}$/,
        'must be a number of months, for all groups or for those of jobs: 24, job=24',
      )
      .transform((text) => Number(text.replace('job=', '')))
      .optional(),
    ERASED_PEOPLE_URL: placeUrl(ERASED_PEOPLE),
    BACKUP_URL: placeUrl('backups'),
    ACCESS_TOKEN_SECONDS: wholeNumber(5, 3_600, 600),
    TRUSTED_ISSUERS: trustedIssuers(),
    AUDITOR_TOTP: secondFactor(),
    OPERATOR_TOTP: secondFactor(),
    HEADS_INTERVAL_MS: wholeNumber(50, 15_000, 15_000),
    MESSAGES_PER_MINUTE: wholeNumber(1, 1_000_000, 100),
    REQUESTS_PER_MINUTE: wholeNumber(100, 100_000_000, 3_000),
    CLIENT_REQUESTS_PER_MINUTE: wholeNumber(100, 100_000_000, 30_000),
    ANONYMOUS_REQUESTS_PER_MINUTE: wholeNumber(100, 100_000_000, 6_000),
    UPLOADS_PER_MINUTE: wholeNumber(1, 1_000_000, 60),
    LOGINS_PER_MINUTE: wholeNumber(1, 1_000_000, 60),
    FAILED_LOGINS_PER_MINUTE: wholeNumber(1, 1_000_000, 10),
    MAX_FILE_MIB: wholeNumber(1, 1_024, 25),
    UPLOAD_MIB_PER_USER_DAY: optionalNumber(1, 1_048_576),
    FILES_MIB_PER_GROUP: optionalNumber(1, 1_048_576),
    MIN_FREE_DISK_MIB: wholeNumber(0, 1_048_576, 1_024),
    S3_BUCKET: z
      .string()
      .max(255)
      .regex(/^[a-z0-9][a-z0-9._-]+$/, 'must be the name of a bucket')
      .optional(),
    S3_ENDPOINT: url('http', 'https'),
    S3_PUBLIC_ENDPOINT: url('http', 'https'),
    S3_REGION: z
      .string()
      .max(64)
      .regex(/^[a-z0-9-]+$/, 'must be a region like eu-central-1')
      .optional(),
    S3_PATH_STYLE: z.enum(['true', 'false'], { error: 'must be true or false' }).optional(),
    CLAMD_URL: clamdUrl(),
    SCAN_WEBHOOK_SECRET: list(
      (secret) => secret.length >= 32 && secret.length <= 1_024,
      'must have at least 32 characters; several, separated by commas, to rotate',
    ),
    AMQP_URL: url('amqp', 'amqps'),
    AMQP_CA_FILE: caFile(),
    SITE_URL: url('http', 'https'),
    SMTP_URL: url('smtp', 'smtps'),
    MAIL_FROM: z
      .string()
      .max(320)
      .regex(/^[^\r\n]*[^\s<>@]+@[^\s<>@]+>?$/, 'must be an address like Jobs <jobs@example.org>')
      .optional(),
    VAPID_PUBLIC_KEY: vapidKey(65),
    VAPID_PRIVATE_KEY: vapidKey(32),
    VAPID_PREVIOUS_KEYS: vapidPrivateKeys(),
    VAPID_SUBJECT: contact(),
    PUSH_PRIVATE_HOSTS: list(
      (host) => /^[a-z0-9.:[\]-]+$/i.test(host),
      'must be host names, separated by commas',
    ),
    OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https'),
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url('http', 'https'),
    OTEL_EXPORTER_OTLP_HEADERS: pairs('must be like name=value, several separated by commas'),
    OTEL_EXPORTER_OTLP_PROTOCOL: z
      .literal('http/json', { error: 'must be http/json: no other protocol is spoken' })
      .optional(),
    OTEL_SERVICE_NAME: z.string().max(255).default('slay-e-chatapp'),
    OTEL_TRACES_SAMPLER: z
      .enum(SAMPLERS, { error: `must be one of ${SAMPLERS.join(', ')}` })
      .default('parentbased_always_on'),
    OTEL_TRACES_SAMPLER_ARG: z
      .string()
      .regex(/^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/, 'must be a number from 0 to 1')
      .transform(Number)
      .default(1),
  })
  .superRefine(({ JWT_PRIVATE_KEY: pem, ...env }, { addIssue }) => {
    const algorithm = pem && jwtAlgorithmOf(createPrivateKey(pem));
    if (env.JWT_ALGORITHM !== undefined && algorithm !== undefined && env.JWT_ALGORITHM !== algorithm)
      addIssue({
        code: 'custom',
        path: ['JWT_ALGORITHM'],
        message: `must be ${algorithm} or not set, because JWT_PRIVATE_KEY is a key for ${algorithm}`,
      });
    if (env.VAPID_PREVIOUS_KEYS.length > 0 && env.VAPID_PRIVATE_KEY === undefined)
      addIssue({
        code: 'custom',
        path: ['VAPID_PRIVATE_KEY'],
        message: 'must be set along with VAPID_PREVIOUS_KEYS',
      });
  })
  .superRefine((env, { addIssue }) => {
    const together = (names: (keyof typeof env)[]) => {
      const missing = names.filter((name) => env[name] === undefined);
      if (missing.length < names.length)
        for (const name of missing)
          addIssue({
            code: 'custom',
            path: [name],
            message: `must be set along with ${names.filter((n) => n !== name).join(' and ')}`,
          });
    };
    together(['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY', 'VAPID_SUBJECT']);
    const needs = (name: keyof typeof env, reason: string) => {
      if (env[name] === undefined) addIssue({ code: 'custom', path: [name], message: reason });
    };
    for (const name of ['UPLOAD_MIB_PER_USER_DAY', 'FILES_MIB_PER_GROUP'] as const)
      if ((env[name] ?? env.MAX_FILE_MIB) < env.MAX_FILE_MIB)
        addIssue({ code: 'custom', path: [name], message: 'must be at least MAX_FILE_MIB' });
    const roles = rolesOf(env.ROLES);
    if (env.DATABASE_OWNER_URL !== undefined)
      needs('DATABASE_URL', 'must be set along with DATABASE_OWNER_URL');
    if (roles.size < ROLES.length) needs('DATABASE_URL', 'must be set when ROLES leaves work to others');
    if (roles.has('worker') && !roles.has('api'))
      needs('PUBLIC_URL', 'must be set for a worker without the role api: links in mails begin with it');
    const here = AMONG_SOCKETS.filter((role) => roles.has(role)).length;
    if (here > 0 && here < AMONG_SOCKETS.length)
      needs('REDIS_URL', `must be set when ROLES leaves some of ${AMONG_SOCKETS.join(', ')} to others`);
    for (const [file, url, scheme] of [
      ['REDIS_CA_FILE', env.REDIS_URL, 'rediss'],
      ['AMQP_CA_FILE', env.AMQP_URL, 'amqps'],
    ] as const)
      if (env[file] !== undefined && !url?.startsWith(scheme))
        addIssue({
          code: 'custom',
          path: [file],
          message: `must be set along with a URL that begins with ${scheme}:`,
        });
    if (env.EVENTSTOREDB_CA_FILE !== undefined)
      needs('EVENTSTOREDB_URL', 'must be set along with EVENTSTOREDB_CA_FILE');
    const isInS3 = [env.SEAL_URL, env.ERASED_PEOPLE_URL].some((place) => place?.startsWith('s3:'));
    for (const name of ['S3_ENDPOINT', 'S3_PUBLIC_ENDPOINT', 'S3_REGION', 'S3_PATH_STYLE'] as const)
      if (env[name] !== undefined && env.S3_BUCKET === undefined && !isInS3)
        addIssue({
          code: 'custom',
          path: [name],
          message: 'must be set along with S3_BUCKET, or with a SEAL_URL or ERASED_PEOPLE_URL in S3',
        });
  })
  .transform((env) => ({
    /** 0 takes any free port. */
    port: env.PORT,
    host: env.HOST,
    /** On the loopback interface, for operators; undefined means no status port. */
    statusPort: env.STATUS_PORT,
    dataDir: env.DATA_DIR,
    logLevel: env.LOG_LEVEL,
    /** The URL of this server for clients, if it differs from the host they ask for. */
    publicUrl: env.PUBLIC_URL,
    jwt: {
      /** Of the keys that are made here. */
      algorithm: env.JWT_ALGORITHM ?? JWT_ALGORITHMS[0],
      /** PKCS #8 PEM; undefined means that one is generated and kept in the database. */
      privateKey: env.JWT_PRIVATE_KEY,
      /** Public keys in PEM, which verify tokens as well. */
      previousKeys: env.JWT_PREVIOUS_KEYS,
    },
    /** Allowed besides the requested host. */
    allowedOrigins: env.ALLOWED_ORIGINS,
    /** Proxies whose X-Forwarded-For is trusted. */
    trustedProxies: env.TRUSTED_PROXIES,
    /** Several hosts are encoded as `encodeHosts` returns them. Undefined means the embedded PostgreSQL. */
    databaseUrl: env.DATABASE_URL && postgresAddress(env.DATABASE_URL),
    /**
     * Undefined means that the user of `databaseUrl` may own the database. Otherwise that user belongs to the
     * application only.
     */
    databaseOwnerUrl: env.DATABASE_OWNER_URL && postgresAddress(env.DATABASE_OWNER_URL),
    /** Undefined means that the log is in PostgreSQL. */
    eventStoreDbUrl: env.EVENTSTOREDB_URL && withCaFile(env.EVENTSTOREDB_URL, env.EVENTSTOREDB_CA_FILE),
    /** Undefined means that this process holds all sockets. */
    redisUrl: env.REDIS_URL,
    redisCaFile: env.REDIS_CA_FILE,
    roles: rolesOf(env.ROLES),
    /** As they are given, the present one first. They wrap the keys of personal text; without any, one is made. */
    masterKeys: env.MASTER_KEY,
    /** How conversations are held about a job whose posting does not say. */
    jobConversations: env.JOB_CONVERSATIONS,
    /** Days for which threads go on after a final decision, or after their job was closed. */
    threadReplyDays: env.THREAD_REPLY_DAYS,
    /** Time in which people can take their own erasure back. */
    erasureDelayHours: env.ERASURE_DELAY_HOURS,
    /** Months after which what was said in a group is erased; undefined means never. */
    retentionMonths: env.RETENTION_MONTHS,
    /** Where the list of erased people is. */
    erasedPeople: placeOf(env, env.ERASED_PEOPLE_URL, ERASED_PEOPLE),
    /** Where an operator keeps backups: the server makes none, and `npm run doctor` looks at their age. */
    backupUrl: env.BACKUP_URL,
    accessTokenSeconds: env.ACCESS_TOKEN_SECONDS,
    /** Whose tokens are exchanged for ours, or the URL of the list of them. */
    trustedIssuers: env.TRUSTED_ISSUERS,
    /** Whether auditors without a second factor can do nothing but set one up. */
    auditorTotp: env.AUDITOR_TOTP,
    /** The same for operators, the accounts with the role `admin`. */
    operatorTotp: env.OPERATOR_TOTP,
    /** The name under which authenticator apps show this server. */
    totpIssuer: env.PUBLIC_URL === undefined ? 'slay-e-chatapp' : new URL(env.PUBLIC_URL).hostname,
    headsIntervalMs: env.HEADS_INTERVAL_MS,
    messagesPerMinute: env.MESSAGES_PER_MINUTE,
    /** In points, as in protocol/rate-limits.ts. */
    requestsPerMinute: env.REQUESTS_PER_MINUTE,
    clientRequestsPerMinute: env.CLIENT_REQUESTS_PER_MINUTE,
    anonymousRequestsPerMinute: env.ANONYMOUS_REQUESTS_PER_MINUTE,
    uploadsPerMinute: env.UPLOADS_PER_MINUTE,
    loginsPerMinute: env.LOGINS_PER_MINUTE,
    failedLoginsPerMinute: env.FAILED_LOGINS_PER_MINUTE,
    maxFileBytes: env.MAX_FILE_MIB * MIB,
    uploadQuotas: {
      bytesPerUserDay: (env.UPLOAD_MIB_PER_USER_DAY ?? Math.max(500, env.MAX_FILE_MIB)) * MIB,
      bytesPerGroup: (env.FILES_MIB_PER_GROUP ?? Math.max(5_120, env.MAX_FILE_MIB)) * MIB,
    },
    /** Free space on the disk of the data folder, below which no uploads are accepted. */
    minFreeDiskBytes: env.MIN_FREE_DISK_MIB * MIB,
    /** Undefined means files under the data folder. */
    s3: env.S3_BUCKET === undefined ? undefined : inS3(env, env.S3_BUCKET),
    seal: {
      /** PKCS #8 PEM; undefined means that one is generated and kept in the data folder. */
      privateKey: env.SEAL_PRIVATE_KEY,
      ...placeOf(env, env.SEAL_URL, CHECKPOINTS),
    },
    /** Undefined means that only size and type are checked, or that an external scanner reports. */
    clamdUrl: env.CLAMD_URL,
    /** Any of them signs the reports of an external scanner; without one, none are accepted. */
    scanWebhookSecrets: env.SCAN_WEBHOOK_SECRET,
    /** Undefined means a queue in the database. */
    amqpUrl: env.AMQP_URL,
    amqpCaFile: env.AMQP_CA_FILE,
    /** The site where people read and answer, if it is not this server. */
    siteUrl: env.SITE_URL ?? env.PUBLIC_URL,
    /** Undefined means that mail is written to the log. */
    smtpUrl: env.SMTP_URL,
    mailFrom: env.MAIL_FROM ?? 'Jobs <noreply@localhost>',
    /** Undefined means that pushes are written to the log. */
    vapid:
      env.VAPID_PUBLIC_KEY === undefined
        ? undefined
        : {
            publicKey: env.VAPID_PUBLIC_KEY,
            privateKey: env.VAPID_PRIVATE_KEY!,
            subject: env.VAPID_SUBJECT!,
            /** For subscriptions that browsers made with these keys. */
            previous: env.VAPID_PREVIOUS_KEYS.map((privateKey) => ({
              publicKey: vapidPublicKeyOf(privateKey)!,
              privateKey,
            })),
          },
    /** Push services that may have a private address. */
    pushPrivateHosts: env.PUSH_PRIVATE_HOSTS,
    /** Where traces go; undefined means that nothing is traced. */
    traces: tracesOf(env),
  }));

/** Returns the URL of a path below another one. */
function below(base: string, path: string): string {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/$/, '') + path;
  return url.href;
}

/** Returns where traces go: the endpoint of traces as it is, or the path of traces below the one of all signals. */
function tracesOf(env: {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_HEADERS: Readonly<Record<string, string>>;
  OTEL_SERVICE_NAME: string;
  OTEL_TRACES_SAMPLER: (typeof SAMPLERS)[number];
  OTEL_TRACES_SAMPLER_ARG: number;
}) {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = env;
  const url = own ?? (base === undefined ? undefined : below(base, '/v1/traces'));
  if (url === undefined) return undefined;
  return {
    url,
    headers: env.OTEL_EXPORTER_OTLP_HEADERS,
    serviceName: env.OTEL_SERVICE_NAME,
    sampler: env.OTEL_TRACES_SAMPLER,
    ratio: env.OTEL_TRACES_SAMPLER_ARG,
  };
}

/** Adds the authorities to the URL of EventStoreDB, in the form of its client. */
const withCaFile = (url: string, caFile: string | undefined): string =>
  caFile === undefined
    ? url
    : `${url}${url.includes('?') ? '&' : '?'}tlsCAFile=${encodeURIComponent(caFile)}`;

type S3Settings = Partial<
  Record<'S3_ENDPOINT' | 'S3_PUBLIC_ENDPOINT' | 'S3_REGION' | 'S3_PATH_STYLE', string>
>;

/** Returns where a bucket is. */
const inS3 = (env: { [Name in keyof S3Settings]?: string | undefined }, bucket: string) => ({
  bucket,
  /** Undefined means Amazon's own endpoint. */
  endpoint: env.S3_ENDPOINT,
  /** The endpoint for clients, if it differs. */
  publicEndpoint: env.S3_PUBLIC_ENDPOINT,
  region: env.S3_REGION ?? 'us-east-1',
  /**
   * True if the path names the bucket; undefined means that this is detected, on a server other than
   * Amazon's.
   */
  pathStyle:
    env.S3_ENDPOINT === undefined || env.S3_PATH_STYLE !== undefined
      ? env.S3_PATH_STYLE === 'true'
      : undefined,
});

/** Returns the place that a URL names, a file or a folder of a bucket; without one, a file in the data folder. */
function placeOf(
  env: Parameters<typeof inS3>[0] & { DATA_DIR: string },
  given: string | undefined,
  file: string,
) {
  const url = given ?? pathToFileURL(resolve(env.DATA_DIR, file)).href;
  if (url.startsWith('file:')) return { url, file: fileURLToPath(url) };
  const { host, pathname } = new URL(url);
  return { url, s3: { ...inS3(env, host), prefix: decodeURIComponent(pathname).replaceAll(/^\/|\/$/g, '') } };
}

/** Settings that `<name>_FILE` gives as well: the content of that file. */
const SECRETS = [
  'DATABASE_URL',
  'DATABASE_OWNER_URL',
  'EVENTSTOREDB_URL',
  'REDIS_URL',
  'JWT_PRIVATE_KEY',
  'JWT_PREVIOUS_KEYS',
  'SEAL_PRIVATE_KEY',
  'MASTER_KEY',
  'SCAN_WEBHOOK_SECRET',
  'AMQP_URL',
  'SMTP_URL',
  'VAPID_PRIVATE_KEY',
  'VAPID_PREVIOUS_KEYS',
  'OTEL_EXPORTER_OTLP_HEADERS',
] as const satisfies (keyof z.input<typeof settings>)[];

/**
 * Reads the settings, and the files that hold some of them. An empty value counts as not set, as in
 * `PORT= npm start`, and spaces or line ends around a value do not count. Throws `BadConfig` for all bad values and
 * all misspelt or unsupported settings at once, without passwords.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])),
  );
  const files = readSecretFiles(given, SECRETS);
  const parsed = settings.safeParse({ ...given, ...files.values });
  const unknown = misspelt(Object.keys(given), [
    ...Object.keys(settings.in.shape),
    ...SECRETS.map((name) => `${name}_FILE`),
  ]);
  const bad = (parsed.error?.issues ?? []).map(({ path, message }) => files.lineOf(path.join('.'), message));
  if (!parsed.success || unknown.length > 0 || files.faults.length > 0)
    throw new BadConfig([...files.faults, ...bad, ...unknown]);
  return Object.freeze(parsed.data);
}
