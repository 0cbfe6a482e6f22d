import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ClientProof, Clients } from '../../../auth/clients/clients.ts';
import { TokenRefused } from '../../../auth/clients/service-client.ts';
import type { ExchangeToken } from '../../../auth/clients/token-exchange.ts';
import { ProblemError, badInput, problem, toProblem } from '../../../protocol/problem.ts';
import { FORM_TYPE, acceptFormsOnly } from '../../form.ts';
import { origins } from '../../origin.ts';
import type { HttpApp } from '../../route-deps.ts';
import { issuers } from '../account/token-keys.ts';
import { GRANT_TYPES, TOKEN_PATH } from './token-endpoint.ts';

export interface ClientTokenRoutes {
  clients: Clients;
  exchangeToken: ExchangeToken;
  /** The URL of this server for clients; undefined means the one at which they ask. */
  publicUrl?: string | undefined;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:';
const ACCESS_TOKEN = `${TOKEN_TYPE}access_token`;
const SUBJECT_TYPES: readonly string[] = [`${TOKEN_TYPE}jwt`, `${TOKEN_TYPE}id_token`];

/** Unknown fields are ignored, as RFC 6749 §3.2 has it. */
const TokenRequest = z
  .looseObject({
    grant_type: z.string().describe('`client_credentials`, or token exchange (RFC 8693)'),
    scope: z.string().optional().describe('Some of the scopes of the client; all of them when absent'),
    client_assertion_type: z.string().optional(),
    client_assertion: z.string().optional().describe('A JWT signed by the client (RFC 7523)'),
    subject_token: z.string().optional().describe('A JWT of a trusted issuer'),
    subject_token_type: z.string().optional(),
    requested_token_type: z.string().optional(),
    actor_token: z.string().optional(),
    audience: z.string().optional(),
    resource: z.string().optional(),
  })
  .meta({
    id: 'TokenRequest',
    example: { grant_type: 'client_credentials', scope: 'users:write tokens:issue' },
  });
const TokenAnswer = z
  .object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().min(0).describe('In seconds'),
    scope: z.string().optional().describe('What the token of a client is good for'),
    issued_token_type: z.string().optional().describe('Of a token exchange'),
  })
  .meta({ id: 'TokenAnswer' });

/** OAuth knows no other status for what is wrong with a request than 400. */
const inOAuth = (code: 'ACCOUNT_SUSPENDED' | 'EMAIL_TAKEN' | 'USER_NOT_FOUND') => ({
  ...problem(code),
  status: 400,
});
const EXCHANGE_REFUSALS = [inOAuth('ACCOUNT_SUSPENDED'), inOAuth('EMAIL_TAKEN'), inOAuth('USER_NOT_FOUND')];

