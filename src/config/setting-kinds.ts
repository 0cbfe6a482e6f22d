import { type KeyObject, createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { jwtAlgorithmOf } from '../kit/jwt-algorithms.ts';
import { encodeHosts, parseServerUrl, withoutSecrets } from '../kit/server-url.ts';

const wholeNumberIn = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${from} to ${to}`)
    .transform(Number)
    // A wrong number stops the checks of settings that depend on it.
    .refine((n) => n >= from && n <= to, {
      error: `must be a whole number from ${from} to ${to}`,
      abort: true,
    });

export const wholeNumber = (from: number, to: number, standard: number) =>
  wholeNumberIn(from, to).default(standard);

export const optionalNumber = (from: number, to: number) => wholeNumberIn(from, to).optional();

/** Whether people of a role need a second factor. */
export const secondFactor = () =>
  z.enum(['offered', 'required'], { error: 'must be offered or required' }).default('offered');

const listOf = (split: (text: string) => string[], isValid: (item: string) => boolean, message: string) =>
  z
    .string()
    .transform(split)
    // A wrong list stops the checks of settings that depend on it.
    .refine((items) => items.every(isValid), { error: message, abort: true })
    .transform((items): readonly string[] => Object.freeze(items))
    .default(Object.freeze([]));

export const list = (isValid: (item: string) => boolean, message: string) =>
  listOf((text) => text.split(',').map((item) => item.trim()), isValid, message);

/** Secrets without spaces, separated by commas, or in a file by line ends. */
export const secrets = (isValid: (item: string) => boolean, message: string) =>
  listOf((text) => text.split(/[\s,]+/).filter((item) => item !== ''), isValid, message);

const PAIR = /^\s*([!#$%&'*+.^_`|~0-9a-z-]+)\s*=\s*([\x21-\x2b\x2d-\x3a\x3c-\x7e]*)\s*$/i;

/** Names and values of HTTP headers, which are percent-encoded. The values may be secret. */
export const pairs = (message: string) =>
  z
    .string()
    .default('')
    .transform((text, context): Readonly<Record<string, string>> => {
      const found = text.split(',').filter((pair) => pair.trim() !== '');
      const parsed = found.map((pair) => PAIR.exec(pair));
      try {
        if (parsed.every((pair) => pair !== null))
          return Object.freeze(
            Object.fromEntries(parsed.map(([, name, value]) => [name, decodeURIComponent(value!)])),
          );
      } catch {
        // Bad percent-encoding.
      }
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });

/** Parses a URL whose hosts are names or addresses. Returns undefined for anything else. */
const parseHostsUrl = (text: string) => {
  const parsed = parseServerUrl(text);
  return parsed?.hosts.some(({ host }) => host.startsWith('/')) ? undefined : parsed;
};

/** Returns true for a URL with one host and, in its path, anything. */
const isUrl = (text: string, schemes: readonly string[]): boolean => {
  const parsed = URL.canParse(text) ? parseHostsUrl(text) : undefined;
  return parsed !== undefined && parsed.hosts.length === 1 && schemes.includes(parsed.scheme);
};

/** Names of ranges that Fastify knows. */
const RANGES = ['loopback', 'linklocal', 'uniquelocal'];

/** Returns true for an address, or a range with its length or mask, as Fastify reads the proxies it trusts. */
export function isAddressOrRange(text: string): boolean {
  const [address = '', range, ...rest] = text.split('/');
  const version = isIP(address);
  if (RANGES.includes(text)) return true;
  if (version === 0 || rest.length > 0) return false;
  if (range === undefined || (version === 4 && isMask(range))) return true;
  return /^\d{1,3}$/.test(range) && Number(range) <= (version === 4 ? 32 : 128);
}

/** Returns true for an IPv4 mask: ones, then zeros. */
function isMask(text: string): boolean {
  if (isIP(text) !== 4) return false;
  const bits = text.split('.').map((byte) => Number(byte).toString(2).padStart(8, '0'));
  return /^1+0*$/.test(bits.join(''));
}

/** The length of a key of AES-256. */
export const KEY_BYTES = 32;
/** Precedes a key that AWS KMS has encrypted. */
export const KMS_PREFIX = 'kms:';

/** Returns true for a key of AES-256 in base64, or one that AWS KMS has encrypted: at most 6 KiB, also in base64. */
export const isMasterKey = (text: string): boolean =>
  /^[A-Za-z0-9+/_-]{43}=?$/.test(text) || /^kms:[A-Za-z0-9+/]{4,8192}={0,2}$/.test(text);

