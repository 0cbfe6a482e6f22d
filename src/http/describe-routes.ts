import type { FastifyInstance, FastifySchemaCompiler, RouteOptions } from 'fastify';
import { z } from 'zod';
import { PROBLEM_TYPE } from './hooks/answer-with-problems.ts';
import { MIN_POSITION } from './hooks/min-position.ts';
import { POSITION_PATTERN } from '../protocol/positions.ts';
import { HEADERS_TOO_LARGE, type Problem, type ProblemCode, problem } from '../protocol/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The problems of this route, in addition to those that every route of its kind may answer with. */
    refusals?: (ProblemCode | Problem)[];
  }
}

const Fault = z
  .object({ pointer: z.string().describe('RFC 6901'), message: z.string() })
  .meta({ id: 'Fault' });
const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string().meta({ 'x-ms-primary-error-message': true }),
    status: z.int().min(400).max(599),
    detail: z.string(),
    instance: z.string().optional(),
    code: z.string().describe('Stable: what to decide by'),
    retryable: z.boolean().describe('Whether the same request may succeed later'),
    retryAfterMs: z.int().min(0).optional(),
    errors: z.array(Fault).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

const EVERYWHERE: (ProblemCode | Problem)[] = ['BAD_REQUEST', HEADERS_TOO_LARGE, 'UNAVAILABLE', 'INTERNAL'];
const TOKENS: ProblemCode[] = ['TOKEN_MISSING', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'TOKEN_REVOKED'];
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

/** Returns a validator of a part of a request. It throws a `ZodError`. */
export const checkWithZod: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (input: unknown) => {
    const { success, data, error } = schema.safeParse(input);
    return success ? { value: data } : { error };
  };

/** Completes the schema of every route by its kind: adds the headers that it reads and its problems. */
export function describeRoutes(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (!route.schema || route.schema.hide) return;
    const { config = {}, method, schema } = route;
    const isQuery = method === 'GET' || method === 'HEAD';
    const isPublic = schema.security?.length === 0;
    const headers = config.idempotentAs ? commandHeaders : isQuery && !isPublic ? queryHeaders : undefined;
    route.schema = {
      ...(!isPublic && { querystring: noQuery }),
      ...schema,
      ...(headers && { headers: schema.headers ?? headers }),
      response: { ...problemAnswers(refusalsOf(route)), ...(schema.response as object) },
    };
  });
}

function refusalsOf({ config = {}, method, schema }: RouteOptions): (ProblemCode | Problem)[] {
  const isQuery = method === 'GET' || method === 'HEAD';
  const isPublic = schema?.security?.length === 0;
  return [
    ...EVERYWHERE,
    ...(config.cost === 0 ? [] : (['RATE_LIMITED'] as const)),
    ...(isPublic ? [] : TOKENS),
    ...(isPublic || config.beforeSecondFactor ? [] : (['SECOND_FACTOR_REQUIRED'] as const)),
    ...(isPublic || config.for === 'everybody' ? [] : (['ROLE_NOT_ALLOWED'] as const)),
    ...(isPublic || config.beforeSecondFactor ? [] : (['SECOND_FACTOR_REQUIRED'] as const)),
    ...(isQuery ? [] : COMMANDS),
    ...(isQuery && !isPublic ? (['NOT_CAUGHT_UP', 'POSITION_UNKNOWN'] as const) : []),
    ...(config.idempotentAs ? KEYS : []),
    ...(config.refusals ?? []),
  ];
}

function problemAnswers(refusals: (ProblemCode | Problem)[]): Record<string, unknown> {
  const problems = [...new Set(refusals)].map((refusal) =>
    typeof refusal === 'string' ? problem(refusal) : refusal,
  );
  const answers = [...Map.groupBy(problems, ({ status }) => status)].map(([status, alike]) => [
    status,
    {
      description: alike.map(({ code, title }) => `\`${code}\` ${title}`).join('  \n'),
      content: { [PROBLEM_TYPE]: { schema: ProblemBody } },
    },
  ]);
  return Object.fromEntries(answers);
}
