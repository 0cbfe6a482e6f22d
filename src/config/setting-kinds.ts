import { createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';

const wholeNumberIn = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${from} to ${to}`)
    .transform(Number)
    // A wrong number stops the checks of settings that depend on it.
    .refine((n) => n >= from && n <= to, {
      error: `must be a whole number from ${from} to ${to}`,
      abort: true,
    });

export const wholeNumber = (from: number, to: number, standard: number) =>
  wholeNumberIn(from, to).default(standard);

export const optionalNumber = (from: number, to: number) => wholeNumberIn(from, to).optional();

export const list = (isValid: (item: string) => boolean, message: string) =>
  z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    // A wrong list stops the checks of settings that depend on it.
    .refine((items) => items.every(isValid), { error: message, abort: true })
    .transform((items): readonly string[] => Object.freeze(items))
    .default(Object.freeze([]));

export const isUrl = (text: string, ...protocols: string[]) =>
  URL.canParse(text) && protocols.includes(new URL(text).protocol);

/** Returns true for an origin as browsers send it: scheme, host and port only. */
export const isOrigin = (text: string) => isUrl(text, 'http:', 'https:') && new URL(text).origin === text;

export function isAddressOrRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

export function isEd25519(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

export const url = (...protocols: string[]) =>
  z
    .string()
    .refine((text) => isUrl(text, ...protocols), `must be a URL with ${protocols.join(' or ')}`)
    .optional();

export const vapidKey = (bytes: number) =>
  z
    .string()
    .refine((key) => Buffer.from(key, 'base64url').length === bytes, `must be ${bytes} bytes in base64url`)
    .optional();
