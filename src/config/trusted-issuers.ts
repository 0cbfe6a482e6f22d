import { z } from 'zod';
import { ASYMMETRIC_ALGORITHMS } from '../kit/jwt-algorithms.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Returns true for a URL whose answers nobody on the way can change: with TLS, or on this machine. */
export function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

const claim = (name: string) => z.string().min(1).max(255).default(name);
const ROLES = { company: 'company', applicant: 'applicant' } as const;

const Issuer = z.strictObject({
  issuer: z.string().min(1).max(2_000),
  jwksUri: z.string().max(2_000).refine(isSafeUrl, 'must be an https: URL'),
  audience: z.string().min(1).max(2_000),
  algorithms: z.array(z.enum(ASYMMETRIC_ALGORITHMS)).min(1),
  clientId: z.uuid(),
  claims: z
    .strictObject({
      externalId: claim('sub'),
      role: claim('role'),
      displayName: claim('name'),
      email: claim('email'),
      emailVerified: claim('email_verified'),
    })
    .prefault({}),
  roles: z.record(z.string().max(255), z.enum(ROLES)).default(ROLES),
  createUsers: z.boolean().default(false),
});

const areDistinct = (texts: readonly string[]) => new Set(texts).size === texts.length;

/** Issuers of tokens that are exchanged for those of this server. Two of them never speak for the same people. */
export const TrustedIssuers = z
  .array(Issuer)
  .max(100)
  .refine((all) => areDistinct(all.map(({ issuer }) => issuer)), 'the issuer occurs twice')
  .refine(
    (all) => areDistinct(all.map(({ clientId }) => clientId)),
    'two issuers must not have the same clientId: the same subject of each would be one person',
  );

/** A list of issuers in JSON, or the URL of one. */
export const trustedIssuers = () =>
  z
    .string()
    .max(65_536)
    .optional()
    .transform((text = '[]', { addIssue }) => {
      if (isSafeUrl(text) || (URL.canParse(text) && new URL(text).protocol === 'file:')) return { url: text };
      try {
        return { issuers: parseTrustedIssuers(text) };
      } catch (error) {
        addIssue({ code: 'custom', message: (error as Error).message });
        return z.NEVER;
      }
    });

/** Parses a list of issuers. Throws an error whose message says what the setting must be. */
export function parseTrustedIssuers(text: string): z.output<typeof TrustedIssuers> {
  const parsed = TrustedIssuers.safeParse(jsonIn(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `: ${issue.path.join('.')}` : ',';
  throw new Error(
    `must be a list of issuers in JSON, or its https: or file: URL${where} ${issue?.message ?? ''}`.trimEnd(),
  );
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
