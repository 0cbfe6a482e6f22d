import { randomBytes } from 'node:crypto';
import { text as readText } from 'node:stream/consumers';
import { z } from 'zod';
import { NewPassword } from '../../src/auth/credentials.ts';
import { UserId } from '../../src/events/ids.ts';
import { EmailAddress } from '../../src/auth/email-address.ts';
import { Misused, type Print } from '../program.ts';

const string = { type: 'string' } as const;
const boolean = { type: 'boolean' } as const;
export const adminOptions = {
  ...{ email: string, user: string, role: string, kms: string, 'display-name': string, session: string },
  ...{ password: string, 'password-stdin': boolean, all: boolean, totp: boolean },
  ...{
    'user-id': string,
    client: string,
    name: string,
    scopes: string,
    'public-key': string,
    'with-secret': boolean,
  },
  ...{ key: string, 'lead-minutes': string, now: boolean },
  ...{ as: string, 'print-sql': boolean, 'roles-of': string },
} as const;

export type Values = {
  [N in keyof typeof adminOptions]?: (typeof adminOptions)[N] extends typeof string ? string : boolean;
};
export interface Asked {
  values: Values;
  print: Print;
}

/** A command reads its options first, so that a mistake is reported before anything starts. */
export type Command = (asked: Asked) => Promise<void>;

/** Returns an option. Throws `Misused` when it is missing or bad. */
export function required<T>(values: Values, name: keyof Values, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(values[name]);
  if (parsed.success) return parsed.data;
  const isMissing = values[name] === undefined;
  throw new Misused(`--${name}: ${isMissing ? 'is missing' : parsed.error.issues[0]?.message}`);
}

export const emailOf = (values: Values): string => required(values, 'email', EmailAddress);

/** An account as an operator names it. */
export type AskedAccount = { email: string } | { userId: UserId };

/** Returns the account that `--email` or `--user-id` names: those of a board may have no address. */
export function accountIn(values: Values): AskedAccount {
  if (values['user-id'] === undefined) return { email: emailOf(values) };
  if (values.email !== undefined) throw new Misused('either --email or --user-id is needed');
  return { userId: UserId.parse(required(values, 'user-id', z.uuid())) };
}

/** The name of a login of PostgreSQL or EventStoreDB. */
export const LoginName = z
  .string()
  .regex(/^[\w.-]{1,63}$/, 'must be 1 to 63 letters, digits, dots, dashes or underscores');

export interface ChosenPassword {
  password: string;
  /** The password if it was made here, to show it once. */
  made?: string;
}

/** Resolves with the given password, or with a new one. Throws `Misused` for a bad one. */
export async function choosePassword(values: Values): Promise<ChosenPassword> {
  const given = values['password-stdin']
    ? (await readText(process.stdin)).replace(/\r?\n$/, '')
    : values.password;
  if (given === undefined) {
    const password = randomBytes(15).toString('base64url');
    return { password, made: password };
  }
  requireGood(NewPassword, given);
  return { password: given };
}

export function requireGood(schema: z.ZodType, password: unknown): void {
  const parsed = schema.safeParse(password);
  if (!parsed.success) throw new Misused(`password: ${parsed.error.issues[0]?.message}`);
}

/** Returns the line that shows a password that was made here. */
export const shown = ({ made }: ChosenPassword): string[] =>
  made === undefined ? [] : [`password: ${made}`];
