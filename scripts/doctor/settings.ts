import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from '../../src/config.ts';
import { type Finding, fault, isHere, ok, warning } from './finding.ts';

const MIB = 1_048_576;
/** Ranges of proxies that hold more hosts than proxies: shorter than this many bits. */
const NARROW_BITS = { v4: 16, v6: 48 };

/** Looks at the settings alone: keys, addresses, proxies. */
export function settingsFindings(config: Config): Finding[] {
  return [...keyFindings(config), ...addressFindings(config)];
}

function keyFindings({ masterKeys, databaseUrl, jwt, seal, roles }: Config): Finding[] {
  const findings = [
    masterKeys.length > 0
      ? ok('key: MASTER_KEY', 'set')
      : warning(
          'key: MASTER_KEY',
          databaseUrl === undefined
            ? 'made by the server, in DATA_DIR beside what it protects'
            : 'made by the server, in the database that it is to protect',
          'make one with "npm run admin -- create-master-key", keep it elsewhere, and set it: docs/privacy.md',
        ),
    jwt.privateKey === undefined
      ? warning(
          'key: JWT_PRIVATE_KEY',
          'made by the server, in the database: whoever reads a backup can sign tokens',
          'set it, or change it after a backup was lost, with "npm run admin -- rotate-key": docs/keys.md',
        )
      : ok('key: JWT_PRIVATE_KEY', 'set'),
  ];
  if (roles.has('sealer'))
    findings.push(
      seal.privateKey === undefined
        ? warning(
            'key: SEAL_PRIVATE_KEY',
            'made by the server, in DATA_DIR',
            'set it, for the sealer alone: docs/audit.md',
          )
        : ok('key: SEAL_PRIVATE_KEY', 'set'),
    );
  return findings;
}

function addressFindings({ publicUrl, trustedProxies }: Config): Finding[] {
  const findings: Finding[] = [];
  const check = 'PUBLIC_URL';
  if (publicUrl === undefined)
    findings.push(
      warning(check, 'not set', 'set the address that clients use: links in mails begin with it'),
    );
  else if (new URL(publicUrl).protocol === 'https:') findings.push(ok(check, publicUrl));
  else if (isHere(new URL(publicUrl).hostname))
    findings.push(ok(check, `${publicUrl}, on this machine only`));
  else
    findings.push(
      fault(
        check,
        `${publicUrl} is not encrypted`,
        'put TLS in front, and set it to https://…: docs/deployment.md',
      ),
    );
  const wide = trustedProxies.filter(isWide);
  if (wide.length > 0)
    findings.push(
      warning(
        'TRUSTED_PROXIES',
        `${wide.join(', ')} holds more than proxies: each host there may claim any client's address`,
        'name the addresses of the proxies, and of nothing else',
      ),
    );
  else if (trustedProxies.length === 0 && publicUrl?.startsWith('https:'))
    findings.push(
      warning(
        'TRUSTED_PROXIES',
        'not set, though a proxy ends TLS: all clients share one limit',
        'name the addresses of the proxies',
      ),
    );
  else findings.push(ok('TRUSTED_PROXIES', trustedProxies.join(', ') || 'none'));
  return findings;
}

function isWide(range: string): boolean {
  if (range === 'uniquelocal') return true;
  const [address = '', length] = range.split('/');
  if (length === undefined) return false;
  if (address.includes(':')) return Number(length) < NARROW_BITS.v6;
  const bits = length.includes('.')
    ? length.split('.').reduce((sum, byte) => sum + Number(byte).toString(2).replaceAll('0', '').length, 0)
    : Number(length);
  return bits < NARROW_BITS.v4;
}

/** Looks at the disk of the data folder, or of the folder that will hold it. */
export async function diskFindings({ dataDir, minFreeDiskBytes }: Config): Promise<Finding[]> {
  let folder = resolve(dataDir);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${Math.floor(free / MIB)} MiB free in ${folder}`;
  const remedy = 'make room: below MIN_FREE_DISK_MIB no uploads are taken';
  if (free < minFreeDiskBytes) return [fault('disk', detail, remedy)];
  if (free < 2 * minFreeDiskBytes) return [warning('disk', detail, remedy)];
  return [ok('disk', detail)];
}
