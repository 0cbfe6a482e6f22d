import { Secret, TOTP } from 'otpauth';

/** RFC 6238 with the parameters that every authenticator app supports. */
const ALGORITHM = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** Number of steps that the clocks of an authenticator and of this server may differ. */
const WINDOW = 1;
/** RFC 4226 §4 recommends 160 bits. */
const SECRET_BYTES = 20;

/** Returns a new secret, in base32. */
export const newTotpSecret = (): string => new Secret({ size: SECRET_BYTES }).base32;

/** Returns the URL that an authenticator app reads, usually from a QR code. `secret` is in base32. */
export const otpauthUrl = ({ secret, ...names }: { issuer: string; label: string; secret: string }): string =>
  new TOTP({ ...ALGORITHM, ...names, secret: Secret.fromBase32(secret) }).toString();

/** Returns the number of the time step whose code this is; undefined when it is the code of none near `now`, in ms. */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  const given = { token: code, secret: Secret.fromBase32(secret), timestamp: now, window: WINDOW };
  const delta = TOTP.validate({ ...ALGORITHM, ...given });
  return delta === null ? undefined : TOTP.counter({ period: ALGORITHM.period, timestamp: now }) + delta;
}
