import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Folded } from '../../commands/aggregate-cache.ts';
import { safeFileName } from '../../commands/file/file-name.ts';
import { completeUpload } from '../../commands/file/complete-upload.ts';
import { type ExistingFile, fileOf, fileStatus } from '../../commands/file/file.ts';
import { requestUpload } from '../../commands/file/request-upload.ts';
import { CommandRejected, ensure } from '../../commands/rejection.ts';
import { FileStatus } from '../../events/file.ts';
import { FileId, type UserId } from '../../events/ids.ts';
import { type FileKind, decideKind } from '../../files/inspect/decide-kind.ts';
import type { FileStorage } from '../../files/storage.ts';
import { type UploadQuotas, type UploadToCount, untilNextDay } from '../../files/upload-quotas.ts';
import type { SharedFile } from '../../queries/files.ts';
import { commandRequest } from '../command-request.ts';
import { fileAccess, knownFiles } from '../file-access.ts';
import { fileLinks } from '../file-links.ts';
import { origins } from '../origin.ts';
import { ProblemError, badInput, problem } from '../../protocol/problem.ts';
import type { HttpApp, RouteDeps } from '../route-deps.ts';
import { Id, Position, Time, bodyOf, idsParameter } from '../../protocol/schemas.ts';
import { FileList, FileView } from '../../protocol/views.ts';

/** The dependencies of these routes, in addition to those of all routes. */
export interface FileRoutes {
  storage: FileStorage;
  quotas: UploadQuotas;
  maxFileBytes: number;
  /** Returns the same UUID for the same parts, always. */
  deriveId: (...parts: string[]) => string;
}

type Needed =
  'handle' | 'loader' | 'queries' | 'progress' | 'head' | 'newId' | 'positions' | 'links' | 'publicUrl';

const tags = ['Files'];
const params = z.strictObject({ fileId: FileId });

const RequestUpload = bodyOf(requestUpload, 'fileId').meta({
  id: 'RequestUpload',
  example: {
    groupId: '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f',
    name: 'cv.pdf',
    contentType: 'application/pdf',
    size: 48_213,
  },
});
const Requested = z
  .object({
    fileId: Id,
    upload: z
      .object({
        method: z.literal('PUT'),
        url: z.url(),
        headers: z.record(z.string(), z.string()),
        expiresAt: Time,
      })
      .meta({
        id: 'Upload',
        description: 'Send the bytes there, with exactly these headers; then say that it is complete',
      }),
    status: z.literal('pending'),
    position: Position,
  })
  .meta({ id: 'UploadRequested' });
const Completed = z.object({ status: FileStatus, position: Position }).meta({ id: 'UploadCompleted' });

