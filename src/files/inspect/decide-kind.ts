import { UNKNOWN_TYPE, formatOf, isUnknownType } from './content-types.ts';
import { FORMATS } from './formats.ts';
import { runsByName } from './programs.ts';

/** Returns the part after the last dot of a name, in lower case; empty when there is none. */
const extensionOf = (name: string): string => /(?<=.)\.([^.]+)$/su.exec(name)?.[1]?.toLowerCase() ?? '';

/** Returns the formats with that extension. */
const formatsNamed = (extension: string) =>
  FORMATS.filter(({ extensions }) => extensions.includes(extension));

/** A name to save under, and a media type in lower case without parameters. */
export interface FileKind {
  name: string;
  contentType: string;
}

/**
 * Decides the name and type of a file from its declared name and media type, before there are bytes. The type
 * is the server's own name for it, or `application/octet-stream` where the bytes must tell; the name gets an
 * extension that fits. Browsers declare what their systems report, so the extension takes precedence.
 */
export function decideKind({
  name,
  contentType,
}: FileKind): FileKind | { refused: 'not-allowed' | 'conflict'; detail: string } {
  const extension = extensionOf(name);
  if (runsByName(extension))
    return {
      refused: 'not-allowed',
      detail: `Files named .${extension} are not taken: a double-click may run them`,
    };
  const named = formatsNamed(extension);
  if (isUnknownType(contentType)) return kept(name, named[0]?.type ?? UNKNOWN_TYPE);
  const declared = formatOf(contentType);
  const meant =
    named.find((format) => format === declared) ?? named.find(({ saidOf }) => saidOf?.includes(contentType));
  if (meant) return kept(name, meant.type);
  if (declared === undefined)
    return { refused: 'not-allowed', detail: `Files of the type ${contentType} are not taken` };
  const [other] = named;
  if (other === undefined) return kept(name, declared.type);
  return {
    refused: 'conflict',
    detail: `A file named .${extension} is of the type ${other.type}, not ${contentType}`,
  };
}

const kept = (name: string, contentType: string): FileKind => ({
  name: nameFor(name, contentType),
  contentType,
});

const MAX_NAME = 255;

/** Returns the name with an extension of the type. Receivers choose the program by nothing else. */
export function nameFor(name: string, contentType: string): string {
  const format = formatOf(contentType);
  if (format === undefined || format.extensions.includes(extensionOf(name))) return name;
  const ending = `.${format.extensions[0]}`;
  return `${[...name].slice(0, MAX_NAME - ending.length).join('')}${ending}`;
}
