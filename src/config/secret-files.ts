import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';

const MAX_BYTES = 65_536;

/** Reads a file. Throws an error whose message continues `<name> …`, without the content. */
function contentOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new Error(`names something that is not a file: ${path}`);
    if (stats.size > MAX_BYTES) throw new Error(`names a file of more than ${MAX_BYTES} bytes: ${path}`);
    const text = readFileSync(file, 'utf8').trim();
    if (text === '') throw new Error(`names an empty file: ${path}`);
    return text;
  } finally {
    closeSync(file);
  }
}

function reasonOf(error: unknown, path: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : `names a file that cannot be read (${code}): ${path}`;
}

/**
 * Reads each setting of `names` whose file `<name>_FILE` is given. Returns the values, and one line for each file that
 * is of no use, or is given along with its setting.
 */
export function readSecretFiles(given: Readonly<Record<string, string>>, names: readonly string[]) {
  const values: Record<string, string> = {};
  const faults: string[] = [];
  for (const name of names) {
    const setting = `${name}_FILE`;
    const path = given[setting];
    if (path === undefined) continue;
    if (given[name] !== undefined) {
      faults.push(`${setting} must not be set along with ${name}`);
      continue;
    }
    try {
      values[name] = contentOf(path);
    } catch (error) {
      faults.push(`${setting} ${reasonOf(error, path)}`);
    }
  }
  return {
    values,
    faults,
    /** Returns the line about a bad value. It names the file, and does not show the content. */
    lineOf: (name: string, message: string): string =>
      values[name] === undefined
        ? `${name} ${message}`
        : `${name}_FILE: the content ${message.split(', not ')[0]}`,
  };
}
