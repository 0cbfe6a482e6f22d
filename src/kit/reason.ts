const UNKNOWN = 'an unknown error';

/** Returns the message of whatever was thrown or emitted. Drivers emit objects that are no errors, and errors without words. */
export function reasonOf(error: unknown): string {
  if (typeof error === 'string') return error || UNKNOWN;
  if (typeof error !== 'object' || error === null) return UNKNOWN;
  const { message, code, errors } = error as Partial<Record<'message' | 'code' | 'errors', unknown>>;
  if (message !== undefined && typeof message !== 'string') return reasonOf(message);
  if (message) return message;
  // An address with several hosts fails with an error for each.
  if (Array.isArray(errors) && errors.length > 0) return errors.map(reasonOf).join('; ');
  return typeof code === 'string' && code ? code : UNKNOWN;
}
