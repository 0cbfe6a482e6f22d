import closeWithGrace from 'close-with-grace';
import { compose } from './compose.ts';
import { BadConfig, readConfig } from './config.ts';
import { createLogger, linesForPeople, logOutput } from './adapters/pino/logger.ts';
import { npmGone } from './adapters/os/npm-gone.ts';

/** Maximum time for the whole shutdown. Process supervisors commonly grant that much. */
const SHUTDOWN_MS = 25_000;

function configOrExit() {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof BadConfig)) throw error;
    for (const line of error.lines) process.stderr.write(`${line}\n`);
    process.exit(1);
  }
}

const config = configOrExit();
const { stdout } = process;
const output = logOutput(
  stdout,
  // Whether there are colours depends on NO_COLOR and the terminal.
  stdout.isTTY ? await linesForPeople({ colorize: stdout.hasColors() }) : undefined,
);
const log = createLogger({ level: config.logLevel, destination: output });
const orphaned = npmGone(process.env);
const starting = compose(config, log, { lostLines: output.lost });
let isStopping = false;

const { close } = closeWithGrace({ delay: SHUTDOWN_MS, logger: false }, async ({ signal, manual, err }) => {
  isStopping = true;
  if (err) log.fatal({ err }, 'stopping after an unexpected error');
  else log.info({ signal: manual ? 'npm is gone' : signal }, 'stopping');
  // A start in progress is finished first, so that nothing of it is left behind.
  await (await starting).stop();
  log.info('stopped');
});
// Ctrl-C ends npm and reaches this process too, which is then stopping already.
void orphaned.then(() => (isStopping ? undefined : close()));

try {
  const { failed } = await starting;
  void failed.then((err) => {
    log.fatal({ err }, err.message);
    process.exit(1);
  });
} catch (err) {
  log.fatal({ err }, err instanceof Error ? err.message : 'could not start');
  log.info('stopped');
  process.exit(1);
}
