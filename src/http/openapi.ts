import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import apiReference from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** The page runs its own script, and styles it writes itself; it loads nothing from anywhere else. */
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

/** Components come in an input and an output version; only answers use any here. */
const withoutInputs: SwaggerTransformObject = (given) => {
  const document = jsonSchemaTransformObject(given);
  const schemas = 'components' in document ? (document.components?.schemas ?? {}) : {};
  for (const name of Object.keys(schemas)) if (name.endsWith('Input')) delete schemas[name];
  return document;
};

/** Makes the OpenAPI document from the schemas of the routes. Call before any route is made. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Chat for job boards',
        version: '1',
        description:
          'Every command answers with a `position`. Send it as `X-Min-Position` with a query, and the query shows what the command did. Errors are `application/problem+json` (RFC 9457).',
      },
      servers: [{ url: '/' }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: withoutInputs,
  });
}

/** A page at /docs to read the document and to try the calls. Works offline. */
export async function servePage(app: FastifyInstance): Promise<void> {
  await app.register(async (page) => {
    page.addHook('onRequest', async (_request, reply) => {
      void reply.header('Content-Security-Policy', DOCS_POLICY);
    });
    await page.register(apiReference, {
      routePrefix: '/docs',
      configuration: {
        url: '/openapi.json',
        withDefaultFonts: false,
        telemetry: false,
        agent: { disabled: true },
        hideClientButton: true,
        documentDownloadType: 'none',
      },
    });
  });
}
