import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { makeClient, tokenOf } from '../support/stages/service-clients.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../support/stages/board.ts';

/** Cases per direction. CASES=20000 runs more; SEED repeats a failed run. */
const CASES = Number(process.env['CASES'] ?? 2_000);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const AT_ONCE = 20;

interface Schema {
  $ref?: string;
  oneOf?: Schema[];
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  example?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  properties?: Record<string, Schema>;
  required?: string[];
}
interface Answered {
  $ref?: string;
  content?: Record<string, { schema: Schema }>;
}
interface Described {
  operationId: string;
  parameters?: { in: string; name: string; required: boolean; schema: Schema }[];
  requestBody?: { required: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, Answered>;
}
interface Document {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema>; responses: Record<string, Answered> };
}
interface Operation extends Described {
  method: string;
  path: string;
  body: Schema | undefined;
}
interface Case {
  operation: Operation;
  role: keyof Cast;
  query: Record<string, unknown>;
  body: unknown;
}

/** Rules that the document states in words because JSON Schema cannot express them. */
const IN_WORDS = new Set([
  'Must contain a visible character',
  'Must differ from start',
  'Too common: choose another password',
  'Too easy to guess: it says your e-mail address or your name',
  'Only one of beforeSeq, afterSeq and aroundSeq may be given',
  'Only one of beforeSeq and afterSeq may be given',
  'must not be more than to',
  'Only an account with the role company can join one',
]);
/** Operations that end the caller's session, or accept only values issued by the server. */
const NOT_ASKED = new Set(['logOut', 'upload']);
const NOT_MADE_UP = 'cursor';

const chars = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((char) => char !== '\u0000');

function textsOf({ format, pattern, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid({ version: [1, 2, 3, 4, 5, 6, 7, 8] });
  if (format === 'email') return fc.emailAddress().filter((email) => email.length <= maxLength);
  const isFree = pattern === undefined || pattern === '\\S';
  if (!isFree) return fc.stringMatching(new RegExp(pattern, 'u')).filter((text) => text.length <= maxLength);
  return fc.oneof(
    fc.array(chars, { minLength, maxLength: Math.min(maxLength, minLength + 30) }).map((all) => all.join('')),
    fc.constantFrom('x', '🙂').map((char) => char.repeat(maxLength)),
  );
}

/** Generates values of a schema, including some that it rejects for the combination of their parts. */
function valuesOf(schema: Schema, named: Document['components']['schemas']): fc.Arbitrary<unknown> {
  const within = (part: Schema) => valuesOf(part, named);
  const {
    $ref,
    oneOf,
    type,
    properties,
    required = [],
    items,
    minItems: minLength = 0,
    maxItems = 10,
  } = schema;
  if ($ref) return within(named[$ref.split('/').at(-1)!]!);
  if (oneOf) return fc.oneof(...oneOf.map(within));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (Array.isArray(type)) return fc.oneof(...type.map((each) => within({ ...schema, type: each })));
  // An example stands in where no pattern can describe the values, such as time zones or curve points.
  if (type === 'string') return schema.example === undefined ? textsOf(schema) : fc.constant(schema.example);
  switch (type) {
    case 'object': {
      const fields = Object.entries(properties ?? {}).map(([name, each]) => [name, within(each)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: required, noNullPrototype: true });
    }
    case 'array':
      return schema.uniqueItems
        ? fc.uniqueArray(within(items!), { minLength, maxLength: maxItems })
        : fc.array(within(items!), { minLength, maxLength: Math.min(maxItems, 20) });
    case 'integer': {
      const { minimum: min = Number.MIN_SAFE_INTEGER, maximum: max = Number.MAX_SAFE_INTEGER } = schema;
      return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));
    }
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return fc.constantFrom<unknown>(null, true, 1, 'x', [], { x: 1 });
  }
}

/** Invalid replacements for a value: of another type, and just beyond each limit. */
function junkFor(schema: Schema): unknown[] {
  const { minLength = 0, maxLength, minimum, maximum, maxItems, items } = schema;
  const id = '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f';
  return [
    ...[null, true, 0, -1, 1.5, 2 ** 53, '', 'x', '\u0001', '🙂', [], [null], ['x'], [id, id], {}, { x: 1 }],
    ...(minLength > 1 ? ['x'.repeat(minLength - 1), '🙂'.repeat(minLength - 1)] : []),
    ...(maxLength === undefined ? [] : ['x'.repeat(maxLength + 1), '🙂'.repeat(maxLength + 1)]),
    ...(minimum === undefined ? [] : [minimum - 1]),
    ...(maximum === undefined ? [] : [maximum + 1]),
    ...(maxItems === undefined || items?.format !== 'uuid'
      ? []
      : [Array.from({ length: maxItems + 1 }, (_, n) => `${id.slice(0, -4)}${String(n).padStart(4, '0')}`)]),
  ];
}

