import { type JWTPayload, type JWTVerifyGetKey, decodeJwt, errors, jwtVerify } from 'jose';
import { NewDisplayName } from '../../events/account.ts';
import type { UserId } from '../../events/ids.ts';
import type { ASYMMETRIC_ALGORITHMS } from '../../kit/jwt-algorithms.ts';
import { EmailAddress } from '../email-address.ts';
import { type BoardUser, type BoardUsers, ExternalId, type UserToken } from './board-users.ts';
import { type ClientStore, TokenRefused } from './service-client.ts';

/** Somebody else whose tokens prove who a person is. */
export interface TrustedIssuer {
  /** The `iss` of its tokens. */
  issuer: string;
  jwksUri: string;
  /** The `aud` that stands for this server. */
  audience: string;
  algorithms: readonly (typeof ASYMMETRIC_ALGORITHMS)[number][];
  /** The client whose external ids the tokens name. No other issuer speaks for it. */
  clientId: string;
  /** The names of the claims. */
  claims: Readonly<Record<'externalId' | 'role' | 'displayName' | 'email' | 'emailVerified', string>>;
  /** The roles that it names otherwise. */
  roles: Readonly<Record<string, BoardUser['role']>>;
  /** Whether an unknown person gets an account. */
  createUsers: boolean;
}

/** The keys of an issuer could not be fetched, and none are kept that are recent enough. */
export class IssuerUnreachable extends Error {
  override readonly name = 'IssuerUnreachable';
}

/** The port of the keys of an issuer. Rejects with `IssuerUnreachable`, and with the errors of jose for an unknown key. */
export type IssuerKeys = JWTVerifyGetKey;

export interface ExchangeRequest {
  subjectToken: string;
  /** The client that has proved who it is; without one, the token alone counts. */
  client?: { clientId: string } | undefined;
  correlationId: string;
  userAgent: string | undefined;
  issuer: string;
}

/**
 * Exchanges the token of a trusted issuer for one of its user here (RFC 8693). Throws `TokenRefused`,
 * `IssuerUnreachable`, `EmailTaken`, and what `BoardUsers` throws.
 */
export type ExchangeToken = (asked: ExchangeRequest) => Promise<UserToken>;

const MAX_LENGTH = 8_192;
const CLOCK_TOLERANCE_SECONDS = 5;

const refused = (reason: string) => new TokenRefused('SUBJECT_TOKEN_INVALID', `The subject token ${reason}`);

/** Creates the exchange. An account that exists stays as it is: the board changes it with `PUT /v1/users/{externalId}`. */
export function createExchangeToken({
  issuers,
  keysOf,
  clients,
  users,
  lifetimeSeconds,
}: {
  issuers: readonly TrustedIssuer[];
  keysOf: (issuer: TrustedIssuer) => IssuerKeys;
  clients: Pick<ClientStore, 'find'>;
  users: Pick<BoardUsers, 'find' | 'put' | 'openSession'>;
  lifetimeSeconds: number;
}): ExchangeToken {
  const known = new Map(issuers.map((trusted) => [trusted.issuer, { trusted, keys: keysOf(trusted) }]));

  /** Resolves with the claims of a token, and who has issued it. */
  async function check(token: string): Promise<{ claims: JWTPayload; trusted: TrustedIssuer }> {
    if (token.length > MAX_LENGTH) throw refused('is too long');
    const found = known.get(issuerOf(token));
    if (!found) throw refused('is of no issuer that is trusted here');
    const { trusted, keys } = found;
    const { payload } = await jwtVerify(token, keys, {
      issuer: trusted.issuer,
      audience: trusted.audience,
      algorithms: [...trusted.algorithms],
      requiredClaims: ['exp', trusted.claims.externalId],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    }).catch((error: unknown) => {
      throw error instanceof errors.JOSEError || error instanceof TypeError
        ? refused('is not signed by its issuer, not for this server, or not valid now')
        : error;
    });
    return { claims: payload, trusted };
  }

  async function userOf(
    claims: JWTPayload,
    { trusted, correlationId }: { trusted: TrustedIssuer; correlationId: string },
  ): Promise<UserId> {
    const { clientId } = trusted;
    const externalId = ExternalId.safeParse(claims[trusted.claims.externalId]).data;
    if (externalId === undefined) throw refused(`has no usable ${trusted.claims.externalId}`);
    const account = await users.find({ clientId }, externalId);
    if (account?.registered) return account.userId;
    if (!trusted.createUsers) throw refused('names nobody who has an account here');
    const user = describedBy(claims, trusted);
    return (await users.put({ clientId }, { externalId, user, correlationId })).userId;
  }

  return async function exchangeToken({ subjectToken, client, correlationId, userAgent, issuer }) {
    const { claims, trusted } = await check(subjectToken);
    const { clientId } = trusted;
    if (client && client.clientId !== clientId)
      throw new TokenRefused('UNAUTHORIZED_CLIENT', 'The issuer speaks for another client');
    if (!(await clients.find(clientId)))
      throw new TokenRefused('UNAUTHORIZED_CLIENT', 'The client that the issuer speaks for is disabled');
    const userId = await userOf(claims, { trusted, correlationId });
    return users.openSession({ clientId }, userId, { lifetimeSeconds, userAgent, issuer });
  };
}

/** Returns the new account that a token describes. */
function describedBy(claims: JWTPayload, { claims: names, roles }: TrustedIssuer): BoardUser {
  const named = claims[names.role];
  const role = typeof named === 'string' && Object.hasOwn(roles, named) ? roles[named] : undefined;
  if (role === undefined) throw refused(`names no role of a company or an applicant in ${names.role}`);
  const displayName = NewDisplayName.safeParse(claims[names.displayName]).data;
  if (displayName === undefined) throw refused(`has no usable ${names.displayName}`);
  const email = EmailAddress.safeParse(claims[names.email]).data;
  return { role, displayName, email, emailVerified: claims[names.emailVerified] === true };
}

/** Returns who a token claims to be of, unproved. */
function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    return '';
  }
}
