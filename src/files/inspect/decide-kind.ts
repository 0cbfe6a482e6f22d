import { UNKNOWN_TYPE, formatOf, isUnknownType } from './content-types.ts';
import { FORMATS } from './formats.ts';
import { runsByName } from './programs.ts';

/** What follows the last dot of a name, in lower case; empty when there is none. */
const extensionOf = (name: string): string => /(?<=.)\.([^.]+)$/su.exec(name)?.[1]?.toLowerCase() ?? '';

/** The formats whose files have such a name. */
const formatsNamed = (extension: string) =>
  FORMATS.filter(({ extensions }) => extensions.includes(extension));

/** A name that can be saved under, and a media type in lower case without parameters. */
export interface FileKind {
  name: string;
  contentType: string;
}

/**
 * Decides by the name and the media type that was declared, before there are bytes, what a file is to be called: its type by
 * the name that this server has for it, or `application/octet-stream` where the bytes have to tell; its name with an
 * extension that fits. What browsers declare is what their systems say, so the extension goes before it.
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

/** The name with an extension that files of the type have: a receiver opens the file by nothing else. */
export function nameFor(name: string, contentType: string): string {
  const format = formatOf(contentType);
  if (format === undefined || format.extensions.includes(extensionOf(name))) return name;
  const ending = `.${format.extensions[0]}`;
  return `${[...name].slice(0, MAX_NAME - ending.length).join('')}${ending}`;
}
