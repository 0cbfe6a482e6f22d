import { type ParseArgsConfig, parseArgs } from 'node:util';
import pg from 'pg';
import { BadConfig } from '../src/config.ts';
import { EventStoreUnavailable } from '../src/events/event-store.ts';
import { StorageUnavailable } from '../src/files/storage.ts';

/** What the exit code of a program says; docs/operations.md lists the codes. */
const EXIT = { failed: 1, misused: 2, unreachable: 3, bug: 70 } as const;

/** What was asked cannot be done. The message tells the operator why. */
export class Refused extends Error {
  override readonly name: string = 'Refused';
}

/** The arguments are wrong: the message tells which. Without one the usage is printed. */
export class Misused extends Refused {
  override readonly name = 'Misused';
}

type Options = NonNullable<ParseArgsConfig['options']>;
const HELP = { help: { type: 'boolean', short: 'h' } } as const;

/**
 * Parses the arguments of a program. `--help` prints the usage and ends the process with code 0; an unknown option
 * prints what is wrong and the usage, and ends it with code 2.
 */
export function argumentsOf<O extends Options>(usage: string, options: O) {
  try {
    const parsed = parseArgs({ allowPositionals: true, options: { ...options, ...HELP } });
    if ((parsed.values as { help?: boolean }).help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return parsed;
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    process.stderr.write(`${reason}\n\n${usage}`);
    process.exit(EXIT.misused);
  }
}

/** Prints a result: as lines of text, or as one line of JSON. */
export type Print = (result: object, text: string | readonly string[]) => void;

const JSON_OPTION = { json: { type: 'boolean' } } as const;
type Parsed<O extends Options> = ReturnType<typeof argumentsOf<O & typeof JSON_OPTION>>;

/**
 * Runs a program for operators: parses its arguments, to which `--json` belongs, and reports an error as one line on
 * the standard error, with the exit code that tells its kind. A stack trace is printed only with LOG_LEVEL=debug.
 */
export async function program<O extends Options>(
  usage: string,
  options: O,
  run: (asked: Parsed<O> & { print: Print }) => Promise<void>,
): Promise<void> {
  const parsed = argumentsOf(usage, { ...options, ...JSON_OPTION });
  const isJson = (parsed.values as { json?: boolean }).json ?? false;
  const print: Print = (result, text) => {
    const lines = isJson ? [JSON.stringify(result)] : typeof text === 'string' ? [text] : text;
    for (const line of lines) process.stdout.write(`${line}\n`);
  };
  // A reader such as `head` may close the pipe.
  process.stdout.on('error', () => process.exit());
  try {
    await run({ ...parsed, print });
  } catch (error) {
    process.exitCode = codeOf(error);
    const message = messageOf(error);
    if (isJson) process.stderr.write(`${JSON.stringify({ error: message, code: process.exitCode })}\n`);
    else process.stderr.write(error instanceof Misused && message === '' ? usage : `${message}\n`);
    if (/^(debug|trace)$/i.test(process.env['LOG_LEVEL'] ?? ''))
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  }
}

/** SQLSTATEs of a server that cannot be used now: connection, resources, intervention, and errors of its system. */
const UNREACHABLE_STATE = /^(?:08|53|57|58)/;
const UNREACHABLE_CODE = /^E(?:CONN|HOST|NET|TIMEDOUT|AI_AGAIN|PIPE)|^ENOTFOUND$/;
/** Errors that come from mistakes in the program, unless they have a code. */
const BUGS = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'ZodError']);

function codeOf(error: unknown): number {
  if (!(error instanceof Error)) return EXIT.bug;
  if (error instanceof Misused || error instanceof BadConfig) return EXIT.misused;
  if (error instanceof EventStoreUnavailable || error instanceof StorageUnavailable) return EXIT.unreachable;
  const code = 'code' in error ? String(error.code) : '';
  const isState = error instanceof pg.DatabaseError ? UNREACHABLE_STATE : UNREACHABLE_CODE;
  if (isState.test(code)) return EXIT.unreachable;
  return code === '' && BUGS.has(error.name) ? EXIT.bug : EXIT.failed;
}

/** Returns an error as one line, with what caused it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node reports several failed addresses of one host together, with an empty message.
  const message =
    error.message === '' && error instanceof AggregateError
      ? error.errors.map((each) => (each as Error).message).join('; ')
      : error.message;
  const { cause } = error;
  const isTold = !(cause instanceof Error) || message.includes(cause.message);
  const whole = isTold ? message : `${message}: ${cause.message}`;
  return codeOf(error) === EXIT.bug ? `unexpected ${error.name}: ${whole}` : whole;
}

/** Returns text from others for a terminal, without control characters, in one line. */
export const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

/** Returns a number as people read it. */
export const count = (n: number): string => Math.round(n).toLocaleString('en');
