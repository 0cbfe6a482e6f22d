import { FORMATS, type Format, OFFICE, OPEN_DOCUMENT, TEXT } from './formats.ts';

/** What is said of a file whose type nobody knows. */
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

/** Undefined for a type that is not taken. Older events have what was declared, under whatever name. */
export const formatOf = (contentType: string): Format | undefined => byName.get(contentType);
const bytesOf = ({ type, bytes = [type] }: Format) => bytes;

/** The media types that may be declared, under all of their names. */
export const allowedTypes: readonly string[] = [...byName.keys()];

/** The extensions of the files that are taken. */
export const allowedExtensions: readonly string[] = [
  ...new Set(FORMATS.flatMap(({ extensions }) => extensions)),
];

/** Whether files of that type are taken: a media type in lower case, without parameters. */
export const isAllowedType = (contentType: string): boolean => byName.has(contentType);

/** Whether a type says nothing, so that the name and the bytes decide. */
export const isUnknownType = (contentType: string): boolean => UNKNOWN.includes(contentType);

/** Whether that type is one of text. */
export const isTextType = (contentType: string): boolean => formatOf(contentType)?.bytes === TEXT;

/** Whether that type is one of images. */
export const isImageType = (contentType: string): boolean => contentType.startsWith('image/');

/** Whether that type is a zip archive under some name. */
export const isArchiveType = (contentType: string): boolean => formatOf(contentType)?.isArchive === true;

/** Whether that type is one of Office Open XML. */
export const isOfficeType = (contentType: string): boolean => contentType.startsWith(`${OFFICE}.`);

/** Whether that type is one of OpenDocument. */
export const isOpenDocumentType = (contentType: string): boolean =>
  contentType.startsWith(`${OPEN_DOCUMENT}.`);

/** Whether that type is one of Microsoft's compound files. */
export const isCompoundType = (contentType: string): boolean => formatOf(contentType)?.isCompound === true;

/** Whether bytes that `file-type` calls `detected` are what was declared. Of text, the bytes alone say that. */
export function matchesType(declared: string, detected: string | undefined): boolean {
  const format = formatOf(declared);
  if (format === undefined) return false;
  const accepted = bytesOf(format);
  return accepted === TEXT || (detected !== undefined && accepted.includes(detected));
}

/** The type of bytes of which nothing else is known, from what `file-type` calls them; undefined when it is not taken. */
export const typeOfBytes = (detected: string): string | undefined =>
  FORMATS.find((format) => format.isCompound !== true && bytesOf(format).includes(detected))?.type;
