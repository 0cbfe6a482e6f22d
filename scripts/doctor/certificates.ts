import { readFile } from 'node:fs/promises';
import { type Socket, connect as connectPlain } from 'node:net';
import { type ConnectionOptions, type PeerCertificate, type TLSSocket, connect } from 'node:tls';
import type { Config } from '../../src/config.ts';
import { parseServerUrl } from '../../src/kit/server-url.ts';
import { reasonOf } from '../../src/kit/reason.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;
const ANSWER_MS = 5_000;

/** Judges how long a certificate is valid. */
export function validity(check: string, { valid_to: end }: PeerCertificate, now = Date.now()): Finding {
  const days = Math.floor((Date.parse(end) - now) / DAY_MS);
  const remedy = 'renew it, and let the server behind it read the new one';
  if (days < 0) return fault(check, `expired on ${end}`, remedy);
  return days < SOON_DAYS
    ? warning(check, `expires in ${days} days`, remedy)
    : ok(check, `expires in ${days} days`);
}

interface Secured {
  check: string;
  host: string;
  port: number;
  caFile?: string | undefined;
  /** True for a mail server that begins without TLS. */
  isUpgraded?: boolean;
}

/** Connects to everything that speaks TLS but PostgreSQL, and reads the certificates. */
export async function certificateFindings(config: Config): Promise<Finding[]> {
  const found = await Promise.all(securedBy(config).map(certificateFinding));
  return found.flat();
}

function securedBy({
  redisUrl,
  redisCaFile,
  amqpUrl,
  amqpCaFile,
  smtpUrl,
  s3,
  publicUrl,
}: Config): Secured[] {
  const secured: Secured[] = [];
  const add = (name: string, url: string | undefined, schemes: Record<string, number>, rest = {}) => {
    const parsed = url === undefined ? undefined : parseServerUrl(url);
    const port = parsed && schemes[parsed.scheme];
    if (!parsed || port === undefined) return;
    for (const { host, port: given = port } of parsed.hosts)
      secured.push({
        check: `${name}: certificate`,
        host: host.replace(/^\[|\]$/g, ''),
        port: given,
        ...rest,
      });
  };
  add('redis', redisUrl, { rediss: 6_379, 'rediss+sentinel': 26_379 }, { caFile: redisCaFile });
  add('rabbitmq', amqpUrl, { amqps: 5_671 }, { caFile: amqpCaFile });
  add('mail', smtpUrl, { smtps: 465 });
  add('mail', smtpUrl, { smtp: 587 }, { isUpgraded: true });
  add('s3', s3?.endpoint, { https: 443 });
  add('PUBLIC_URL', publicUrl, { https: 443 });
  return secured;
}

async function certificateFinding({ check, host, port, caFile, isUpgraded }: Secured): Promise<Finding[]> {
  const remedy = 'see docs/tls.md';
  try {
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile) };
    const plain = isUpgraded ? await upgraded(host, port) : undefined;
    // A mail server that offers no STARTTLS has no certificate.
    if (isUpgraded && plain === undefined) return [];
    const socket = await handshake({
      ...{ host, port, servername: /^[\d.:]+$/.test(host) ? '' : host, rejectUnauthorized: false, ...ca },
      ...(plain && { socket: plain }),
    });
    const { authorized, authorizationError } = socket;
    const certificate = socket.getPeerCertificate();
    socket.destroy();
    const found = validity(check, certificate);
    if (authorized || found.status === 'fault') return [found];
    return [fault(check, `is not proved: ${reasonOf(authorizationError)}`, remedy)];
  } catch (error) {
    return [
      warning(
        check,
        `could not be read at ${host}:${port}: ${reasonOf(error)}`,
        'can this machine reach it?',
      ),
    ];
  }
}

function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => resolve(socket));
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
    socket.on('error', reject);
  });
}

/** Asks a mail server for STARTTLS (RFC 3207). Resolves with undefined when it does not offer it. */
async function upgraded(host: string, port: number): Promise<Socket | undefined> {
  const socket = connectPlain({ host, port });
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
  try {
    await answer(socket);
    const offered = await answer(socket, 'EHLO doctor');
    if (!/^250[ -]STARTTLS\r?$/im.test(offered)) {
      socket.destroy();
      return undefined;
    }
    await answer(socket, 'STARTTLS');
    socket.setTimeout(0);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Sends a command. Resolves with the whole answer, whose last line has a space after its code. */
function answer(socket: Socket, command?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = (settle: () => void) => {
      socket.off('data', hear).off('error', reject).off('close', closed);
      settle();
    };
    const closed = () => done(() => reject(new Error('the connection was closed')));
    const hear = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!/^\d{3} .*\r\n$/m.test(text)) return;
      done(() => (/^[23]/.test(text) ? resolve(text) : reject(new Error(text.trim()))));
    };
    socket.on('data', hear).on('error', reject).on('close', closed);
    if (command !== undefined) socket.write(`${command}\r\n`);
  });
}
