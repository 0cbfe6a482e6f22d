import { z } from 'zod';
import type { HttpApp, RouteDeps } from '../route-deps.ts';

const tags = ['Documents'];
const Document = z.record(z.string(), z.unknown());

/** What this API is, for machines. */
export function documentRoutes(app: HttpApp, { asyncapi }: RouteDeps): void {
  /** Written out at the first request, when all routes are known, and kept: the document is large. */
  let openapi: string | undefined;

  app.get(
    '/openapi.json',
    {
      schema: {
        tags,
        operationId: 'openapi',
        summary: 'This API as OpenAPI 3.1',
        security: [],
        response: { 200: Document },
      },
    },
    async (_request, reply) => {
      const document = app.swagger();
      openapi ??= JSON.stringify(document);
      const written = openapi;
      return reply
        .type('application/json; charset=utf-8')
        .serializer(() => written)
        .send({ ...document });
    },
  );

  app.get(
    '/asyncapi.json',
    {
      schema: {
        tags,
        operationId: 'asyncapi',
        summary: 'The socket as AsyncAPI 3',
        security: [],
        response: { 200: Document },
      },
    },
    () => asyncapi,
  );
}
