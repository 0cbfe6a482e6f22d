import { z } from 'zod';
import type { HttpApp, RouteDeps } from '../route-deps.ts';

const tags = ['Documents'];
const Document = z.record(z.string(), z.unknown());

/** What this API is, for machines. */
export function documentRoutes(app: HttpApp, { asyncapi }: RouteDeps): void {
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
    () => app.swagger() as object as Record<string, unknown>,
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
