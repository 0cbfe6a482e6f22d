import { hash } from 'node:crypto';
import { uuidv7 } from 'uuidv7';

/** The project's namespace for derived ids. Changing it would make every repetition look new. */
const NAMESPACE = Buffer.from('6f1d9b1e2c5a4e0f9a3b7c8d5e4f6a10', 'hex');

/** Returns a new UUID, version 7. These sort by creation time. */
export const newId = (): string => uuidv7();

/**
 * Returns the same UUID for the same parts, for ever: version 5, RFC 9562 §5.5. The parts are joined as JSON,
 * so that no two lists of parts produce the same name.
 */
export function deriveId(...parts: (string | number)[]): string {
  const hex = hash('sha1', Buffer.concat([NAMESPACE, Buffer.from(JSON.stringify(parts))]), 'hex');
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