/** Parses a key in PEM. Returns undefined for anything else. */
function parseKey(parse: (pem: string) => KeyObject, pem: string): KeyObject | undefined {
  try {
    return parse(pem);
  } catch {
    return undefined;
  }
}

/** Files of settings hold one line, so line ends of a PEM may be written as \\n. */
const withLineEnds = (pem: string) => pem.replaceAll('\\n', '\n');

const privateKey = (isValid: (key: KeyObject) => boolean, wanted: string) =>
  z
    .string()
    .transform(withLineEnds)
    .refine(
      (pem) => {
        const key = parseKey(createPrivateKey, pem);
        return key !== undefined && isValid(key);
      },
      { error: `must be ${wanted} in PKCS #8 PEM`, abort: true },
    )
    .optional();

export const ed25519Key = () =>
  privateKey(({ asymmetricKeyType }) => asymmetricKeyType === 'ed25519', 'an Ed25519 private key');

const JWT_KEYS = 'P-256, Ed25519, or RSA with 2048 to 8192 bits';

/** A private key that signs access tokens. */
export const jwtKey = () =>
  privateKey((key) => jwtAlgorithmOf(key) !== undefined, `a private key of ${JWT_KEYS},`);

const PEM = /-----BEGIN [A-Z0-9 ]+-----[^-]+-----END [A-Z0-9 ]+-----/g;

/** Keys that verify access tokens: their public halves, whichever half is given. One PEM after the other. */
export const jwtVerifyingKeys = () =>
  listOf(
    (text) => {
      const pems = withLineEnds(text).match(PEM) ?? [];
      const rest = withLineEnds(text).replaceAll(PEM, '').replaceAll(/[\s,]/g, '');
      return rest === '' ? pems.map(publicHalf) : [''];
    },
    (pem) => pem !== '',
    `must be public or private keys in PEM, one after the other: ${JWT_KEYS}`,
  );

