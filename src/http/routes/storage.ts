import { Readable } from 'node:stream';
import { create as contentDisposition } from 'content-disposition';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { SignedLinks } from '../../auth/tokens/signed-links.ts';
import { safeFileName } from '../../commands/file/file-name.ts';
import { ensure } from '../../commands/rejection.ts';
import { FileId, UserId } from '../../events/ids.ts';
import { nameFor } from '../../files/inspect/decide-kind.ts';
import { type FileStorage, UPLOAD_SECONDS, storageKey } from '../../files/storage.ts';
import { type UploadPermit, type UploadReceiver, UploadRefused } from '../../files/upload-receiver.ts';
import type { FileAccess } from '../file-access.ts';
import { THUMBNAIL_STAYS_MS } from '../file-links.ts';
import { ProblemError, badInput, problem } from '../../protocol/problem.ts';
import type { HttpApp } from '../route-deps.ts';
import { bytesFor } from '../stored-bytes.ts';
import { LinkToken } from '../../protocol/schemas.ts';

export interface StorageRoutes {
  storage: Pick<FileStorage, 'stat' | 'read'>;
  links: SignedLinks;
  fileAccess: FileAccess;
  /** Undefined when clients upload to an object storage directly. */
  receiver?: UploadReceiver | undefined;
  /** Resolves with true once an upload was completed: no more bytes are taken. */
  isUploaded: (fileId: FileId) => Promise<boolean>;
}

/** Time limit of a download: 25 MiB at 250 kbit/s. The link is checked only at the start. */
const TRANSFER_MS = 900_000;

/** For how long a browser may keep a thumbnail. */
const STAYS_SECONDS = THUMBNAIL_STAYS_MS / 1_000;

const tags = ['Storage'];
const params = z.strictObject({ fileId: FileId });
const querystring = z.strictObject({ token: LinkToken });
/** The schema of bytes in OpenAPI. */
const binary = { type: 'string', format: 'binary' } as const;
/** Bytes have the content type of their file. */
const ANY_TYPE = ['*/*'];
const EntityTag = { type: 'string', description: 'Names these bytes' } as const;
const Download = z.strictObject({
  fileId: FileId,
  userId: UserId,
  variant: z.enum(['original', 'thumbnail']),
});

/** Defines the routes for the bytes of files, behind links that this server has signed. */
export function storageRoutes(app: HttpApp, { receiver, isUploaded, ...deps }: StorageRoutes): void {
  if (receiver) uploadRoute(app, receiver, isUploaded);
  downloadRoutes(app, deps);
}

function uploadRoute(
  parent: HttpApp,
  receiver: UploadReceiver,
  isUploaded: StorageRoutes['isUploaded'],
): void {
  void parent.register(async (app: HttpApp) => {
    // The handler reads the bytes itself, of any declared type.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', async () => undefined);

    app.put(
      '/v1/storage/quarantine/:fileId',
      {
        config: {
          slowBody: true,
          answerMs: UPLOAD_SECONDS * 1_000,
          refusals: ['LINK_INVALID', 'FILE_EXISTS', 'INSUFFICIENT_STORAGE'],
        },
        schema: {
          tags,
          operationId: 'upload',
          summary: 'Upload the bytes of a file, to the URL that was given for it',
          description:
            'Exactly the headers of the answer to `POST /v1/files`, within 5 minutes, once: a second upload is 412. With S3 the link leads to the bucket instead of this call.',
          security: [],
          consumes: ANY_TYPE,
          params,
          querystring,
          body: z
            .unknown()
            .meta({ ...binary, description: 'Of the type and the size that the upload was asked for' }),
          response: {
            200: z.undefined().meta({ description: 'Stored', headers: { ETag: EntityTag } }),
          },
        },
      },
      async (request, reply) => {
        const permit = receiver.permit(request.params.fileId, request.query.token);
        if (!permit) throw new ProblemError(problem('LINK_INVALID'));
        checkHeaders(request, permit);
        // The scan has moved the bytes, or removed them, so their place may be free again.
        if (await isUploaded(permit.fileId)) throw new ProblemError(problem('FILE_EXISTS'));
        const { etag } = await receiver.receive(permit, request.raw).catch((error: unknown) => {
          throw error instanceof UploadRefused ? refusal(error) : error;
        });
        return reply.header('ETag', `"${etag}"`).send();
      },
    );
  });
}

