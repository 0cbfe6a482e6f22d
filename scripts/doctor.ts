import { createLogger } from '../src/adapters/pino/logger.ts';
import { readConfig } from '../src/config.ts';
import { certificateFindings } from './doctor/certificates.ts';
import { type Finding, look, ok } from './doctor/finding.ts';
import {
  eventStoreDbFindings,
  mailFindings,
  rabbitmqFindings,
  redisFindings,
  scannerFindings,
} from './doctor/neighbours.ts';
import { postgresFindings } from './doctor/postgres.ts';
import { diskFindings, settingsFindings } from './doctor/settings.ts';
import { backupFindings, storageFindings } from './doctor/storage.ts';
import { Misused, Refused, plain, program } from './program.ts';

const USAGE = `Usage: npm run doctor -- [options]

Looks at a deployment as the settings of the server describe it, and prints a line for each thing: ok, warning or fault,
with what to do. Changes nothing but probes of its own, which it removes. Ends with code 1 when there is a fault.

  --backup <place>   where backups are, a path or s3://bucket/folder, by default BACKUP_URL: tells the age of the newest
  --processes <n>    how many processes share the database, by default 1, or 12 with REDIS_URL
  --json             prints the result as JSON

Run it with the settings of each role: docker compose exec worker node scripts/doctor.ts
`;

/** Two of each role. */
const PROCESSES_OF_A_CLUSTER = 12;

function processesOf(given: string | undefined, isCluster: boolean): number {
  if (given === undefined) return isCluster ? PROCESSES_OF_A_CLUSTER : 1;
  if (!/^[1-9]\d{0,3}$/.test(given)) throw new Misused(`--processes must be a number, not ${given}`);
  return Number(given);
}

function linesOf(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings.map(({ status, check, detail, remedy }) => {
    const line = `${status.padEnd(7)}  ${check.padEnd(width)}  ${detail}`;
    // Text from another server may contain terminal control sequences.
    return plain(remedy === undefined ? line : `${line} → ${remedy}`);
  });
}

await program(
  USAGE,
  { backup: { type: 'string' }, processes: { type: 'string' } },
  async ({ values, positionals, print }) => {
    if (positionals.length > 0) throw new Misused();
    const config = readConfig(process.env);
    const processes = processesOf(values.processes, config.redisUrl !== undefined);
    const log = createLogger({ level: 'silent' });
    const found = await Promise.all([
      look('disk', 'check DATA_DIR', () => diskFindings(config)),
      look('postgresql', 'check DATABASE_URL, and whether PostgreSQL runs', () =>
        postgresFindings(processes),
      ),
      look('eventstoredb', 'check EVENTSTOREDB_URL, and whether the servers run', () =>
        eventStoreDbFindings(config, log),
      ),
      look('redis', 'check REDIS_URL', () => redisFindings(config)),
      look('rabbitmq', 'check AMQP_URL', () => rabbitmqFindings(config, log)),
      look('storage', 'check the settings of S3', () => storageFindings(config)),
      look('clamd', 'check CLAMD_URL', () => scannerFindings(config, log)),
      look('mail', 'check SMTP_URL', () => mailFindings(config, log)),
      look('certificates', 'check the files of authorities', () => certificateFindings(config)),
      look('backup', 'can it be read?', () => backupFindings(config, values.backup)),
    ]);
    const findings = [ok('node', process.version), ...settingsFindings(config), ...found.flat()];
    print({ findings }, linesOf(findings));
    const faults = findings.filter(({ status }) => status === 'fault').length;
    if (faults > 0) throw new Refused(`${faults} ${faults === 1 ? 'fault' : 'faults'}`);
  },
);
