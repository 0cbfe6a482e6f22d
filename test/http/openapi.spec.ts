import type { RouteOptions } from 'fastify';
import { httpStage } from '../support/stages/http-stage.ts';

interface Operation {
  operationId?: string;
  security?: object[];
  parameters?: { name: string; in: string }[];
  requestBody?: unknown;
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: object };
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
    document = (await stage.ask('GET', '/openapi.json')).body as unknown as Document;
  });
  afterAll(() => stage.close());

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

  test('hides nothing but the page itself and the methods that are refused', () => {
    const page = routes
      .filter(({ isHidden, url }) => isHidden && url.startsWith('/docs'))
      .map(({ url }) => url);
    expect(new Set(page)).toStrictEqual(new Set(['/docs', '/docs/', '/docs/js/scalar.js']));
    const unanswered = routes.filter(({ isHidden, url }) => isHidden && !url.startsWith('/docs'));
    const answered = new Set(
      routes.filter(({ isHidden }) => !isHidden).map(({ method, url }) => method + url),
    );
    expect(unanswered.filter(({ method, url }) => answered.has(method + url))).toStrictEqual([]);
  });

  test('gives every operation a name of its own, its parameters and its good answer', () => {
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
      const isHealth = (status: string) => path === '/health/ready' && status === '503';
      for (const [status, { content }] of refusals)
        expect(Object.keys(content ?? {})).toStrictEqual([
          isHealth(status) ? 'application/json' : 'application/problem+json',
        ]);
      expect(refusals.map(([status]) => status)).toEqual(expect.arrayContaining(['400', '500', '503']));
      if (operation.security === undefined || operation.security.length > 0)
        expect(operation.responses).toHaveProperty('401');
    }
  });

  test('has every schema that it refers to', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    const named = new Set(references.map(([, name]) => name));
    expect(named).toStrictEqual(new Set(Object.keys(document.components.schemas)));
    expect(document.components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
  });

  test('shows the key on every POST command, and on no call that answers with a token', () => {
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
      '/v1/unsubscribe',
    ]);
  });

  test('shows the position on every query that asks for a token', () => {
    for (const { method, operation } of operations())
      expect(hasHeader(operation, 'x-min-position')).toBe(
        (method === 'get' && operation.security === undefined) || isMe(operation),
      );
  });

  test('is read and tried on a page that loads nothing from elsewhere', async () => {
    const page = await stage.ask('GET', '/docs/');
    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("connect-src 'self'");
    expect(page.text).toContain('/openapi.json');
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(page.text).not.toMatch(/https?:\/\/(cdn|fonts)\./);
    const script = await stage.ask('GET', '/docs/js/scalar.js');
    expect(script.headers['content-type']).toContain('javascript');
    expect(script.text.length).toBeGreaterThan(1_000_000);
  });

  test('of the socket is served as it is', async () => {
    expect((await stage.ask('GET', '/asyncapi.json')).body).toStrictEqual({ asyncapi: '3.0.0' });
  });
});

const hasHeader = (operation: Operation, name: string) =>
  operation.parameters?.some((each) => each.in === 'header' && each.name === name) ?? false;
const isMe = ({ operationId }: Operation) => operationId === 'getMe';
