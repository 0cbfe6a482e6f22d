import { Secret } from 'otpauth';

const CODES = 10;
/** 80 bits: 16 characters of base32, which nobody guesses. */
const CODE_BYTES = 10;

/** Returns ten new recovery codes like `ABCD-EFGH-IJKL-MNOP`. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: CODES }, () => new Secret({ size: CODE_BYTES }).base32.match(/.{4}/g)!.join('-'));
