import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { makeClient, tokenOf } from '../support/stages/service-clients.ts';
import { TOKEN_PATH } from '../../src/http/routes/clients/token-endpoint.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../support/stages/board.ts';

/** CASES=100000 runs more cases. */
const CASES = Number(process.env['CASES'] ?? 10_000);

interface Operation {
  method: string;
  path: string;
  query: string[];
  body: Record<string, object> | undefined;
}

/** Every operation of the OpenAPI document, with its query parameters and body fields. */
function operationsOf(document: Record<string, unknown>): Operation[] {
  const { paths, components } = document as {
    paths: Record<string, Record<string, Record<string, never>>>;
    components: { schemas: Record<string, { properties?: Record<string, object> }> };
  };
  const named = (reference = '') => components.schemas[reference.split('/').at(-1)!]?.properties;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      query: (parameters as { in: string; name: string }[])
        .filter((each) => each.in === 'query')
        .map(({ name }) => name),
      body: named(requestBody?.['content']?.['application/json']?.['schema']?.['$ref']),
    })),
  );
}

const hostileText = fc.oneof(
  fc.constantFrom(
    '',
    '\u0000',
    'a\u0000b',
    '\ud800',
    'a\udfff',
    '\u202e',
    '__proto__',
    'constructor',
    '../../etc/passwd',
    "' or 1=1 --",
    '%',
    '%00',
    '$1',
    '{}',
    '-',
    '1e400',
    'NaN',
    '99999999999999999999',
    '-1',
    "a:* & ! ( '",
    '"unfinished',
    'a -',
    '🙂'.repeat(300),
    'x'.repeat(20_000),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uuid(),
);

/** Pieces of JSON text; JSON.stringify cannot write all of them. */
const hostileJson = fc.oneof(
  { weight: 5, arbitrary: hostileText.map((text) => JSON.stringify(text)) },
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)) },
  fc.constantFrom(
    'null',
    'true',
    '[]',
    '{}',
    '0',
    '-0',
    '-1',
    '1.5',
    '1e400',
    '-1e400',
    '9007199254740993',
    '1e-400',
    '{"__proto__":{"isAdmin":true}}',
    '{"constructor":{"prototype":{}}}',
    '{"toString":1}',
    `${'['.repeat(500)}${']'.repeat(500)}`,
    `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
    `[${'0,'.repeat(5_000)}0]`,
    `"${'x'.repeat(30_000)}"`,
    '"\\ud800"',
    '"\\u0000"',
    '{"a":1,"a":2}',
  ),
);

interface Case {
  operation: Operation;
  role: keyof Cast | undefined;
  path: Record<string, string>;
  query: [string, string][];
  payload: string | Uint8Array<ArrayBuffer> | undefined;
  headers: Record<string, string>;
}

/**
 * Percent-encodes a text. encodeURIComponent rejects a lone surrogate, which is sent as its raw bytes
 * instead.
 */
const encode = (text: string) => {
  const encoded = text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
  // A dot segment would be resolved before it is sent.
  return /^\.{1,2}$/.test(encoded) ? `${encoded}%20` : encoded.slice(0, 3_000);
};

/** The fields of a form, as text. */
const hostileForm = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        ...[
          'grant_type',
          'grant_type',
          'scope',
          'client_assertion',
          'client_assertion_type',
          'subject_token',
        ],
        ...['subject_token_type', 'audience', 'actor_token', '__proto__', 'constructor', ''],
      ),
      fc.oneof(
        hostileText.map((text) => encode(text)),
        fc.constantFrom(
          ...['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange', 'users:write'],
          ...['urn:ietf:params:oauth:token-type:jwt', 'eyJhbGciOiJub25lIn0.e30.', '%', '%ff', '+'],
        ),
      ),
    ),
    { maxLength: 6 },
  )
  .map((fields) => fields.map(([name, value]) => `${name}=${value}`).join('&'));
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const headerText = fc.constantFrom(
  '',
  '"',
  'x',
  '1e400',
  '-1',
  '{}',
  'a b',
  '\u00ff',
  '"unfinished',
  '9'.repeat(300),
);

const isOfOperators = ({ path }: Operation) => path.startsWith('/v1/admin/');

/** A request with valid and invalid parts. */
function requests(
  operations: Operation[],
  { board, cast, victim }: { board: Board; cast: Cast; victim: Person },
): fc.Arbitrary<Case> {
  const real: Record<string, string> = { ...board, userId: cast.member.userId, emoji: '👍' };
  /** Operators do nothing to those who make the other requests. */
  const ofOperators: Record<string, string> = { userId: victim.userId, name: 'jobs' };
  const valid: Record<string, unknown> = {
    ...real,
    seq: 1,
    text: 'Hello',
    clientMsgId: randomUUID(),
    title: 'Engineer',
    description: 'Builds',
    location: null,
    status: 'offer',
    role: 'member',
    email: 'grace@example.org',
    jobIds: null,
    q: 'engine',
    limit: '2',
    reason: 'A complaint',
    all: true,
    force: false,
  };
  return fc.constantFrom(...operations).chain((operation) => {
    const ids = isOfOperators(operation) ? ofOperators : real;
    const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const fields = [...Object.keys(operation.body ?? {}), 'extra', '__proto__', 'id'];
    const field = fc
      .tuple(fc.constantFrom(...fields), fc.option(hostileJson, { freq: 3 }))
      .map(([name, hostile]) => `${JSON.stringify(name)}:${hostile ?? JSON.stringify(valid[name] ?? null)}`);
    const whole = Object.keys(operation.body ?? {}).map(
      (name) => `${JSON.stringify(name)}:${JSON.stringify(valid[name] ?? null)}`,
    );
    const object = fc
      .tuple(fc.subarray(whole), fc.array(field, { maxLength: 3 }))
      .map(([some, more]) => `{${[...some, ...more].join(',')}}`);
    const isForm = operation.path === TOKEN_PATH;
    return fc.record({
      operation: fc.constant(operation),
      role: fc.constantFrom(undefined, 'owner', 'owner', 'admin', 'member', 'exMember', 'stranger'),
      path: fc.record(
        Object.fromEntries(
          names.map((name) => [
            name,
            fc.oneof({ weight: 3, arbitrary: fc.constant(ids[name] ?? randomUUID()) }, hostileText),
          ]),
        ),
      ) as fc.Arbitrary<Record<string, string>>,
      query: fc.array(
        fc.tuple(
          fc.constantFrom(...operation.query, ...operation.query, 'extra', '__proto__'),
          fc.oneof(hostileText, fc.constantFrom('1', '50', '0', '101', 'open')),
        ),
        { maxLength: 2 },
      ),
      payload:
        operation.method === 'GET'
          ? fc.constant(undefined)
          : fc.oneof(
              { weight: 8, arbitrary: isForm ? hostileForm : object },
              { weight: 2, arbitrary: hostileJson },
              fc.constantFrom(undefined, '', '{', '{"a"', '\ufeff{}', `{"text":"${'x'.repeat(70_000)}"}`),
              fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes)),
            ),
      headers: fc.oneof(
        { weight: 6, arbitrary: fc.constant(isForm ? FORM : {}) },
        headerText.map((value) => ({ 'idempotency-key': value })),
        headerText.map((value) => ({ 'x-min-position': value })),
        headerText.map((value) => ({ 'x-access-grant': value })),
        headerText.map((value) => ({ authorization: `Bearer ${value}` })),
        headerText.map((value) => ({ ...(isForm && FORM), authorization: `Basic ${value}` })),
        headerText.map((value) => ({ 'x-act-as': value })),
        fc
          .constantFrom('text/plain', 'application/json;charset=utf-16', 'application/json\t;', '')
          .map((value) => ({
            'content-type': value,
          })),
      ),
    });
  }) as fc.Arbitrary<Case>;
}

const urlOf = ({ operation, path, query }: Case) => {
  const place = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encode(path[name]!));
  const asked = query.map(([name, value]) => `${name}=${encode(value)}`).join('&');
  return asked === '' ? place : `${place}?${asked}`;
};

describe('invalid input', () => {
  let app: TestApp;
  let cast: Cast;
  let auditor: Person;
  let client: Person;
  let operator: Person;
  let victim: Person;
  let board: Board;
  let operations: Operation[];

  beforeAll(async () => {
    app = await startApp();
    cast = await gatherCast(app);
    auditor = await app.hireAuditor();
    operator = await app.hireOperator();
    victim = await app.register('applicant', 'Mallory');
    const accessToken = await tokenOf(app.url, await makeClient(app.settings.DATABASE_URL));
    client = { ...auditor, accessToken };
    board = await setUpBoard(app, cast);
    const document = (await app.ask('GET', '/openapi.json')).body;
    // Logging out would end the cast's sessions; authentication's own tests do that.
    operations = operationsOf(document).filter(({ path }) => !path.endsWith('/logout'));
  });
  afterAll(() => app.stop());

  function check({ status, text, headers, body }: Answer, asked: string): void {
    const isFault = status >= 500 && body['code'] !== 'NOT_CAUGHT_UP';
    if (isFault) throw new Error(`${asked} was answered ${status} ${text}`);
    if (/\bat .+\.(ts|js):\d+|node_modules|syntax error at/.test(text) && status >= 400)
      throw new Error(`${asked} leaks a stack: ${text}`);
    if (status < 400) return;
    const isOAuth = asked.startsWith(`POST ${TOKEN_PATH}`) && 'error' in body;
    expect(headers.get('content-type')).toBe(isOAuth ? 'application/json' : 'application/problem+json');
    expect(body).toMatchObject({ status, code: expect.any(String), title: expect.any(String) });
    expect(text.length).toBeLessThan(16_384);
  }

  test(`causes no 5xx, no crash and no stack trace in ${CASES} requests to every operation`, async () => {
    const counts = new Map<number, number>();
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(requests(operations, { board, cast, victim }), { minLength: 20, maxLength: 20 }),
        async (cases) => {
          await Promise.all(
            cases.map(async (each) => {
              const isAudit = each.operation.path.startsWith('/v1/audit/');
              const isOfClients = each.operation.path.startsWith('/v1/users/');
              const as: Person | undefined =
                each.role &&
                (isOfOperators(each.operation)
                  ? operator
                  : isAudit
                    ? auditor
                    : isOfClients
                      ? client
                      : cast[each.role]);
              const url = urlOf(each);
              const { method } = each.operation;
              const answer = await app.ask(method, url, {
                as,
                ...(each.payload !== undefined && { payload: each.payload }),
                headers: each.headers as Record<string, string>,
              });
              counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
              reached.add(`${method} ${each.operation.path}`);
              check(answer, `${method} ${url} ${String(each.payload).slice(0, 500)}`);
            }),
          );
        },
      ),
      { numRuns: Math.ceil(CASES / 20), endOnFailure: true },
    );
    expect(reached.size).toBe(operations.length);
    expect([...counts.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 403, 404, 413, 415]));
    expect((await app.ask('GET', '/health/ready')).status).toBe(200);
    expect(app.lines().filter(({ level }) => Number(level) >= 50)).toStrictEqual([]);
  }, 180_000);
});
