import type { FastifyRequest } from 'fastify';
import type { FileStatus } from '../events/file.ts';
import { origins } from './origin.ts';
import type { RouteDeps } from './route-deps.ts';

/** Lifetime of the link of a download. */
const DOWNLOAD_MS = 60_000;
/** The link of a thumbnail changes this often, so that a browser finds the picture in its cache. */
export const THUMBNAIL_STAYS_MS = 3_600_000;
/** A link that was given just before it changed works for this long. */
const THUMBNAIL_MS = 600_000;

type Variant = 'original' | 'thumbnail';

/** A message with its files, as far as their thumbnails matter. */
interface WithFiles {
  files: readonly { fileId: string; status: FileStatus; hasThumbnail: boolean }[];
}
type Linked<M extends WithFiles> = Omit<M, 'files'> & {
  files: (M['files'][number] & { thumbnailUrl?: string })[];
};
interface WithLast<M extends WithFiles> {
  lastMessage: M | null;
}

/** Links to files, each for the caller of a request alone. */
export interface FileLinks {
  download(request: FastifyRequest, fileId: string): { url: string; expiresAt: string };
  thumbnail(request: FastifyRequest, fileId: string): string;
  /** Returns a function that adds to the files of a message the links of their thumbnails. */
  inMessages(request: FastifyRequest): <M extends WithFiles>(message: M) => Linked<M>;
  /** Returns a function that does so to the last message of a group. */
  inLastMessages(
    request: FastifyRequest,
  ): <M extends WithFiles, G extends WithLast<M>>(
    group: G & WithLast<M>,
  ) => Omit<G, 'lastMessage'> & WithLast<Linked<M>>;
}

/** Creates the links to files that answers contain. What they grant is checked again when they are used. */
export function fileLinks(
  { links, publicUrl }: Pick<RouteDeps, 'links' | 'publicUrl'>,
  now: () => number = Date.now,
): FileLinks {
  const originOf = origins(publicUrl);

  function link(request: FastifyRequest, fileId: string, variant: Variant, expiresAt: number): string {
    const { userId } = request.session.actor;
    const token = links.sign('download', { fileId, userId, variant }, expiresAt);
    return `${originOf(request)}/v1/storage/${fileId}?token=${token}`;
  }

  const thumbnail = (request: FastifyRequest, fileId: string) =>
    link(request, fileId, 'thumbnail', nextChange(fileId, now()) + THUMBNAIL_MS);

  const inMessages: FileLinks['inMessages'] = (request) => (message) => ({
    ...message,
    files: message.files.map((file) =>
      file.status === 'clean' && file.hasThumbnail
        ? { ...file, thumbnailUrl: thumbnail(request, file.fileId) }
        : file,
    ),
  });

  return {
    download(request, fileId) {
      const expiresAt = now() + DOWNLOAD_MS;
      return {
        url: link(request, fileId, 'original', expiresAt),
        expiresAt: new Date(expiresAt).toISOString(),
      };
    },
    thumbnail,
    inMessages,
    inLastMessages: (request) => (group) => ({
      ...group,
      lastMessage: group.lastMessage && inMessages(request)(group.lastMessage),
    }),
  };
}

/** Returns when the link of a thumbnail changes: not at the same time for all files, or all browsers load all at once. */
function nextChange(fileId: string, now: number): number {
  const shift = Number.parseInt(fileId.slice(-8), 16) % THUMBNAIL_STAYS_MS;
  const begun = Math.floor((now - shift) / THUMBNAIL_STAYS_MS) * THUMBNAIL_STAYS_MS + shift;
  return begun + THUMBNAIL_STAYS_MS;
}