/** Defines the routes of files, from the request of an upload to the download. The bytes have routes of their own. */
export function fileRoutes(app: HttpApp, deps: Pick<RouteDeps, Needed> & FileRoutes): void {
  const { handle, loader, positions, storage, quotas, maxFileBytes, newId, deriveId } = deps;
  const access = fileAccess(deps);
  const known = knownFiles(deps);
  const links = fileLinks(deps);
  const originOf = origins(deps.publicUrl);

  for (const [url, operationId] of [
    ['/v1/files', 'requestUpload'],
    ['/files', 'requestUploadAlias'],
  ] as const)
    app.post(
      url,
      {
        config: {
          scope: 'messages:write',
          idempotentAs: 'RequestUpload',
          refusals: [
            ...requestUpload.refuses,
            'FILE_TOO_LARGE',
            'FILE_TYPE_NOT_ALLOWED',
            'GROUP_FILES_FULL',
            'INSUFFICIENT_STORAGE',
          ],
        },
        schema: {
          tags,
          operationId,
          summary: 'Ask for a place to upload a file to, for one group',
          description:
            'Send the bytes to `upload.url` with `upload.headers`, then call `POST /v1/files/{fileId}/complete`. Name and type are decided together: a type that is absent or too general follows from the name, and answers have the canonical one. `GET /v1/limits` lists the types.',
          body: RequestUpload,
          response: { 201: Requested },
        },
      },
      async (request, reply) => {
        ensure(request.body.size <= maxFileBytes, 'FILE_TOO_LARGE');
        const kind = kindOf(request.body);
        await storage.requireRoom(request.body.size);
        const { userId } = request.session.actor;
        const { key } = commandRequest(request);
        // A repetition concerns the same file and counts once.
        const id = key === undefined ? newId() : deriveId('RequestUpload', 'file', userId, key);
        const asked = { fileId: FileId.parse(id), ...request.body, ...kind };
        await reserve({ ...asked, userId });
        const outcome = await handle(requestUpload, asked, commandRequest(request)).catch(
          async (error: unknown) => {
            if (error instanceof CommandRejected) await quotas.release(asked.fileId);
            throw error;
          },
        );
        await quotas.confirm(asked.fileId);
        const [requested] = outcome.events;
        if (requested?.type !== 'FileUploadRequested')
          throw new Error('RequestUpload must return a FileUploadRequested');
        const { fileId, contentType, size, sha256 } = requested.data;
        const origin = originOf(request);
        const upload = await storage.presignUpload({ fileId, contentType, size, sha256, origin });
        const position = positions.encode(outcome.position);
        return reply.code(201).send({ fileId, upload, status: 'pending', position });
      },
    );

  /** Returns the name and the type to store. Throws a refusal with the reason. */
  function kindOf(asked: FileKind): FileKind {
    const kind = decideKind({ ...asked, name: safeFileName(asked.name) });
    if (!('refused' in kind)) return kind;
    const { refused, detail } = kind;
    if (refused === 'conflict')
      throw new ProblemError(badInput([{ path: ['contentType'], message: detail }]));
    throw new ProblemError(problem('FILE_TYPE_NOT_ALLOWED', { detail }));
  }

  async function reserve(upload: UploadToCount): Promise<void> {
    const outcome = await quotas.reserve(upload);
    if (outcome === 'group') throw new ProblemError(problem('GROUP_FILES_FULL'));
    if (outcome === 'reserved') return;
    const retryAfterSeconds = Math.ceil(untilNextDay(Date.now()) / 1_000);
    const detail = `The files of this day have reached the limit of their sizes: try again in ${retryAfterSeconds} s`;
    throw new ProblemError(problem('RATE_LIMITED', { detail, retryAfterSeconds }));
  }

  /** Resolves with the current state by the log. Rejects with FILE_NOT_FOUND for users who may not know of it. */
  async function ownFile(fileId: FileId, userId: UserId): Promise<Folded<ExistingFile>> {
    const { state, ...folded } = await loader.refresh(fileOf(fileId));
    if (state.status === 'none' || state.uploaderId !== userId) throw new CommandRejected('FILE_NOT_FOUND');
    return { state, ...folded };
  }

  app.post(
    '/v1/files/:fileId/complete',
    {
      config: {
        scope: 'messages:write',
        idempotentAs: 'CompleteUpload',
        refusals: [...completeUpload.refuses, 'FILE_NOT_UPLOADED'],
      },
      schema: {
        tags,
        operationId: 'completeUpload',
        summary: 'Say that the bytes are uploaded: they are then inspected',
        description:
          'The server inspects the bytes: the file is `scanning`, and soon `clean`, `infected` or `rejected`. A message may name it before. May be repeated; the answer then has the status of the file.',
        params,
        response: { 202: Completed },
      },
    },
    async (request, reply) => {
      const { fileId } = request.params;
      const { userId } = request.session.actor;
      let file = await ownFile(fileId, userId);
      if (file.state.status === 'pending') {
        const stored = await storage.seal(fileId);
        ensure(stored !== undefined, 'FILE_NOT_UPLOADED');
        const { events, position } = await handle(
          completeUpload,
          { fileId, etag: stored.etag },
          commandRequest(request),
        );
        if (events.length > 0)
          return reply.code(202).send({ status: 'scanning', position: positions.encode(position) });
        file = await ownFile(fileId, userId);
      }
      const { state, position } = file;
      return reply.code(202).send({ status: fileStatus(state), position: positions.encode(position) });
    },
  );

  app.get(
    '/v1/files/:fileId',
    {
      config: { scope: 'messages:read', refusals: ['FILE_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'getFile',
        summary: 'How a file stands; when it is clean, a link that downloads it',
        description:
          '`url` works for 60 s, as an attachment, for the caller alone. `thumbnailUrl` stays the same for an hour.',
        params,
        response: { 200: FileView },
      },
    },
    async (request) => {
      const { fileId } = request.params;
      const { userId } = request.session.actor;
      const { state } = await access(fileId, userId);
      const { groupId, uploaderId, name, contentType, size } = state;
      return shown(request, {
        ...{ fileId, groupId, uploaderId, name, contentType, size, status: fileStatus(state) },
        reason: state.status === 'refused' ? state.reason : null,
        hasThumbnail: state.status === 'clean' && state.hasThumbnail,
      });
    },
  );

  app.get(
    '/v1/files',
    {
      config: { scope: 'messages:read' },
      schema: {
        tags,
        operationId: 'listFiles',
        summary: 'How these files stand; those that the caller may not know of are left out',
        description:
          'In the order of `ids`, each as `GET /v1/files/{fileId}` returns it. With the ids in `fileIds` of a push or in `files` of messages, this gets their links in one call.',
        querystring: z.strictObject({ ids: idsParameter(FileId) }),
        response: { 200: FileList },
      },
    },
    async (request) => {
      const files = await known(request.query.ids, request.session.actor.userId);
      return { data: files.map((file) => shown(request, file)) };
    },
  );

  /** Returns a file as its caller sees it, with links to a clean one. */
  function shown(
    request: FastifyRequest,
    { uploaderId: _, reason, hasThumbnail, ...file }: SharedFile,
  ): z.infer<typeof FileView> {
    const { fileId, status } = file;
    if (status !== 'clean') return { ...file, ...(reason !== null && { reason }) };
    const thumbnailUrl = hasThumbnail && links.thumbnail(request, fileId);
    return {
      ...file,
      ...links.download(request, fileId),
      ...(thumbnailUrl !== false && { thumbnailUrl, thumbnail: { url: thumbnailUrl } }),
    };
  }
}
