import closeWithGrace from 'close-with-grace';
import { compose } from './compose.ts';
import { BadConfig, readConfig } from './config.ts';
import { createLogger } from './platform/logger.ts';

/** The whole shutdown has to fit into what process supervisors commonly grant. */
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
const log = createLogger({ level: config.logLevel });

try {
  const app = await compose(config, log);
  closeWithGrace({ delay: SHUTDOWN_MS, logger: false }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'stopping after an unexpected error');
    else log.info({ signal }, 'stopping');
    await app.stop();
  });
} catch (err) {
  log.fatal({ err }, err instanceof Error ? err.message : 'the start failed');
  process.exit(1);
}
