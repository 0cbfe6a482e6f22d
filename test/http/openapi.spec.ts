import type { RouteOptions } from 'fastify';
import { httpStage } from '../support/stages/http-stage.ts';

interface Answer {
  $ref?: string;
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: Schema }>;
  'x-codes'?: string[];
}
interface Operation {
  operationId?: string;
  description?: string;
  security?: object[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, Answer>;
}
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  pattern?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: unknown;
  anyOf?: Schema[];
  allOf?: Schema[];
  enum?: string[];
  example?: unknown;
}
interface Document {
  openapi: string;
  info: object;
  servers: object[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
    securitySchemes: object;
  };
}

describe('the OpenAPI document', () => {
  const routes: { method: string; url: string; isHidden: boolean; config: RouteOptions['config'] }[] = [];
  let stage: Awaited<ReturnType<typeof httpStage>>;
  let document: Document;

  beforeAll(async () => {
    stage = await httpStage({
      onRoute: ({ method, url, schema, config }) => {
        for (const each of [method].flat())
          routes.push({ method: each, url, isHidden: schema?.hide ?? false, config });
      },
    });
    document = await documentAt('/openapi.json?codes=text');
  });
  afterAll(() => stage.close());

  /** Resolves with the document, its answers where they are referenced. */
  async function documentAt(path: string): Promise<Document> {
    const read = (await stage.ask('GET', path)).body as unknown as Document;
    for (const { responses } of Object.values(read.paths).flatMap((methods) => Object.values(methods)))
      for (const [status, { $ref }] of Object.entries(responses))
        if ($ref !== undefined) responses[status] = read.components.responses[$ref.split('/').at(-1)!]!;
    return read;
  }

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );

  test('is OpenAPI 3.1 and names every route', () => {
    expect(document.openapi).toBe('3.1.0');
    const served = routes
      .filter(({ method, isHidden }) => !isHidden && method !== 'HEAD')
      .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    const described = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toStrictEqual(served.toSorted());
    expect(served.length).toBeGreaterThan(30);
  });

  test('hides only the docs page and the methods that are refused', () => {
    const page = routes
      .filter(({ isHidden, url }) => isHidden && url.startsWith('/docs'))
      .map(({ url }) => url);
    expect(new Set(page)).toStrictEqual(new Set(['/docs', '/docs/', '/docs/js/scalar.js', '/docs/socket']));
    const unanswered = routes.filter(({ isHidden, url }) => isHidden && !url.startsWith('/docs'));
    const answered = new Set(
      routes.filter(({ isHidden }) => !isHidden).map(({ method, url }) => method + url),
    );
    expect(unanswered.filter(({ method, url }) => answered.has(method + url))).toStrictEqual([]);
  });

  test('gives every operation a unique name, its path parameters and a success answer', () => {
    const names = operations().map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const told = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name);
      expect(told.toSorted()).toStrictEqual(inPath.toSorted());
      expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
    }
  });

  test('describes every refusal as a problem', () => {
    for (const { path, operation } of operations()) {
      const refusals = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
      const isOther = (status: string) =>
        (path === '/health/ready' && status === '503') || path === '/v1/oauth/token';
      for (const [status, { content }] of refusals)
        expect(Object.keys(content ?? {})).toStrictEqual([
          isOther(status) ? 'application/json' : 'application/problem+json',
        ]);
      expect(refusals.map(([status]) => status)).toEqual(expect.arrayContaining(['400', '500', '503']));
      if (operation.security === undefined || operation.security.length > 0)
        expect(operation.responses).toHaveProperty('401');
    }
  });

  test('lists the codes of each call and status, as an enumeration unless one asks for texts', async () => {
    const { responses } = document.paths['/v1/groups/{groupId}/messages']!['post']!;
    expect(responses['409']).toMatchObject({
      'x-codes': [
        'STREAM_DAMAGED',
        'IDEMPOTENCY_KEY_IN_USE',
        'GROUP_CLOSED',
        'FILE_REFUSED',
        'FILE_EXPIRED',
        'CLIENT_MSG_ID_REUSED',
      ],
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    });
    const narrow = await documentAt('/openapi.json');
    for (const { path, method, operation } of operations())
      for (const [status, answer] of Object.entries(operation.responses)) {
        const codes = answer['x-codes'];
        const isProblem = Object.keys(answer.content ?? {}).includes('application/problem+json');
        if (isProblem) expect(codes?.length).toBeGreaterThan(0);
        if (!codes) continue;
        const { content } = narrow.paths[path]![method]!.responses[status]!;
        const [{ schema }] = Object.values(content!) as [{ schema: Schema }];
        expect(schema.allOf?.[1]?.properties?.['code']?.enum).toStrictEqual(codes);
        expect(schema.allOf?.[0]).toStrictEqual(Object.values(answer.content!)[0]!.schema);
      }
    expect(Object.keys(document.components.responses).length).toBeLessThan(200);
  });

  test('says of each alias what it is an alias of', () => {
    const aliases = operations().filter(({ operation }) => operation.operationId?.endsWith('Alias'));
    expect(aliases.map(({ path }) => path).toSorted()).toStrictEqual(['/apply', '/files', '/jobs', '/login']);
    for (const { operation } of aliases) expect(operation.description).toMatch(/^An alias of `POST \/v1\//);
  });

  test('defines every schema that it references', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    const named = new Set(references.map(([, name]) => name));
    expect(named).toStrictEqual(new Set(Object.keys(document.components.schemas)));
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      client: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: 'v1/oauth/token' } } },
    });
  });

  /** Collects every schema in a part of the document, named or not, without following references. */
  function schemasIn(part: unknown): Schema[] {
    if (typeof part !== 'object' || part === null) return [];
    const inner = Object.entries(part).flatMap(([key, value]) => (key === 'example' ? [] : schemasIn(value)));
    const { type, anyOf, oneOf } = part as Record<string, unknown>;
    // A field may also be called `type`.
    const isSchema = typeof type === 'string' || [type, anyOf, oneOf].some(Array.isArray);
    return isSchema ? [part, ...inner] : inner;
  }
  /** Collects the schemas of all answers, at any depth. */
  function schemasOfAnswers(): Schema[] {
    const seen = new Set<string>();
    const follow = (part: unknown): Schema[] =>
      [...JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)].flatMap(([, name]) => {
        if (seen.has(name!)) return [];
        seen.add(name!);
        const schema = document.components.schemas[name!]!;
        return [...schemasIn(schema), ...follow(schema)];
      });
    return follow(operations().map(({ operation }) => operation.responses));
  }

  test('names every object schema, and one schema per success answer', () => {
    for (const { path, operation } of operations()) {
      const { parameters = [], requestBody, responses } = operation;
      const nameless = schemasIn({ parameters, requestBody, responses }).filter(
        ({ properties }) => properties,
      );
      expect({ path, nameless }).toStrictEqual({ path, nameless: [] });
      const good = Object.entries(responses)
        .filter(([status]) => status.startsWith('2'))
        .flatMap(([, { content }]) => content?.['application/json']?.schema.$ref ?? []);
      expect(new Set(good).size).toBeLessThanOrEqual(1);
    }
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      const [, ...inner] = schemasIn(schema);
      // A constraint within the schema is not an object schema of its own.
      const nameless = inner.filter(({ type, properties }) => type === 'object' && properties);
      expect({ name, nameless }).toStrictEqual({ name, nameless: [] });
    }
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Message', 'Group', 'Job', 'Problem', 'Application', 'SendMessage', 'Apply']),
    );
  });

  test('accepts in a PUT what a GET or PUT of the same path answers', () => {
    const fieldsOf = (content?: Record<string, { schema: Schema }>) => {
      const name = content?.['application/json']?.schema.$ref?.split('/').at(-1) ?? '';
      return Object.keys(document.components.schemas[name]?.properties ?? {});
    };
    const pairs = Object.values(document.paths).flatMap(({ get, put }) => (get && put ? [{ get, put }] : []));
    for (const { get, put } of pairs) {
      const taken = fieldsOf(put.requestBody?.content);
      for (const { responses } of [get, put])
        expect(taken).toEqual(expect.arrayContaining(fieldsOf(responses['200']!.content)));
    }
    expect(pairs.map(({ put }) => put.operationId)).toContain('setNotificationPreferences');
  });

  test('writes null, integers and patterns in the form that client generators understand', () => {
    const schemas = schemasIn(document);
    expect(schemas.filter(({ anyOf }) => anyOf?.some(({ type }) => type === 'null'))).toStrictEqual([]);
    expect(schemas.filter(({ type, format }) => type === 'integer' && !format)).toStrictEqual([]);
    const { Message, Group } = document.components.schemas;
    expect(Message?.properties).toMatchObject({
      text: { type: ['string', 'null'] },
      seq: { type: 'integer', format: 'int64' },
    });
    expect(Group?.properties?.['lastMessage']).toStrictEqual({
      oneOf: [{ $ref: '#/components/schemas/Message' }, { type: 'null' }],
    });
    for (const { pattern } of schemas) {
      if (pattern === undefined) continue;
      expect(() => new RegExp(pattern)).not.toThrow();
      expect(pattern).not.toMatch(/\\[pP]\{|\(\?<|\(\?[a-z]/);
    }
  });

  test('closes the schemas of requests, and leaves those of answers open', () => {
    expect(schemasOfAnswers().filter((schema) => schema.additionalProperties === false)).toStrictEqual([]);
    for (const { operation } of operations()) {
      const name = operation.requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1);
      if (name) expect(document.components.schemas[name]).toMatchObject({ additionalProperties: false });
    }
  });

  test('has an example for every body', () => {
    for (const { path, operation } of operations()) {
      const name = operation.requestBody?.content['application/json']?.schema.$ref?.split('/').at(-1);
      if (name) expect({ path, ...document.components.schemas[name] }).toHaveProperty('example');
    }
  });

  test('names the requested host, or the public URL, as its server', async () => {
    expect(document.info).toMatchObject({ license: { name: 'MIT' } });
    const { body } = await stage.ask('GET', '/openapi.json', { headers: { host: 'chat.example.com:8443' } });
    expect(body['servers']).toStrictEqual([{ url: 'http://chat.example.com:8443' }]);
    const behind = await httpStage({ databaseUrl: stage.url, publicUrl: 'https://chat.example.org/' });
    const published = await behind.ask('GET', '/openapi.json', { headers: { host: '10.0.0.7' } });
    await behind.close();
    expect(published.body['servers']).toStrictEqual([{ url: 'https://chat.example.org' }]);
  });

  test('lists the header fields of each answer', () => {
    const fieldsOf = (path: string, method: string, status: number) =>
      Object.keys(document.paths[path]![method]!.responses[status]!.headers ?? {});
    const usual = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy'];
    expect(fieldsOf('/v1/jobs', 'get', 200)).toStrictEqual(usual);
    expect(fieldsOf('/v1/jobs', 'get', 429)).toStrictEqual([...usual, 'Retry-After']);
    expect(fieldsOf('/v1/jobs', 'get', 503)).toStrictEqual([...usual, 'Retry-After']);
    expect(fieldsOf('/v1/jobs', 'get', 401)).toStrictEqual(['X-Request-Id', 'WWW-Authenticate']);
    expect(fieldsOf('/v1/jobs', 'get', 431)).toStrictEqual([]);
    expect(fieldsOf('/v1/jobs', 'post', 201)).toStrictEqual([...usual, 'Idempotency-Replayed']);
    expect(fieldsOf('/health/live', 'get', 200)).toStrictEqual(['X-Request-Id']);
    expect(fieldsOf('/v1/storage/quarantine/{fileId}', 'put', 200)).toStrictEqual(['ETag', ...usual]);
  });

  test('makes the problem title the message of exceptions in generated clients', () => {
    expect(document.components.schemas['Problem']?.properties?.['title']).toMatchObject({
      'x-ms-primary-error-message': true,
    });
  });

  test('allows any content type for uploads and downloads of files', () => {
    const { put } = document.paths['/v1/storage/quarantine/{fileId}']!;
    const { get } = document.paths['/v1/storage/{fileId}']!;
    expect(Object.keys(put!.requestBody!.content)).toStrictEqual(['*/*']);
    expect(Object.keys(get!.responses['200']!.content!)).toStrictEqual(['*/*']);
  });

  test('lists the idempotency key on every POST command, except on those that answer with a secret or an export', () => {
    const withoutKey = operations()
      .filter(({ method, operation }) => method === 'post' && !hasHeader(operation, 'idempotency-key'))
      .map(({ path }) => path);
    expect(withoutKey.toSorted()).toStrictEqual([
      '/internal/scan-orders',
      '/internal/scan-reports',
      '/login',
      '/v1/auth/login',
      '/v1/auth/logout',
      '/v1/auth/refresh',
      '/v1/me/totp',
      '/v1/me/totp/confirm',
      '/v1/oauth/token',
      '/v1/privacy/exports',
      '/v1/unsubscribe',
      '/v1/users/{userId}/tokens',
    ]);
  });

  test('lists the minimum position on every authenticated query', () => {
    for (const { method, operation } of operations())
      expect(hasHeader(operation, 'x-min-position')).toBe(
        (method === 'get' && (operation.security ?? [{}]).length > 0) || isMe(operation),
      );
  });

  test('names the scopes with which a client may make a call, and the header for whom', () => {
    const { securitySchemes } = document.components as unknown as {
      securitySchemes: { client: { flows: { clientCredentials: { scopes: Record<string, string> } } } };
    };
    const scopes = Object.keys(securitySchemes.client.flows.clientCredentials.scopes);
    const inUse = new Set<string>();
    for (const { operation } of operations()) {
      const security = (operation.security ?? []) as { bearer?: string[]; client?: string[] }[];
      const [scope] = security.flatMap(({ client = [] }) => client);
      const isForUsers = security.some(({ bearer }) => bearer);
      expect(hasHeader(operation, 'x-act-as')).toBe(scope !== undefined && isForUsers);
      if (scope !== undefined) inUse.add(scope);
    }
    expect([...inUse].toSorted()).toStrictEqual(scopes.toSorted());
    expect(document.paths['/v1/jobs']!['post']!.security).toStrictEqual([
      ...[{ bearer: [] }, { client: ['jobs:write'] }],
    ]);
    expect(document.paths['/v1/users/{externalId}']!['put']!.security).toStrictEqual([
      { client: ['users:write'] },
    ]);
  });

  test('is shown on a page that loads nothing from other origins', async () => {
    const page = await stage.ask('GET', '/docs/');
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("connect-src 'self'");
    expect(page.text).toContain('/openapi.json');
    expect(page.text).toContain('/asyncapi.json');
    for (const option of ['"showDeveloperTools": "never"', '"telemetry": false', '"hideClientButton": true'])
      expect(page.text).toContain(option);
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.text).not.toMatch(/https?:\/\/(cdn|fonts)\./);
    const script = await stage.ask('GET', '/docs/js/scalar.js');
    expect(script.headers['content-type']).toContain('javascript');
    expect(script.text.length).toBeGreaterThan(1_000_000);
  });

  test('is named at the root, to which a browser comes by itself where the pages for people were not built', async () => {
    const headers = { host: 'chat.example.com' };
    const root = await stage.ask('GET', '/', { headers });
    expect(root.status).toBe(200);
    expect(root.body).toStrictEqual({
      ...{ name: 'Chat for job boards', version: '1' },
      documents: {
        openapi: 'http://chat.example.com/openapi.json',
        asyncapi: 'http://chat.example.com/asyncapi.json',
        docs: 'http://chat.example.com/docs',
      },
    });
    const led = await stage.ask('GET', '/', { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect([led.status, led.headers['location']]).toEqual([302, '/docs']);
    expect([root.headers['vary'], led.headers['vary']]).toEqual(['Accept', 'Accept']);
  });

  test('for sockets is served unchanged', async () => {
    expect((await stage.ask('GET', '/asyncapi.json')).body).toMatchObject({ asyncapi: '3.0.0' });
  });
});

const hasHeader = (operation: Operation, name: string) =>
  operation.parameters?.some((each) => each.in === 'header' && each.name === name) ?? false;
const isMe = ({ operationId }: Operation) => operationId === 'getMe';
