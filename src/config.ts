import { createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { misspelt } from './misspelt-settings.ts';

/** What the operator decides; docs/operations.md describes each setting. */
export type Config = Readonly<z.output<typeof settings>>;

/** The start is refused; one line for each setting that is at fault. */
export class BadConfig extends Error {
  override readonly name = 'BadConfig';
  readonly lines: string[];

  constructor(lines: string[]) {
    super(lines.join('\n'));
    this.lines = lines;
  }
}

const wholeNumber = (from: number, to: number, standard: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${from} to ${to}`)
    .transform(Number)
    .refine((n) => n >= from && n <= to, `must be a whole number from ${from} to ${to}`)
    .default(standard);

const list = (isValid: (item: string) => boolean, message: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .refine((items) => items.every(isValid), message)
    .transform((items): readonly string[] => Object.freeze(items))
    .default(Object.freeze([]));

const isUrl = (text: string, ...protocols: string[]) =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol);

/** As browsers send it: scheme, host and port, nothing behind. */
const isOrigin = (text: string) => isUrl(text, 'http:', 'https:') && new URL(text).origin === text;

function isAddressOrRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function isEd25519(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

const settings = z
  .object({
    PORT: wholeNumber(0, 65_535, 3000),
    HOST: z.string().max(253).regex(/^\S+$/, 'must be an address or a host name').default('127.0.0.1'),
    DATA_DIR: z.string().default('./data'),
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
        error: 'must be one of fatal, error, warn, info, debug, trace, silent',
      })
      .default('info'),
    PUBLIC_URL: z
      .string()
      .refine((text) => isUrl(text, 'http:', 'https:'), 'must be an http or https URL')
      .optional(),
    ALLOWED_ORIGINS: list(isOrigin, 'must be origins like https://app.example.org, separated by commas'),
    TRUSTED_PROXIES: list(
      isAddressOrRange,
      'must be addresses or ranges like 10.0.0.0/8, separated by commas',
    ),
    DATABASE_URL: z
      .string()
      .refine(
        (text) => isUrl(text, 'postgres:', 'postgresql:'),
        'must be a URL like postgres://user:password@host/database',
      )
      .optional(),
    JWT_PRIVATE_KEY: z
      .string()
      // Files of settings hold one line, so the line ends of a PEM may be written as \n.
      .transform((pem) => pem.replaceAll('\\n', '\n'))
      .refine(isEd25519, 'must be an Ed25519 private key in PKCS #8 PEM')
      .optional(),
    ACCESS_TOKEN_SECONDS: wholeNumber(5, 3_600, 600),
    HEADS_INTERVAL_MS: wholeNumber(50, 15_000, 15_000),
    MESSAGES_PER_MINUTE: wholeNumber(1, 1_000_000, 100),
    LOGINS_PER_MINUTE: wholeNumber(1, 1_000_000, 60),
    FAILED_LOGINS_PER_MINUTE: wholeNumber(1, 1_000_000, 10),
  })
  .transform((env) => ({
    /** 0 takes any free port. */
    port: env.PORT,
    host: env.HOST,
    dataDir: env.DATA_DIR,
    logLevel: env.LOG_LEVEL,
    /** Where clients reach us, when that differs from what they ask for. */
    publicUrl: env.PUBLIC_URL,
    /** The `iss` of our tokens. */
    jwtIssuer: env.PUBLIC_URL ?? 'slay-e-chatapp',
    /** PKCS #8 PEM; undefined means: make one and keep it in the database. */
    jwtPrivateKey: env.JWT_PRIVATE_KEY,
    /** Besides the host that was asked. */
    allowedOrigins: env.ALLOWED_ORIGINS,
    /** Whose X-Forwarded-For is believed. */
    trustedProxies: env.TRUSTED_PROXIES,
    /** Undefined means the embedded PostgreSQL. */
    databaseUrl: env.DATABASE_URL,
    accessTokenSeconds: env.ACCESS_TOKEN_SECONDS,
    headsIntervalMs: env.HEADS_INTERVAL_MS,
    messagesPerMinute: env.MESSAGES_PER_MINUTE,
    loginsPerMinute: env.LOGINS_PER_MINUTE,
    failedLoginsPerMinute: env.FAILED_LOGINS_PER_MINUTE,
  }));

/**
 * Reads the settings. One that is set to nothing counts as not set, as in `PORT= npm start`.
 * Throws `BadConfig` for every bad value and every misspelt or unsupported setting at once; no value is repeated in it.
 */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const parsed = settings.safeParse(given);
  const unknown = misspelt(Object.keys(given), Object.keys(settings.in.shape));
  const bad = (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
  if (!parsed.success || unknown.length > 0) throw new BadConfig([...bad, ...unknown]);
  return Object.freeze(parsed.data);
}
