import { isOfficeType, isOpenDocumentType } from '../inspect/content-types.ts';
import type { SniffedReason } from './sniff-check.ts';

/**
 * Called for each member at the top of an archive. Returns a function that takes its unpacked bytes, if they
 * matter.
 */
export type WatchMembers = (name: string) => ((piece: Buffer) => void) | undefined;

/** The members that name the kind. That of Office Open XML lists the types of all other members, too. */
const CONTENT_TYPES = '[Content_Types].xml';
const MIME_TYPE = 'mimetype';
/** Number of bytes kept of such a member. */
const MAX_BYTES = 1_048_576;
const MACROS = /(^|\/)vbaproject\.bin$/i;
const WRITTEN_BY_APPLE = /^(Index\/Document\.iwa|Index\.zip|index\.(xml|apxl)(\.gz)?)$/;

/** Determines the kind of an archive from its members, wherever they are in it. */
export function createArchiveKind(contentType: string): {
  watch: WatchMembers;
  refusal(): SniffedReason | undefined;
} {
  const isOffice = isOfficeType(contentType);
  const isOpenDocument = isOpenDocumentType(contentType);
  const namesKind = isOffice ? CONTENT_TYPES : isOpenDocument ? MIME_TYPE : undefined;
  const pieces: Buffer[] = [];
  let length = 0;
  let hasMacros = false;
  let isOfApple = false;

  function keep(piece: Buffer): void {
    if (length >= MAX_BYTES) return;
    length += piece.length;
    pieces.push(Buffer.from(piece));
  }

  return {
    watch(name) {
      if (MACROS.test(name)) hasMacros = true;
      if (WRITTEN_BY_APPLE.test(name)) isOfApple = true;
      return name === namesKind ? keep : undefined;
    },
    refusal() {
      const kinds = Buffer.concat(pieces).toString().toLowerCase();
      if (isOffice) {
        if (hasMacros || /macroenabled|vbaproject/.test(kinds)) return 'type-not-allowed';
        return kinds.includes(`"${contentType}.main+xml"`) ? undefined : 'type-does-not-match';
      }
      const isWrong =
        (isOpenDocument && kinds.trim() !== contentType) ||
        (contentType.startsWith('application/vnd.apple.') && !isOfApple);
      return isWrong ? 'type-does-not-match' : undefined;
    },
  };
}
