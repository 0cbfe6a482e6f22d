import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import apiReference from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { scopeMeanings } from '../auth/clients/scopes.ts';
import type { CodesOf } from './describe-routes.ts';
import { costOf } from '../protocol/rate-limits.ts';
import { sendPage } from './pages.ts';
import { TOKEN_PATH } from './routes/clients/token-endpoint.ts';
import { socketPage } from './socket-page.ts';

/** The page runs its own script and its own inline styles, and loads nothing from other hosts. */
const DOCS_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** What is documented. */
export const API = { title: 'Chat for job boards', version: '1' } as const;
/** The page of the documents. */
export const DOCS_PATH = '/docs';

type Json = Record<string, unknown>;

/** The parts of the document that are read or changed. */
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json>; responses?: Record<string, Answer> };
}
interface Operation {
  operationId: string;
  description?: string;
  parameters?: { name: string }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Json }> };
  responses: Record<string, Answer | { $ref: string }>;
}
interface Answer {
  description: string;
  headers?: Json;
  content?: Record<string, { schema: Json }>;
  /** Of the problems. */
  'x-codes'?: readonly string[];
}
type ToConfig = NonNullable<Parameters<typeof createJsonSchemaTransform>[0]['zodToJsonConfig']>;
type Override = NonNullable<ToConfig['override']>;

const INT32_MAX = 2_147_483_647;

/** Writes empty answers, null and the size of integers in the form that client generators understand. */
const spell: Override = ({ zodSchema, jsonSchema }) => {
  const { def } = zodSchema._zod;
  if (def.type === 'undefined') jsonSchema.type = 'null';
  // Zod omits the default of a text that becomes a number.
  if (def.type === 'default') jsonSchema.default = (def as z.core.$ZodDefaultDef).defaultValue;
  if (def.type === 'nullable') Object.assign(jsonSchema, orNull(jsonSchema));
  if (jsonSchema.type === 'integer')
    jsonSchema.format ??= (jsonSchema.maximum ?? Infinity) <= INT32_MAX ? 'int32' : 'int64';
  // The alternatives of requests exclude each other, and generators of clients and tests want to hear that.
  if (def.type === 'union' && jsonSchema.anyOf) {
    jsonSchema.oneOf = jsonSchema.anyOf;
    delete jsonSchema.anyOf;
  }
  // Every field name is a string.
  if (def.type === 'record') delete jsonSchema.propertyNames;
};

/** Adds `null` to the types of a schema, or as an alternative to a named schema. */
function orNull(json: z.core.JSONSchema.BaseSchema): Json {
  const [schema, none] = json.anyOf ?? [];
  if (!schema || json.anyOf?.length !== 2) return {};
  delete json.anyOf;
  if (typeof schema.type !== 'string') return { oneOf: [schema, none] };
  const { enum: values, type } = schema;
  return { ...schema, ...json, type: [type, 'null'], ...(values && { enum: [...values, null] }) };
}

const config = { zodToJsonConfig: { override: spell } };
const toComponents = createJsonSchemaTransformObject(config);

const PREFIX = '#/components/schemas/';
const nameOf = (reference: string) => reference.slice(PREFIX.length);
const referencesIn = (json: unknown): string[] =>
  [...JSON.stringify(json).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!);
/** Returns a copy with each value replaced by the result of `change`; undefined removes the value. */
const rewritten = <T>(json: T, change: (key: string, value: unknown) => unknown): T =>
  JSON.parse(JSON.stringify(json), (key, value) => change(key, value)) as T;

/** Removes the limits of answers: answers may gain fields, and the server has checked them. */
const openly = (schema: Json): Json =>
  rewritten(schema, (key, value) =>
    (key === 'additionalProperties' && value === false) || (key === 'pattern' && typeof value === 'string')
      ? undefined
      : value,
  );

/**
 * Puts every named schema in use into the components. The libraries generate one version for requests, whose name
 * ends in `Input`, and one for answers. The ending remains only where both are used.
 */