/** Returns the error that OAuth has for one of an exchange, or the error itself. */
function asRefusal(error: unknown): unknown {
  const { code } = toProblem(error);
  const refusal = EXCHANGE_REFUSALS.find((each) => each.code === code);
  return refusal ? new ProblemError(refusal) : error;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Defines the endpoint at which clients get their tokens (RFC 6749, RFC 7523, RFC 8693). In a context of its own, for forms. */
export function clientTokenRoutes(parent: FastifyInstance, deps: ClientTokenRoutes): void {
  void parent.register(async (app) => {
    acceptFormsOnly(app);
    routes(app.withTypeProvider<ZodTypeProvider>(), deps);
  });
}

function routes(app: HttpApp, { clients, exchangeToken, publicUrl }: ClientTokenRoutes): void {
  const [issuerOf, originOf] = [issuers(publicUrl), origins(publicUrl)];

  /**
   * Returns the names of this server that an assertion may have. Without `publicUrl` only those on this machine count: any
   * other is what the caller says, and a server that had got an assertion for itself could say its own name here.
   */
  function audiencesOf(request: FastifyRequest): string[] {
    if (publicUrl === undefined && !LOOPBACK.test(request.hostname)) return [];
    return [issuerOf(request), originOf(request), originOf(request) + TOKEN_PATH];
  }

  type Form = z.output<typeof TokenRequest>;

  /** Returns what proves the client; undefined when the request has nothing of the kind. Two proofs are refused. */
  function proofIn(request: FastifyRequest & { body: Form }): ClientProof | undefined {
    const { client_assertion_type: type, client_assertion: assertion } = request.body;
    const { authorization } = request.headers;
    if (assertion === undefined && type === undefined)
      return authorization === undefined ? undefined : basicIn(authorization);
    if (authorization !== undefined) throw refuse('client_assertion', 'Must be the only proof of the client');
    if (type !== ASSERTION_TYPE) throw refuse('client_assertion_type', `Must be ${ASSERTION_TYPE}`);
    if (assertion === undefined) throw refuse('client_assertion', 'Is missing');
    return { assertion, audiences: audiencesOf(request) };
  }

  async function clientIn(request: FastifyRequest & { body: Form }) {
    const proof = proofIn(request);
    return proof && clients.authenticate(proof);
  }

  function checkExchange(body: Form, names: readonly string[]): string {
    if (body.subject_token === undefined) throw refuse('subject_token', 'Is missing');
    if (!SUBJECT_TYPES.includes(body.subject_token_type ?? ''))
      throw refuse('subject_token_type', `Must be ${SUBJECT_TYPES.join(' or ')}`);
    if (body.actor_token !== undefined) throw refuse('actor_token', 'Is not supported');
    if ((body.requested_token_type ?? ACCESS_TOKEN) !== ACCESS_TOKEN)
      throw refuse('requested_token_type', `Must be ${ACCESS_TOKEN}`);
    const targets = [body.audience, body.resource].filter((each) => each !== undefined);
    if (!targets.every((each) => names.includes(each)))
      throw new TokenRefused('INVALID_TARGET', 'Tokens are issued for this server only');
    return body.subject_token;
  }

  app.post(
    TOKEN_PATH,
    {
      config: {
        answersOAuth: true,
        refusals: [
          ...(['INVALID_CLIENT', 'UNAUTHORIZED_CLIENT', 'UNSUPPORTED_GRANT_TYPE', 'INVALID_SCOPE'] as const),
          ...(['INVALID_TARGET', 'SUBJECT_TOKEN_INVALID'] as const),
          ...EXCHANGE_REFUSALS,
        ],
      },
      schema: {
        tags: ['Clients'],
        summary: 'Get a token for a client, or exchange the token of a trusted issuer for one of its user',
        description:
          'Errors are those of OAuth, `error` and `error_description`, with the fields of a problem beside them.',
        operationId: 'issueToken',
        security: [],
        consumes: [FORM_TYPE],
        body: TokenRequest,
        response: { 200: TokenAnswer },
      },
    },
    async (request, reply) => {
      const { body } = request;
      void reply.header('Pragma', 'no-cache');
      switch (body.grant_type) {
        case 'client_credentials': {
          const client = await clientIn(request);
          if (!client) throw new TokenRefused('INVALID_CLIENT', 'The client has to prove who it is');
          const token = await clients.issue(client, body.scope, issuerOf(request));
          return { ...bearer(token), scope: token.scopes.join(' ') };
        }
        case 'urn:ietf:params:oauth:grant-type:token-exchange': {
          const subjectToken = checkExchange(body, [issuerOf(request), originOf(request)]);
          const client = await clientIn(request);
          const token = await exchangeToken({
            ...{ subjectToken, client, correlationId: request.id, issuer: issuerOf(request) },
            userAgent: request.headers['user-agent'],
          }).catch((error: unknown) => {
            throw asRefusal(error);
          });
          return { ...bearer(token), issued_token_type: ACCESS_TOKEN };
        }
        default:
          throw new TokenRefused('UNSUPPORTED_GRANT_TYPE', `Must be ${GRANT_TYPES.join(' or ')}`);
      }
    },
  );
}

const bearer = ({ accessToken, expiresIn }: { accessToken: string; expiresIn: number }) => ({
  access_token: accessToken,
  token_type: 'Bearer' as const,
  expires_in: expiresIn,
});

const refuse = (field: string, message: string) => new ProblemError(badInput([{ path: [field], message }]));

/** Returns the id and the secret of HTTP Basic, each of which is form-encoded (RFC 6749 §2.3.1). */
function basicIn(authorization: string): ClientProof {
  const [scheme = '', encoded = ''] = authorization.split(' ', 2);
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? [];
  if (scheme.toLowerCase() !== 'basic' || id === undefined || secret === undefined)
    throw new TokenRefused('INVALID_CLIENT', 'A client proves who it is with HTTP Basic or an assertion');
  return { clientId: formDecoded(id), secret: formDecoded(secret) };
}

function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new TokenRefused('INVALID_CLIENT', 'The id and the secret must be form-encoded');
  }
}