/** Checks the length before the bytes are read. A body without a length is counted while it is read. */
function checkHeaders({ headers }: FastifyRequest, { contentType, size }: UploadPermit): void {
  if (headers['content-type'] !== contentType) throw badHeader('content-type', contentType);
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== size) throw badHeader('content-length', String(size));
}

const badHeader = (name: string, expected: string) =>
  new ProblemError(badInput([{ path: [name], message: `Must be ${expected}` }], 'headers'));

function refusal({ reason }: UploadRefused): ProblemError {
  switch (reason) {
    case 'exists':
      return new ProblemError(problem('FILE_EXISTS'));
    case 'wrong-size':
      return new ProblemError(badInput([{ path: [], message: 'Must have the size that was asked for' }]));
    case 'wrong-sha256':
      return new ProblemError(badInput([{ path: [], message: 'Must have the SHA-256 that was given' }]));
    case 'broken-off':
      return new ProblemError(problem('BAD_REQUEST', { detail: 'The upload was broken off' }));
  }
}

function downloadRoutes(
  app: HttpApp,
  { storage, links, fileAccess }: Pick<StorageRoutes, 'storage' | 'links' | 'fileAccess'>,
): void {
  app.route({
    // Fastify adds HEAD.
    method: 'GET',
    url: '/v1/storage/:fileId',
    config: { refusals: ['LINK_INVALID', 'FILE_NOT_FOUND', 'RANGE_NOT_SATISFIABLE'] },
    handlerTimeout: TRANSFER_MS,
    schema: {
      tags,
      operationId: 'download',
      summary: 'Download a file or its thumbnail, by the link that was given for it',
      description:
        'The link says for whom it was signed; what that user may see is checked again. One `Range` is honoured, with `If-Range`; `If-None-Match` with the `ETag` of the bytes is 304.',
      security: [],
      produces: ANY_TYPE,
      params,
      querystring,
      headers: z.looseObject({
        range: z.string().optional().describe('One part of the bytes, as in `bytes=0-1023`'),
        'if-range': z.string().optional().describe('The ETag of the part before'),
        'if-none-match': z.string().optional().describe('The ETag of what the client has'),
      }),
      response: {
        200: z.instanceof(Readable).meta({ ...binary, headers: { ETag: EntityTag } }),
        206: z.instanceof(Readable).meta({
          ...{ ...binary, description: 'The part that Range asks for' },
          headers: { ETag: EntityTag, 'Content-Range': { type: 'string' } },
        }),
        304: z.undefined().meta({ description: 'The client has these bytes', headers: { ETag: EntityTag } }),
      },
    },
    async handler(request, reply) {
      const { fileId } = request.params;
      const { data: link } = Download.safeParse(links.open('download', request.query.token));
      if (!link || link.fileId !== fileId) throw new ProblemError(problem('LINK_INVALID'));
      // A member who has just been removed from the group may still have a valid link.
      const { state: file } = await fileAccess(fileId, link.userId);
      ensure(file.status === 'clean', 'FILE_NOT_FOUND');
      const isOriginal = link.variant === 'original';
      ensure(isOriginal || file.hasThumbnail, 'FILE_NOT_FOUND');

      // The stored name is safe already; RFC 6266 §4.3 lists what receivers should expect.
      const name = nameFor(safeFileName(file.name), file.contentType);
      const key = storageKey(isOriginal ? 'clean' : 'thumbnails', fileId);
      const bytes = await bytesFor(request, reply, storage, key);
      void reply.headers({
        'Content-Type': isOriginal ? file.contentType : 'image/webp',
        'Content-Disposition': contentDisposition(isOriginal ? name : `${name}.webp`),
        'X-Content-Type-Options': 'nosniff',
        'Content-Security-Policy': "sandbox; default-src 'none'",
        'Cache-Control': isOriginal ? 'private, no-store' : `private, max-age=${STAYS_SECONDS}, immutable`,
        // Pages of other origins may show a picture, since the link is the secret.
        'Cross-Origin-Resource-Policy': 'cross-origin',
      });
      return bytes ? reply.send(bytes) : reply.code(304).send(undefined);
    },
  });
}