function nameSchemas(document: Document): Document {
  const all = document.components.schemas;
  const used = new Set<string>();
  const use = (names: string[]) => {
    for (const name of names)
      if (!used.has(name)) {
        used.add(name);
        use(referencesIn(all[name]));
      }
  };
  use(referencesIn({ ...document, components: {} }));
  const isInput = (name: string) => name.endsWith('Input');
  const short = (name: string) => {
    const base = name.replace(/Input$/, '');
    return used.has(base) ? name : base;
  };
  const schemas = [...used].toSorted().map((name) => {
    const schema = all[name]!;
    return [short(name), isInput(name) ? schema : openly(schema)];
  });
  return rewritten(
    { ...document, components: { ...document.components, schemas: Object.fromEntries(schemas) } },
    (key, value) =>
      key === '$ref' && typeof value === 'string' && value.startsWith(PREFIX)
        ? PREFIX + short(nameOf(value))
        : value,
  );
}

/** Replaces a nullable body by an optional one, because generators do not support the former. */
function spellOptionalBody({ requestBody }: Operation): void {
  for (const media of Object.values(requestBody?.content ?? {})) {
    const [schema, none] = (media.schema['oneOf'] ?? []) as Json[];
    if (!requestBody || !schema || none?.['type'] !== 'null') continue;
    media.schema = schema;
    requestBody.required = false;
  }
}

const field = (description: string) => ({ description, schema: { type: 'string' } as const });
/** The header fields that are common to many answers. */
const FIELDS = {
  'X-Request-Id': field('Names the request in the log, and the events that followed from it'),
  RateLimit: field('What is left of what the call was charged to, and for how many seconds'),
  'RateLimit-Policy': field('How much there is of it, in how many seconds'),
  'Retry-After': {
    description: 'Seconds to wait before the same request',
    schema: { type: 'integer', format: 'int32' } as const,
  },
  'WWW-Authenticate': field('The scheme of the token, and what is wrong with one that was given'),
  'Idempotency-Replayed': field('`true` when this is the answer to the first request with the key'),
  'Accept-Encoding': field('What bodies may be sent in, when one was compressed'),
};
type Field = keyof typeof FIELDS;

/** Returns the fields of one answer. Unparsable requests get none, and callers without a valid token get no rate. */
function fieldsOf({ operationId, parameters }: Operation, status: number): Field[] {
  if (status === 431) return [];
  const isCharged = status !== 401 && costOf(operationId) !== 0;
  const isKeyed = parameters?.some(({ name }) => name === 'idempotency-key') ?? false;
  const isKept = status < 500 && ![401, 413, 415, 429].includes(status);
  const fields: [Field, boolean][] = [
    ['X-Request-Id', true],
    ['RateLimit', isCharged],
    ['RateLimit-Policy', isCharged],
    ['Retry-After', [429, 503, 507].includes(status) || (isKeyed && status === 409)],
    ['WWW-Authenticate', status === 401],
    ['Idempotency-Replayed', isKeyed && isKept],
    ['Accept-Encoding', status === 415],
  ];
  return fields.filter(([, isThere]) => isThere).map(([name]) => name);
}

function describeAnswers(operation: Operation, codesOf: CodesOf): void {
  for (const [status, given] of Object.entries(operation.responses)) {
    const answer = given as Answer;
    const codes = codesOf(operation.operationId, Number(status));
    if (codes.length > 0) answer['x-codes'] = codes;
    if (answer.description === 'Default Response') answer.description = STATUS_CODES[status] ?? status;
    const fields = fieldsOf(operation, Number(status)).map((name) => [
      name,
      { $ref: `#/components/headers/${name}` },
    ]);
    if (fields.length > 0) answer.headers = { ...answer.headers, ...Object.fromEntries(fields) };
  }
}

/** Says of an alias what it is an alias of. */
function describeAliases({ paths }: Document): void {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      call: `${method.toUpperCase()} ${path}`,
      operation,
    })),
  );
  for (const { operation } of calls) {
    const name = operation.operationId.replace(/Alias$/, '');
    const original = calls.find((each) => each.operation.operationId === name);
    if (original && original.operation !== operation)
      operation.description = `An alias of \`${original.call}\`.`;
  }
}

