import { z } from 'zod';
import type { AccessKeys } from '../../../auth/tokens/access-keys.ts';
import { SCOPES } from '../../../auth/clients/scopes.ts';
import { ASYMMETRIC_ALGORITHMS, JWT_ALGORITHMS } from '../../../kit/jwt-algorithms.ts';
import { type Origins, origins } from '../../origin.ts';
import type { HttpApp } from '../../route-deps.ts';
import { GRANT_TYPES, TOKEN_PATH } from '../clients/token-endpoint.ts';

export interface TokenKeyRoutes {
  accessKeys: Pick<AccessKeys, 'jwks' | 'algorithms'>;
  publicUrl?: string | undefined;
}

const Jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).meta({ id: 'Jwks' });
const Discovery = z
  .object({
    issuer: z.string().describe('The `iss` of access tokens'),
    jwks_uri: z.string(),
    id_token_signing_alg_values_supported: z
      .array(z.enum(JWT_ALGORITHMS))
      .describe('Of the keys. There are no ID tokens: these algorithms sign access tokens'),
    subject_types_supported: z.array(z.string()),
    response_types_supported: z
      .array(z.string())
      .describe('Empty: people log in with `POST /v1/auth/login`, and there is no authorization endpoint'),
    claims_supported: z.array(z.string()),
    token_endpoint: z.string().describe('Where clients get their tokens'),
    token_endpoint_auth_methods_supported: z.array(z.string()),
    token_endpoint_auth_signing_alg_values_supported: z.array(z.string()),
    grant_types_supported: z.array(z.string()),
    scopes_supported: z.array(z.enum(SCOPES)).describe('Of clients'),
  })
  .meta({ id: 'Discovery' });

const JWKS_PATH = '/.well-known/jwks.json';
/** A new key is published for longer than that before it signs. */
const CACHED = 'public, max-age=300';

const tags = ['Authentication'];

/**
 * Returns the issuer of the tokens that a request gets: `publicUrl` as it is, or else the origin at which the client
 * asks.
 */
export const issuers = (publicUrl: string | undefined): Origins =>
  publicUrl === undefined ? origins(undefined) : () => publicUrl;

/** Defines the routes with which other servers check access tokens: OpenID Connect Discovery 1.0, and the keys. */
export function tokenKeyRoutes(app: HttpApp, { accessKeys, publicUrl }: TokenKeyRoutes): void {
  const [issuerOf, originOf] = [issuers(publicUrl), origins(publicUrl)];

  app.get(
    JWKS_PATH,
    {
      schema: {
        tags,
        summary: 'The public keys that access tokens are signed with',
        operationId: 'getJwks',
        security: [],
        response: { 200: Jwks },
      },
    },
    async (_, reply) => {
      void reply.header('cache-control', CACHED);
      return accessKeys.jwks() as z.infer<typeof Jwks>;
    },
  );

  app.get(
    '/.well-known/openid-configuration',
    {
      schema: {
        tags,
        summary: 'Where others find what they need to check access tokens',
        operationId: 'getOpenIdConfiguration',
        security: [],
        response: { 200: Discovery },
      },
    },
    async (request, reply) => {
      void reply.header('cache-control', CACHED);
      return {
        issuer: issuerOf(request),
        jwks_uri: originOf(request) + JWKS_PATH,
        id_token_signing_alg_values_supported: accessKeys.algorithms(),
        subject_types_supported: ['public'],
        response_types_supported: [],
        claims_supported: ['iss', 'aud', 'sub', 'client_id', 'sid', 'role', 'scope', 'jti', 'iat', 'exp'],
        token_endpoint: originOf(request) + TOKEN_PATH,
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
        token_endpoint_auth_signing_alg_values_supported: [...ASYMMETRIC_ALGORITHMS],
        grant_types_supported: [...GRANT_TYPES],
        scopes_supported: SCOPES,
      };
    },
  );
}
