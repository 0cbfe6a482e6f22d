import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Html, markup } from '../notifications/templates/html.ts';
import { toProblem } from '../protocol/problem.ts';

/** Allows a style and a form only. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** The forms of these pages send less. */
const BODY_LIMIT = 16_384;
const FORM = 'application/x-www-form-urlencoded';
const TOO_MANY_REQUESTS = 429;

export const page = (title: string, content: Html): string =>
  markup`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${title}</title>
    <style>
      body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 15vh auto; max-width: 32rem; padding: 0 1rem; text-align: center }
      button, input { font: inherit; padding: 0.5rem 1.5rem }
    </style>
  </head>
  <body>
${content}
  </body>
</html>
`.source;

export const sendPage = (reply: FastifyReply, html: string): FastifyReply =>
  reply.type('text/html; charset=utf-8').header('Content-Security-Policy', POLICY).send(html);

/** Returns true for a request of a page's form, false for one of a program. */
export const isForm = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() === FORM;

/** Browsers accept HTML wherever a person reads the answer. */
export const readsPages = ({ headers }: FastifyRequest): boolean =>
  headers.accept?.includes('text/html') ?? false;

/** The content types of a route that serves a page's form as well as JSON, for OpenAPI. */
export const jsonOrForm = {
  consumes: ['application/json', FORM],
  produces: ['application/json', 'text/html'],
};

/**
 * Accepts the forms of pages, in a context of its own. A person sees a refusal on a page, which `sayWhy` makes from
 * the reason; other clients get a problem.
 */
export function servePages(
  app: FastifyInstance,
  sayWhy: (request: FastifyRequest, why: string) => string,
): void {
  app.addContentTypeParser(
    FORM,
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    async (_request: FastifyRequest, body: Buffer) =>
      Object.fromEntries(new URLSearchParams(body.toString())),
  );
  app.setErrorHandler((error, request, reply) => {
    const { status, title, errors } = toProblem(error);
    if (status >= TOO_MANY_REQUESTS || !readsPages(request)) throw error;
    return sendPage(reply.code(status), sayWhy(request, errors?.[0]?.message ?? title));
  });
}
