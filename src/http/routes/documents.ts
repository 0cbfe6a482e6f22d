import { z } from 'zod';
import { API, DOCS_PATH, withCodes } from '../openapi.ts';
import { origins } from '../origin.ts';
import { readsPages } from '../pages.ts';
import { type WebRoutes, webPage } from './web.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';

const tags = ['Documents'];
const Documents = z
  .object({
    name: z.string(),
    version: z.string(),
    documents: z.object({ openapi: z.url(), asyncapi: z.url(), docs: z.url() }).meta({ id: 'DocumentUrls' }),
  })
  .meta({ id: 'Documents' });
/** How a problem's code is described. */
const Codes = z
  .enum(['text', 'enum'])
  .default('enum')
  .describe('With `text`, the codes of problems are texts, and `x-codes` alone lists them');
const Document = z.record(z.string(), z.unknown()).meta({ id: 'ApiDocument' });

/** Defines the routes of the API's documents. */
export function documentRoutes(
  app: HttpApp,
  { asyncapi, ...web }: Pick<RouteDeps, 'asyncapi'> & WebRoutes,
): void {
  const originOf = origins(web.publicUrl);
  const sendWebPage = webPage(web);
  /** Serialized at the first request, when all routes are known, and kept, because the document is large. */
  const openapi = new Map<z.infer<typeof Codes>, string>();

  app.get(
    '/',
    {
      schema: {
        tags,
        operationId: 'getDocuments',
        summary: 'The documents of this server; a browser gets the pages for people',
        security: [],
        response: {
          200: Documents,
          302: z.undefined().meta({
            description: 'To the page of the documents, for a browser where the pages were not built',
            headers: { Location: { type: 'string' } },
          }),
        },
      },
    },
    async (request, reply) => {
      const sent = sendWebPage(request, reply);
      if (sent) return sent;
      if (readsPages(request)) return reply.code(302).header('Location', DOCS_PATH).send(undefined);
      const origin = originOf(request);
      return reply.send({
        ...{ name: API.title, version: API.version },
        documents: {
          openapi: `${origin}/openapi.json`,
          asyncapi: `${origin}/asyncapi.json`,
          docs: `${origin}${DOCS_PATH}`,
        },
      });
    },
  );

  app.get(
    '/openapi.json',
    {
      schema: {
        tags,
        operationId: 'openapi',
        summary: 'This API as OpenAPI 3.1',
        description:
          'The code of each problem is one of those that the call answers with. Generators for C# do better with `?codes=text`.',
        security: [],
        querystring: z.strictObject({ codes: Codes }),
        response: { 200: Document },
      },
    },
    async (request, reply) => {
      const { codes } = request.query;
      const document = app.swagger();
      const serialized =
        openapi.get(codes) ?? JSON.stringify(codes === 'enum' ? withCodes(document) : document);
      openapi.set(codes, serialized);
      // The part that differs between requests comes first.
      const servers = JSON.stringify([{ url: originOf(request) }]);
      const written = `{"servers":${servers},${serialized.slice(1)}`;
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
