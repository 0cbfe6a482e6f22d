import { READING_USAGE, readingCommands, readingOptions } from './audit/reading.ts';
import { SEALING_USAGE, sealingCommands, sealingOptions } from './audit/sealing.ts';
import { Misused, program } from './program.ts';

const USAGE = `Usage: npm run --silent audit -- <command> [options]
${READING_USAGE}${SEALING_USAGE}
Works on the log that the settings of the server name, whether the server runs or not.
`;

const commands = { ...readingCommands, ...sealingCommands };

await program(
  USAGE,
  { ...readingOptions, ...sealingOptions },
  async ({ values, positionals: [command = '', argument, ...rest], print }) => {
    const work = Object.hasOwn(commands, command) ? commands[command] : undefined;
    if (!work || rest.length > 0) throw new Misused();
    await work(values, argument, print);
  },
);
