import { z } from 'zod';
import { origins } from '../origin.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';

const tags = ['Documents'];
const Document = z.record(z.string(), z.unknown()).meta({ id: 'ApiDocument' });

/** Defines the routes of the API's documents. */
export function documentRoutes(
  app: HttpApp,
  { asyncapi, publicUrl }: Pick<RouteDeps, 'asyncapi'> & { publicUrl?: string | undefined },
): void {
  const originOf = origins(publicUrl);
  /** Serialized at the first request, when all routes are known, and kept, because the document is large. */
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
    async (request, reply) => {
      const document = app.swagger();
      openapi ??= JSON.stringify(document);
      // The part that differs between requests comes first.
      const servers = JSON.stringify([{ url: originOf(request) }]);
      const written = `{"servers":${servers},${openapi.slice(1)}`;
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
