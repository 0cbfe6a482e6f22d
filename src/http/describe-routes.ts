import type { FastifyContextConfig, FastifyInstance, FastifySchemaCompiler, RouteOptions } from 'fastify';
import { z } from 'zod';
import type { Scope } from '../auth/clients/scopes.ts';
import { JSON_TYPE, PROBLEM_TYPE } from './hooks/answer-with-problems.ts';
import { ACT_AS } from './hooks/authenticate-request.ts';
import { MIN_POSITION } from './hooks/min-position.ts';
import { POSITION_PATTERN } from '../protocol/positions.ts';
import { ProblemBody } from '../protocol/problem-body.ts';
import { HEADERS_TOO_LARGE, type Problem, type ProblemCode, problem } from '../protocol/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The problems of this route, in addition to those that every route of its kind may answer with. */
    refusals?: (ProblemCode | Problem)[];
  }
}

const OAuthError = ProblemBody.extend({ error: z.string(), error_description: z.string() }).meta({
  id: 'OAuthError',
  description: 'RFC 6749 §5.2, with the fields of RFC 9457 beside it',
});

const EVERYWHERE: (ProblemCode | Problem)[] = ['BAD_REQUEST', HEADERS_TOO_LARGE, 'UNAVAILABLE', 'INTERNAL'];
const TOKENS: ProblemCode[] = ['TOKEN_MISSING', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'TOKEN_REVOKED'];
/** Of what users call, and clients for them. */
const USERS: ProblemCode[] = ['USER_TOKEN_REQUIRED', 'CLIENT_TOKEN_REQUIRED'];
const ACTING: ProblemCode[] = ['SCOPE_MISSING', 'USER_NOT_FOUND', 'ACCOUNT_SUSPENDED'];
const CLIENTS: ProblemCode[] = ['CLIENT_TOKEN_REQUIRED', 'SCOPE_MISSING'];
const COMMANDS: ProblemCode[] = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'STREAM_DAMAGED'];
const KEYS: ProblemCode[] = ['IDEMPOTENCY_KEY_IN_USE', 'IDEMPOTENCY_KEY_REUSED'];

/** For routes without query parameters: it refuses a misspelt or misplaced one. */
const noQuery = z.strictObject({});
/** Loose, because a request has many more headers. */
export const queryHeaders = z.looseObject({
  [MIN_POSITION]: z.string().optional().meta({
    description: 'The position a command answered with: the answer shows it, or is 503.',
    pattern: POSITION_PATTERN,
  }),
});
const commandHeaders = z.looseObject({
  'idempotency-key': z.string().optional().meta({
    description:
      'A string of your own, 1 to 255 characters of ASCII: a repetition with the same key gets the first answer.',
    pattern: '^[!-~]([ -~]*[!-~])?$',
    maxLength: 255,
  }),
});

const actingHeaders = z.looseObject({
  [ACT_AS]: z.string().optional().meta({
    description: 'With the token of a client: the id of the user for whom it acts',
    format: 'uuid',
  }),
});

/** Returns a validator of a part of a request. It throws a `ZodError`. */
export const checkWithZod: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (input: unknown) => {
    const { success, data, error } = schema.safeParse(input);
    return success ? { value: data } : { error };
  };

/** The codes of the problems that an operation answers with, by `operationId` and status. */
export type CodesOf = (operationId: string, status: number) => readonly string[];

/**
 * Completes the schema of every route by its kind: adds the headers that it reads and its problems. Returns a function
 * that gives the codes of the problems.
 */
export function describeRoutes(app: FastifyInstance): CodesOf {
  const codes = new Map<string, Map<number, string[]>>();
  app.addHook('onRoute', (route) => {
    if (!route.schema || route.schema.hide) return;
    const { config = {}, method, schema } = route;
    const isQuery = method === 'GET' || method === 'HEAD';
    const isPublic = schema.security?.length === 0;
    const isActing = config.scope !== undefined && config.for !== 'clients';
    const headers = [
      ...(config.idempotentAs ? [commandHeaders] : isQuery && !isPublic ? [queryHeaders] : []),
      ...(isActing ? [actingHeaders] : []),
    ].reduce<z.ZodObject | undefined>((all, some) => all?.extend(some.shape) ?? some, undefined);
    const problems = problemsOf(route);
    if (schema.operationId !== undefined)
      codes.set(
        schema.operationId,
        new Map(problems.entries().map(([status, alike]) => [status, alike.map(({ code }) => code)])),
      );
    route.schema = {
      ...(!isPublic && { querystring: noQuery }),
      ...(config.scope && { security: securityOf(config.scope, isActing) }),
      ...schema,
      ...(headers && { headers: schema.headers ?? headers }),
      response: {
        ...problemAnswers(problems, config.answersOAuth ?? false),
        ...(schema.response as object),
      },
    };
  });
  return (operationId, status) => codes.get(operationId)?.get(status) ?? [];
}

/** Returns whose tokens a route takes: of users, of clients with the scope, or of both. */
const securityOf = (scope: Scope, isForUsers: boolean) => [
  ...(isForUsers ? [{ bearer: [] }] : []),
  { client: [scope] },
];

/** Returns the refusals of callers whom a route that authenticates is not for. */
function callersOf({ for: whom, scope, beforeSecondFactor }: FastifyContextConfig): ProblemCode[] {
  if (whom === 'clients') return [...TOKENS, ...CLIENTS];
  return [
    ...TOKENS,
    ...USERS,
    ...(scope === undefined ? [] : ACTING),
    ...(whom === 'everybody' ? [] : (['ROLE_NOT_ALLOWED'] as const)),
    ...(beforeSecondFactor ? [] : (['SECOND_FACTOR_REQUIRED'] as const)),
  ];
}

function refusalsOf({ config = {}, method, schema }: RouteOptions): (ProblemCode | Problem)[] {
  const isQuery = method === 'GET' || method === 'HEAD';
  const isPublic = schema?.security?.length === 0;
  return [
    ...EVERYWHERE,
    ...(config.cost === 0 ? [] : (['RATE_LIMITED'] as const)),
    ...(isPublic ? [] : callersOf(config)),
    ...(isQuery ? [] : COMMANDS),
    ...(isQuery && !isPublic ? (['NOT_CAUGHT_UP', 'POSITION_UNKNOWN'] as const) : []),
    ...(config.idempotentAs ? KEYS : []),
    ...(config.refusals ?? []),
  ];
}

/** Returns the problems of a route by their status. */
function problemsOf(route: RouteOptions): Map<number, Problem[]> {
  const problems = [...new Set(refusalsOf(route))].map((refusal) =>
    typeof refusal === 'string' ? problem(refusal) : refusal,
  );
  return Map.groupBy(problems, ({ status }) => status);
}

function problemAnswers(problems: Map<number, Problem[]>, isOAuth: boolean): Record<string, unknown> {
  const answers = [...problems].map(([status, alike]) => [
    status,
    {
      description: alike.map(({ code, title }) => `\`${code}\` ${title}`).join('  \n'),
      content: isOAuth
        ? { [JSON_TYPE]: { schema: OAuthError } }
        : { [PROBLEM_TYPE]: { schema: ProblemBody } },
    },
  ]);
  return Object.fromEntries(answers);
}