describe('the schemas of the OpenAPI document', () => {
  let app: TestApp;
  let cast: Cast;
  let auditor: Person;
  let operator: Person;
  /** On whom the operator acts: the others make the requests. */
  let victim: Person;
  /** A client, as far as a request needs it. */
  let client: Person;
  let board: Board;
  let named: Document['components']['schemas'];
  let operations: Operation[];
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  addFormats.default(ajv);
  const compiled = new Map<Schema, ValidateFunction>();

  const fits = (schema: Schema, value: unknown): boolean => {
    let validate = compiled.get(schema);
    if (!validate) {
      const inDocument = JSON.stringify(schema).replaceAll('"#/', '"openapi.json#/');
      validate = ajv.compile(JSON.parse(inDocument) as Schema);
      compiled.set(schema, validate);
    }
    return validate(value);
  };

  beforeAll(async () => {
    app = await startApp();
    cast = await gatherCast(app);
    auditor = await app.hireAuditor();
    operator = await app.hireOperator();
    victim = await app.register('applicant', 'Mallory');
    client = { ...auditor, accessToken: await tokenOf(app.url, await makeClient(app.settings.DATABASE_URL)) };
    board = await setUpBoard(app, cast);
    const document = (await app.ask('GET', '/openapi.json')).body as unknown as Document;
    ajv.addSchema(document, 'openapi.json');
    named = document.components.schemas;
    const answerOf = ({ $ref }: { $ref?: string }) =>
      document.components.responses[$ref?.split('/').at(-1) ?? ''];
    operations = Object.entries(document.paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, described]) => ({
          ...described,
          responses: Object.fromEntries(
            Object.entries(described.responses).map(([status, answer]) => [
              status,
              answerOf(answer) ?? answer,
            ]),
          ),
          method: method.toUpperCase(),
          path,
          body: described.requestBody?.content['application/json']?.schema,
        })),
      )
      .filter(({ operationId }) => !NOT_ASKED.has(operationId));
  });
  afterAll(() => app.stop());

  const roles = fc.constantFrom<keyof Cast>('owner', 'member', 'admin', 'stranger');
  const queryOf = ({ parameters = [] }: Operation) => parameters.filter((each) => each.in === 'query');

  /** Generates requests that the schemas allow. */
  function allowed(operation: Operation): fc.Arbitrary<Case> {
    const { body, requestBody } = operation;
    const query = queryOf(operation).filter(({ name }) => name !== NOT_MADE_UP);
    const bodies = body ? valuesOf(body, named).filter((value) => fits(body, value)) : fc.constant(undefined);
    return fc.record({
      operation: fc.constant(operation),
      role: roles,
      query: fc.record(Object.fromEntries(query.map(({ name, schema }) => [name, valuesOf(schema, named)])), {
        requiredKeys: query.filter(({ required }) => required).map(({ name }) => name),
        noNullPrototype: true,
      }),
      body: requestBody?.required === false ? fc.option(bodies, { nil: undefined }) : bodies,
    }) as fc.Arbitrary<Case>;
  }

  /** Generates requests whose body its schema forbids: with an extra, a missing or an invalid field. */
  function forbidden(operation: Operation): fc.Arbitrary<Case> {
    const body = operation.body!;
    const schema = body.$ref ? named[body.$ref.split('/').at(-1)!]! : body;
    const properties = Object.entries(schema.properties ?? {});
    const spoilt = (value: object) =>
      fc.oneof(
        fc.constantFrom('extra', 'Id', 'constructor').map((name) => ({ ...value, [name]: 1 })),
        ...(schema.required ?? []).map((name) =>
          fc.constant(Object.fromEntries(Object.entries(value).filter(([each]) => each !== name))),
        ),
        ...properties.map(([name, each]) =>
          fc.constantFrom(...junkFor(each)).map((junk) => ({ ...value, [name]: junk })),
        ),
        fc.constantFrom([], 'x', 1, true, [value]),
      );
    return allowed(operation)
      .chain((good) => spoilt((good.body ?? {}) as object).map((bad) => ({ ...good, body: bad })))
      .filter(({ body: bad }) => !fits(body, bad));
  }

  const urlOf = ({ operation: { path }, query }: Case) => {
    const ids: Record<string, string> = {
      ...{ ...board, userId: cast.member.userId, emoji: '👍' },
      ...{ sessionId: board.jobId, erasureId: board.jobId, holdId: board.jobId },
      externalId: 'ada/lovelace',
      sessionId: board.jobId,
      grantId: board.jobId,
      eventId: board.jobId,
      streamId: `chatGroup-${board.groupId}`,
    };
    if (path.startsWith('/v1/admin/'))
      Object.assign(ids, { userId: victim.userId, jobId: victim.userId, name: 'jobs' });
    const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name]!));
    const asked = new URLSearchParams(query as Record<string, string>);
    return asked.size === 0 ? place : `${place}?${asked.toString()}`;
  };
  /** Sends a request, once more after a 503: a busy machine may not answer in time. */
  async function send(each: Case): Promise<Answer> {
    const { path } = each.operation;
    const as = path.startsWith('/v1/admin/')
      ? operator
      : /^\/v1\/(?:audit|privacy)\//.test(path)
        ? auditor
        : path.startsWith('/v1/users/')
          ? client
          : cast[each.role];
    const ask = () => app.ask(each.operation.method, urlOf(each), { as, body: each.body });
    const answer = await ask();
    return answer.status === 503 ? ask() : answer;
  }

  const isRefusedForItsShape = ({ status, body }: Answer) =>
    status === 400 && /^(?:body|querystring) /.test(String(body['detail']));
  const isInWords = ({ body }: Answer) =>
    (body['errors'] as { message: string }[]).every(({ message }) => IN_WORDS.has(message));

  function checkAnswer({ operation }: Case, { status, headers, text, body }: Answer): void {
    const described = operation.responses[status];
    if (!described) throw new Error(`It does not say that it may answer ${status}: ${text}`);
    const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
    const { content } = described;
    if (!content) {
      expect(text).toBe('');
      return;
    }
    const schema = (content[type] ?? content['*/*'])?.schema;
    if (!schema) throw new Error(`It does not say that it may answer ${status} in ${type}`);
    if (/[/+]json/.test(type) && !fits(schema, body)) throw new Error(`Not as described: ${text}`);
  }

  const told = ({ operation, role, query, body }: Case) =>
    `${operation.operationId} by ${role} with ${JSON.stringify({ query, body }).slice(0, 1_000)}`;

  /** Sends cases, AT_ONCE at a time, and checks the answers. Returns the ids of the operations called. */
  async function tryOut(cases: fc.Arbitrary<Case>, look: (answer: Answer) => void): Promise<Set<string>> {
    const all = fc.sample(cases, { numRuns: CASES, seed: SEED });
    for (let first = 0; first < all.length; first += AT_ONCE)
      await Promise.all(
        all.slice(first, first + AT_ONCE).map(async (each) => {
          const answer = await send(each);
          try {
            look(answer);
            checkAnswer(each, answer);
          } catch (error) {
            throw new Error(`${told(each)} (SEED=${SEED}): ${(error as Error).message}`, { cause: error });
          }
        }),
      );
    return new Set(all.map(({ operation }) => operation.operationId));
  }

  test(`allow no request that the server refuses for its shape, in ${CASES} requests`, async () => {
    const asked = operations.filter((each) => each.body ?? queryOf(each).length > 0);
    const cases = fc.constantFrom(...asked).chain(allowed);
    let inWords = 0;
    const statuses = new Set<number>();
    const reached = await tryOut(cases, (answer) => {
      statuses.add(answer.status);
      if (!isRefusedForItsShape(answer)) return;
      if (!isInWords(answer)) throw new Error(`It was refused: ${answer.text}`);
      inWords += 1;
    });
    expect(reached.size).toBe(asked.length);
    expect(inWords).toBeLessThan(CASES / 5);
    expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 202, 403, 404]));
  }, 120_000);

  test(`forbid no request that the server accepts, in ${CASES} requests`, async () => {
    const asked = operations.filter(({ body }) => body);
    const reached = await tryOut(fc.constantFrom(...asked).chain(forbidden), (answer) => {
      if (!isRefusedForItsShape(answer)) throw new Error(`It was answered ${answer.status}: ${answer.text}`);
    });
    expect(reached.size).toBe(asked.length);
  }, 120_000);

  test('allow their own examples', () => {
    for (const { operationId, body } of operations) {
      if (!body) continue;
      const { example } = named[body.$ref!.split('/').at(-1)!]!;
      expect({ operationId, fits: fits(body, example) }).toStrictEqual({ operationId, fits: true });
    }
  });
});
