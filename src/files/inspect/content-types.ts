import { FORMATS, type Format, OFFICE, OPEN_DOCUMENT, TEXT } from './formats.ts';

/** The media type of a file of unknown type. */
export const UNKNOWN_TYPE = 'application/octet-stream';
const UNKNOWN: readonly string[] = [
  UNKNOWN_TYPE,
  'binary/octet-stream',
  'application/binary',
  'application/unknown',
  'application/x-unknown',
  'application/download',
  'application/x-download',
  'application/force-download',
];

const byName = new Map(
  FORMATS.flatMap((format) => [format.type, ...(format.aliases ?? [])].map((name) => [name, format])),
);

/**
 * Returns undefined for a type that is not accepted. Older events contain the declared type, under any of its
 * names.
 */
export const formatOf = (contentType: string): Format | undefined => byName.get(contentType);
const bytesOf = ({ type, bytes = [type] }: Format) => bytes;

/** The media types that may be declared, under all of their names. */
export const allowedTypes: readonly string[] = [...byName.keys()];

/** The extensions of the accepted files. */
export const allowedExtensions: readonly string[] = [
  ...new Set(FORMATS.flatMap(({ extensions }) => extensions)),
];

/** Returns true if files of that type are accepted: a media type in lower case, without parameters. */
export const isAllowedType = (contentType: string): boolean => byName.has(contentType);

/** Returns true if a type says nothing, so that the name and the bytes decide. */
export const isUnknownType = (contentType: string): boolean => UNKNOWN.includes(contentType);

export const isTextType = (contentType: string): boolean => formatOf(contentType)?.bytes === TEXT;

export const isImageType = (contentType: string): boolean => contentType.startsWith('image/');

/** Returns true if files of that type are zip archives. */
export const isArchiveType = (contentType: string): boolean => formatOf(contentType)?.isArchive === true;

/** Returns true for the types of Office Open XML. */
export const isOfficeType = (contentType: string): boolean => contentType.startsWith(`${OFFICE}.`);

export const isOpenDocumentType = (contentType: string): boolean =>
  contentType.startsWith(`${OPEN_DOCUMENT}.`);

/** Returns true for the types of Microsoft's compound files. */
export const isCompoundType = (contentType: string): boolean => formatOf(contentType)?.isCompound === true;

/**
 * Returns true if bytes that `file-type` calls `detected` match the declared type. Text always matches here,
 * because only a look at all bytes can tell.
 */
export function matchesType(declared: string, detected: string | undefined): boolean {
  const format = formatOf(declared);
  if (format === undefined) return false;
  const accepted = bytesOf(format);
  return accepted === TEXT || (detected !== undefined && accepted.includes(detected));
}

/**
 * Returns the type of bytes of which nothing else is known, from what `file-type` calls them; undefined when
 * it is not accepted.
 */
export const typeOfBytes = (detected: string): string | undefined =>
  FORMATS.find((format) => format.isCompound !== true && bytesOf(format).includes(detected))?.type;