/** Returns the public half of a key; an empty text for what is no key of access tokens. */
function publicHalf(pem: string): string {
  const key = parseKey(createPublicKey, pem);
  if (key === undefined || jwtAlgorithmOf(key) === undefined) return '';
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

/** Says what a setting must be, and its value without passwords. */
const shownBy = (wanted: string) => ({
  error: ({ input }: { input?: unknown }) => `must be ${wanted}, not ${withoutSecrets(String(input))}`,
});

const shown = (isValid: (text: string) => boolean, wanted: string) =>
  z.string().refine(isValid, shownBy(wanted)).optional();

/** A URL that names one host. `schemes` are without the colon. */
export const url = (...schemes: string[]) =>
  shown((text) => isUrl(text, schemes), `a URL with ${schemes.map((scheme) => `${scheme}:`).join(' or ')}`);

/** A URL that names a mailbox or a page, for the operators of push services. */
export const contact = () =>
  shown(
    (text) => /^mailto:[^\s@]+@[^\s@]+$/.test(text) || isUrl(text, ['https']),
    'a URL with mailto: or https:',
  );

/** Values of `target_session_attrs` for a server that writes. */
const WRITABLE = ['any', 'read-write', 'primary'];

/** Values of `sslmode`: those of libpq, and the driver's own name for `require` without a CA. */
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
/** Means the authorities that Node trusts. */
const SYSTEM = 'system';

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A file with the certificates of the authorities that are trusted for a service. */
export const caFile = () =>
  z.string().refine(isReadable, 'must be the path of a readable file with certificates in PEM').optional();

/** Returns what is wrong with the parameters of TLS in the URL of a database; undefined for nothing. */
function sslFault(text: string): string | undefined {
  const query = parseServerUrl(text)?.query ?? new URLSearchParams();
  const mode = query.get('sslmode');
  if (mode !== null && !SSL_MODES.includes(mode))
    return `must have one of ${SSL_MODES.join(', ')} as sslmode`;
  const root = query.get('sslrootcert');
  if (mode === 'verify-ca' && (root === null || root === SYSTEM))
    return 'must have an sslrootcert with sslmode=verify-ca: with any other authority, only verify-full proves which server it is';
  return undefined;
}

/**
 * Returns the URL of a database as the driver reads it: with a list of hosts encoded, and with the meaning of
 * `sslmode` that it has for libpq. `allow` is `prefer` here, which takes TLS wherever the server has it.
 */
export function postgresAddress(text: string): string {
  const address = encodeHosts(text);
  const query = parseServerUrl(text)?.query;
  const mode = query?.get('sslmode') ?? 'no-verify';
  const read = address
    .replace(/([?&]sslmode=)allow(?=&|$)/, '$1prefer')
    .replace(/&?sslrootcert=system(?=&|$)/, '');
  return mode === 'no-verify' || query?.has('uselibpqcompat') ? read : `${read}&uselibpqcompat=true`;
}

/** PostgreSQL: one host or several, each a name, an address, or the percent-encoded folder of a Unix socket. */
export const postgresUrl = () =>
  z
    .string()
    .refine((text) => {
      const parsed = URL.canParse(encodeHosts(text)) ? parseServerUrl(text) : undefined;
      return parsed && parsed.hosts.length > 0 && ['postgres', 'postgresql'].includes(parsed.scheme);
    }, shownBy('a URL like postgres://user:password@host/database or postgres://user:password@host1:5432,host2:5432/database'))
    .refine(
      (text) => {
        const wanted = parseServerUrl(text)?.query.get('target_session_attrs') ?? undefined;
        return wanted === undefined || WRITABLE.includes(wanted);
      },
      { error: `must have ${WRITABLE.join(', ')} or no target_session_attrs, because the server writes` },
    )
    .superRefine((text, { addIssue }) => {
      const message = sslFault(text);
      if (message !== undefined) addIssue({ code: 'custom', message });
    })
    .optional();

/** EventStoreDB, in the grammar of its client: one node or several, without IPv6 addresses. */
export const eventStoreDbUrl = () =>
  shown((text) => {
    const parsed = parseHostsUrl(text);
    // The client reads neither a scheme in upper case nor credentials of nothing but a colon.
    if (!parsed || !/^esdb(\+discover)?:\/\/(?!:@)/.test(text)) return false;
    const { hosts, path, username, password } = parsed;
    const isReadable = hosts.length > 0 && hosts.every(({ host }) => isIP(host) !== 6);
    return isReadable && /^\/*$/.test(path) && (username === undefined) === (password === undefined);
  }, 'a URL like esdb://user:password@node1:2113,node2:2113,node3:2113?tls=true or esdb+discover://cluster.example:2113');

/** Redis: one server, the sentinels of a group, or a Unix socket. */
export const redisUrl = () =>
  shown((text) => {
    const parsed = parseHostsUrl(text);
    if (!parsed) return false;
    const { scheme, hosts, path, query } = parsed;
    if (!/^\d{0,5}$/.test(query.get('db') ?? '')) return false;
    if (scheme === 'unix') return hosts.length === 0 && path.length > 1;
    if (scheme === 'redis+sentinel' || scheme === 'rediss+sentinel')
      return hosts.length > 0 && /^\/[^/]+(\/\d{1,5})?$/.test(path);
    return ['redis', 'rediss'].includes(scheme) && hosts.length === 1 && /^(\/\d{0,5})?$/.test(path);
  }, 'a URL like redis://host:6379, redis+sentinel://host1,host2/name or unix:///run/redis.sock');

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** A place apart from the database: a file of this machine, or a folder of a bucket. */
export const placeUrl = (file: string) =>
  shown((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, host, pathname, search, hash } = new URL(text);
    if (search !== '' || hash !== '' || !isDecodable(pathname)) return false;
    if (protocol === 's3:') return /^[a-z0-9][a-z0-9._-]+$/.test(host);
    return protocol === 'file:' && host === '' && !pathname.endsWith('/') && !/%2f|%00/i.test(pathname);
  }, `a URL like file:///path/${file} or s3://bucket/folder`);

/** clamd: a host, or a Unix socket. */
export const clamdUrl = () =>
  shown((text) => {
    const parsed = parseHostsUrl(text);
    if (parsed?.scheme === 'unix') return parsed.hosts.length === 0 && parsed.path.length > 1;
    return parsed?.scheme === 'tcp' && parsed.hosts.length === 1 && parsed.path.length <= 1;
  }, 'a URL like tcp://host:3310 or unix:///run/clamav/clamd.ctl');

const isOfBytes = (key: string, bytes: number) => Buffer.from(key, 'base64url').length === bytes;

export const vapidKey = (bytes: number) =>
  z
    .string()
    .refine((key) => isOfBytes(key, bytes), `must be ${bytes} bytes in base64url`)
    .optional();

/** Private keys of VAPID, of which the public ones follow. */
export const vapidPrivateKeys = () =>
  secrets(
    (key) => vapidPublicKeyOf(key) !== undefined,
    'must be private keys of 32 bytes in base64url, separated by commas',
  );

/** Returns the public key of a private one, both in base64url; undefined for what is none of P-256. */
export function vapidPublicKeyOf(privateKey: string): string | undefined {
  if (!isOfBytes(privateKey, 32)) return undefined;
  const pair = createECDH('prime256v1');
  try {
    pair.setPrivateKey(Buffer.from(privateKey, 'base64url'));
    return pair.getPublicKey('base64url');
  } catch {
    return undefined;
  }
}
