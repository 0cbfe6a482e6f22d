/** Text has no magic number: it is known by what is not in it. */
const TEXT = 'text';

const OFFICE = 'application/vnd.openxmlformats-officedocument';
const OPEN_DOCUMENT = 'application/vnd.oasis.opendocument';
const itself = (...types: string[]) => types.map((type) => [type, [type]] as const);

/**
 * What may be uploaded, and what `file-type` calls bytes that are it. Nothing that a browser would run when it opens it
 * (HTML, SVG, XML, scripts) and nothing that an operating system would (programs, macros).
 */
const ALLOWED = new Map<string, typeof TEXT | readonly string[]>([
  ...itself('image/jpeg', 'image/gif', 'image/webp'),
  ['image/png', ['image/png', 'image/apng']],
  ...itself('application/pdf', 'application/rtf'),
  ['text/rtf', ['application/rtf']],
  ...itself(
    `${OFFICE}.wordprocessingml.document`,
    `${OFFICE}.spreadsheetml.sheet`,
    `${OFFICE}.presentationml.presentation`,
    `${OPEN_DOCUMENT}.text`,
    `${OPEN_DOCUMENT}.spreadsheet`,
    `${OPEN_DOCUMENT}.presentation`,
  ),
  ['text/plain', TEXT],
  ['text/csv', TEXT],
  ['text/markdown', TEXT],
  ...itself('application/zip'),
  // What Windows calls it.
  ['application/x-zip-compressed', ['application/zip']],
  ...itself('audio/mpeg', 'audio/wav', 'video/mp4', 'video/quicktime', 'video/webm'),
  ['audio/ogg', ['audio/ogg', 'audio/ogg; codecs=opus']],
  // Containers of sound alone look like those of films.
  ['audio/mp4', ['audio/mp4', 'audio/x-m4a', 'video/mp4']],
  ['audio/x-m4a', ['audio/mp4', 'audio/x-m4a', 'video/mp4']],
  ['audio/webm', ['video/webm']],
]);

/** The media types that may be declared. */
export const allowedTypes: readonly string[] = [...ALLOWED.keys()];

/** Whether files of that type are taken: a media type in lower case, without parameters. */
export const isAllowedType = (contentType: string): boolean => ALLOWED.has(contentType);

/** Whether that type is one of text. */
export const isTextType = (contentType: string): boolean => ALLOWED.get(contentType) === TEXT;

/** Whether that type is one of images. */
export const isImageType = (contentType: string): boolean => contentType.startsWith('image/');

/** Whether that type is a zip archive under some name. */
export const isArchiveType = (contentType: string): boolean =>
  (!isTextType(contentType) && matchesType(contentType, 'application/zip')) ||
  [OFFICE, OPEN_DOCUMENT].some((family) => contentType.startsWith(`${family}.`));

/** Whether bytes that `file-type` calls `detected` are what was declared. Of text, the bytes alone say that. */
export function matchesType(declared: string, detected: string | undefined): boolean {
  const accepted = ALLOWED.get(declared);
  if (accepted === undefined || accepted === TEXT) return accepted === TEXT;
  return detected !== undefined && accepted.includes(detected);
}
