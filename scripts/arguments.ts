import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * Parses the arguments of a script. `--help` prints the usage and ends the process with code 0; an unknown option
 * prints what is wrong and the usage, and ends it with code 2.
 */
export function argumentsOf<O extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: O) {
  const help = { help: { type: 'boolean', short: 'h' } } as const;
  try {
    const parsed = parseArgs({ allowPositionals: true, options: { ...options, ...help } });
    if ((parsed.values as { help?: boolean }).help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return parsed;
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    process.stderr.write(`${reason}\n\n${usage}`);
    process.exit(2);
  }
}
