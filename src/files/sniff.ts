import { isArchiveType, isImageType, isTextType } from './content-types.ts';
import { createArchiveCheck } from './sniff-archive.ts';
import type { Check } from './sniff-check.ts';
import { createImageCheck } from './sniff-image.ts';
import { createPolyglotCheck } from './sniff-polyglot.ts';
import { createTextCheck } from './sniff-text.ts';
import { createTypeCheck } from './sniff-type.ts';

/** What has to be looked at in bytes that are declared to be of that type. */
export function checksOf(contentType: string): Check[] {
  const checks = [createTypeCheck(contentType)];
  if (isTextType(contentType)) checks.push(createTextCheck());
  else if (isArchiveType(contentType)) checks.push(createArchiveCheck());
  else checks.push(createPolyglotCheck(contentType));
  if (isImageType(contentType)) checks.push(createImageCheck(contentType));
  return checks;
}
