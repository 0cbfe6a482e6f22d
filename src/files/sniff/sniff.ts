import {
  isArchiveType,
  isCompoundType,
  isImageType,
  isOfficeType,
  isTextType,
} from '../inspect/content-types.ts';
import { createArchiveCheck } from './sniff-archive.ts';
import type { Check } from './sniff-check.ts';
import { createCompoundCheck } from './sniff-compound.ts';
import { createImageCheck } from './sniff-image.ts';
import { createPdfCheck } from './sniff-pdf.ts';
import { createPolyglotCheck } from './sniff-polyglot.ts';
import { createTextCheck } from './sniff-text.ts';
import { createTypeCheck } from './sniff-type.ts';

/** Returns the checks for bytes of that type. */
export function checksOf(contentType: string): Check[] {
  const checks = [createTypeCheck(contentType)];
  if (isTextType(contentType)) checks.push(createTextCheck());
  else if (isArchiveType(contentType)) checks.push(createArchiveCheck(contentType));
  else if (contentType === 'application/pdf') checks.push(createPdfCheck());
  else checks.push(createPolyglotCheck(contentType));
  if (isImageType(contentType)) checks.push(createImageCheck(contentType));
  if (isCompoundType(contentType) || isOfficeType(contentType)) checks.push(createCompoundCheck(contentType));
  return checks;
}