/** Moves the problems that many operations answer with, and which are most of the document, to the components. */
function shareProblems({ paths, components }: Document): void {
  const names = new Map<string, string>();
  const shared: Record<string, Answer> = {};
  for (const { operationId, responses } of Object.values(paths).flatMap((methods) => Object.values(methods)))
    for (const [status, answer] of Object.entries(responses)) {
      if (!('x-codes' in answer)) continue;
      const written = JSON.stringify(answer);
      const name = names.get(written) ?? `${operationId}${status}`;
      names.set(written, name);
      shared[name] = answer;
      responses[status] = { $ref: `#/components/responses/${name}` };
    }
  components.responses = shared;
}

/**
 * Returns a document in which the code of a problem is one of those that the call and the status may have. Generators for
 * languages with types as TypeScript has them make use of it; others lose what all problems have in common.
 */
export function withCodes(document: object): object {
  const { components } = document as Document;
  const responses = Object.entries(components.responses ?? {}).map(([name, answer]) => {
    const code = { type: 'string', enum: answer['x-codes'] };
    const content = Object.entries(answer.content ?? {}).map(([type, { schema }]) => [
      type,
      { schema: { allOf: [schema, { type: 'object', required: ['code'], properties: { code } }] } },
    ]);
    return [name, { ...answer, content: Object.fromEntries(content) }];
  });
  return { ...document, components: { ...components, responses: Object.fromEntries(responses) } };
}

/**
 * Generates the OpenAPI document from the schemas of the routes. Call before any route is defined. `codesOf` gives the
 * codes of their problems.
 */
export async function describeApi(app: FastifyInstance, codesOf: CodesOf): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        ...API,
        description:
          'The [events of the socket](/docs/socket) have a page of their own. Every command answers with a `position`. Send it as `X-Min-Position` with a query, and the query shows what the command did. Errors are `application/problem+json` (RFC 9457). No text may hold NUL or a lone surrogate; lengths are in characters (code points). Answers may get more fields.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: {
        headers: FIELDS,
        securitySchemes: {
          bearer: {
            ...{ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
            description: 'The access token of a user',
          },
          client: {
            type: 'oauth2',
            description:
              'The access token of a client, a program of a board; for a user, with `X-Act-As`: docs/integrate.md',
            flows: {
              // Relative to this document, which may have a path before its own.
              clientCredentials: { tokenUrl: TOKEN_PATH.slice(1), scopes: { ...scopeMeanings } },
            },
          },
        },
      },
      security: [{ bearer: [] }],
    },
    transform: createJsonSchemaTransform(config),
    transformObject: (given) => {
      const document = nameSchemas(toComponents(given) as unknown as Document);
      for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
        spellOptionalBody(operation);
        describeAnswers(operation, codesOf);
      }
      describeAliases(document);
      shareProblems(document);
      return document as object;
    },
  });
}

/** The services of the vendor, which each document of the page would get otherwise. */
const offline = { agent: { disabled: true } } as const;

/**
 * Serves a page at /docs that shows the documents of REST and the socket, and tries the calls, and one at /docs/socket
 * that shows the socket alone, with its acks and without scripts. Both work offline.
 */
export async function servePage(app: FastifyInstance, asyncapi: object): Promise<void> {
  const socket = socketPage(asyncapi);
  app.get(`${DOCS_PATH}/socket`, { schema: { hide: true } }, (_request, reply) => sendPage(reply, socket));
  await app.register(async (page) => {
    page.addHook('onRequest', async (_request, reply) => {
      void reply.header('Content-Security-Policy', DOCS_POLICY);
    });
    await page.register(apiReference, {
      routePrefix: DOCS_PATH,
      configuration: {
        // Without it, the plugin serves another copy of the document.
        url: '/openapi.json',
        sources: [
          { title: 'REST', slug: 'rest', url: '/openapi.json', default: true, ...offline },
          { title: 'Socket', slug: 'socket', url: '/asyncapi.json', ...offline },
        ],
        ...offline,
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        showDeveloperTools: 'never',
        mcp: { disabled: true },
        documentDownloadType: 'none',
      },
    });
  });
}
