import { type ParseArgsConfig, parseArgs } from 'node:util';

/**
 * Parses the arguments of a script. `--help` prints the usage and ends the process with code 0; an unknown option
 * prints what is wrong and the usage, and ends it with code 2.
 */
export function argumentsOf<O extends NonNullable<ParseArgsConfig['options']>>(usage: string, options: O) {
  const config = { allowPositionals: true, options } as const;
  try {
    const help = { help: { type: 'boolean', short: 'h' } } as const;
    const { values } = parseArgs({ ...config, options: { ...options, ...help } });
    if ((values as { help?: boolean }).help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    return parseArgs(config);
  } catch (error) {
    const [reason] = (error as Error).message.split('. ');
    process.stderr.write(`${reason}\n\n${usage}`);
    process.exit(2);
  }
}
