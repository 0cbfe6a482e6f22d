import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError, problem } from '../../protocol/problem.ts';
import { origins } from '../origin.ts';
import { readsPages } from '../pages.ts';
import type { HttpApp } from '../route-deps.ts';

/** A file of the pages for people, as it is sent. */
export interface WebFile {
  type: string;
  bytes: Buffer;
  gzip: Buffer;
}

/** The pages for people, as they were built. */
export interface WebPages {
  /** The page that all paths show: its script decides by the path. */
  page: WebFile;
  /** What takes pushes while no page is open. */
  serviceWorker: WebFile;
  /** What the page loads, by names that change with the content. */
  files: ReadonlyMap<string, WebFile>;
}

export interface WebRoutes {
  /** Undefined if they were not built. */
  webPages?: WebPages | undefined;
  /** The origins to which browsers upload files, besides this server. */
  uploadOrigins?: readonly string[] | undefined;
  publicUrl?: string | undefined;
}

/** The paths of the pages, besides `/`. All others are unknown. */
export const WEB_PATHS = [
  '/log-in',
  '/sign-up',
  '/forgot-password',
  '/jobs',
  '/jobs/new',
  '/jobs/:jobId',
  '/applications',
  '/c/:groupId',
  '/search',
  '/settings',
  '/audit',
  '/audit/streams/:stream',
  '/audit/events/:eventId',
  '/audit/groups/:groupId',
  '/audit/checkpoints',
  '/audit/access',
  '/audit/privacy',
  '/admin',
  '/admin/users',
  '/admin/users/:userId',
  '/admin/jobs',
  '/admin/notifications',
  '/admin/read-models',
  '/company',
  '/invitation',
] as const;

const SERVICE_WORKER = '/service-worker.js';
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** Sends the page with its policy, if this is a browser that asks and there is a page. */
export type SendWebPage = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined;

/** Returns the function that answers browsers with the page for people. */
export function webPage({ webPages, uploadOrigins = [], publicUrl }: WebRoutes): SendWebPage {
  const originOf = origins(publicUrl);
  const elsewhere = publicUrl === undefined ? [] : [new URL(publicUrl).origin];
  const policyFor = (request: FastifyRequest): string =>
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      ["img-src 'self' blob: data:", ...elsewhere].join(' '),
      // Not every browser takes 'self' for sockets as well.
      ["connect-src 'self'", socketOf(originOf(request)), ...elsewhere, ...uploadOrigins].join(' '),
      "font-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
    ].join('; ');

  return (request, reply) => {
    void reply.header('Vary', 'Accept');
    if (!webPages || !readsPages(request)) return undefined;
    void reply.headers({
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': policyFor(request),
      Vary: 'Accept, Accept-Encoding',
    });
    return sendFile(request, reply, webPages.page);
  };
}

/** Defines the routes of the pages for people, and of what they load. */
export function webRoutes(app: HttpApp, deps: WebRoutes): void {
  const sendPage = webPage(deps);
  for (const url of WEB_PATHS)
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      const sent = sendPage(request, reply);
      if (!sent) throw new ProblemError(problem('NOT_FOUND'));
      return sent;
    });

  // It is responsible for what is below its path. It loads nothing, and is asked for anew.
  app.get(SERVICE_WORKER, { schema: { hide: true } }, async (request, reply) => {
    if (!deps.webPages) throw new ProblemError(problem('NOT_FOUND'));
    void reply.headers({
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': "default-src 'none'",
      Vary: 'Accept-Encoding',
    });
    return sendFile(request, reply, deps.webPages.serviceWorker);
  });

  app.get<{ Params: { name: string } }>('/web/:name', { schema: { hide: true } }, async (request, reply) => {
    const file = deps.webPages?.files.get(request.params.name);
    if (!file) throw new ProblemError(problem('NOT_FOUND'));
    void reply.headers({ 'Cache-Control': IMMUTABLE, Vary: 'Accept-Encoding' });
    return sendFile(request, reply, file);
  });
}

function sendFile(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  { type, bytes, gzip }: WebFile,
): FastifyReply {
  void reply.type(type);
  if (!takesGzip(headers['accept-encoding'])) return reply.send(bytes);
  return reply.header('Content-Encoding', 'gzip').send(gzip);
}

/** Whether `Accept-Encoding` names gzip, and not with the weight 0. */
const takesGzip = (accepted: string | string[] | undefined): boolean =>
  /(?:^|[,\s])gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(String(accepted ?? ''));

const socketOf = (origin: string): string => origin.replace(/^http/, 'ws');
