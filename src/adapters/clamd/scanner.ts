import { randomBytes } from 'node:crypto';
import { type Socket, connect } from 'node:net';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Logger } from 'pino';
import { type ScanVerdict, type Scanner, ScannerUnavailable } from '../../files/inspect/scanner.ts';
import { createSemaphore } from '../../kit/semaphore.ts';
import { reasonOf } from '../../kit/reason.ts';

/** The address of clamd. */
type ClamdAddress = { host: string; port: number } | { path: string };

/** The answer of clamd. `early` is true if it came before everything was sent. */
interface Answer {
  text: string;
  early: boolean;
}

/** Size of a chunk; clamd reads each as a whole into memory. */
const MAX_CHUNK = 65_536;
/** clamd answers with one line: the name of a stream and that of a signature. */
const MAX_ANSWER = 1_024;
/** Longest time without progress while bytes are sent. */
const IDLE_MS = 30_000;

/** Parses `tcp://host:port` (3310 if it has none) or `unix:///path`. */
function clamdAddress(url: string): ClamdAddress {
  const { protocol, hostname, port, pathname } = new URL(url);
  return protocol === 'unix:'
    ? { path: decodeURIComponent(pathname) }
    : { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 3310) };
}

/**
 * Sends a command, with bytes for INSTREAM, as clamd(8) describes. Resolves with the one line that comes back
 * before clamd closes the connection. Rejects with `ScannerUnavailable` for everything else that happens to
 * the connection, with the signal's reason, or with the error of `bytes`. Always destroys `bytes`.
 */
async function askClamd(
  address: ClamdAddress,
  question: { command: string; bytes?: Readable; signal: AbortSignal },
): Promise<Answer> {
  const { command, bytes, signal } = question;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const unavailable = (why: string, cause?: unknown) => reject(new ScannerUnavailable(why, { cause }));
  const aborted = () => reject(signal.reason);
  const socket = connect(address);
  let isSent = bytes === undefined;
  let answer: Answer | undefined;
  socket.setEncoding('latin1');
  socket.setTimeout(IDLE_MS, () => unavailable('clamd reads nothing'));
  socket.on('error', (err) => unavailable('clamd cannot be reached', err));
  socket.on('data', (chunk: string) => {
    answer ??= { text: '', early: !isSent };
    answer.text += chunk;
    if (answer.text.length > MAX_ANSWER) unavailable('clamd says too much');
  });
  socket.on('close', () => unavailable('clamd closed the connection without an answer'));
  socket.on('end', () => {
    const isOneLine = answer !== undefined && answer.text.indexOf('\0') === answer.text.length - 1;
    if (isOneLine) resolve({ text: answer!.text.slice(0, -1), early: answer!.early });
    else unavailable('clamd closed the connection without one answer');
  });
  signal.addEventListener('abort', aborted, { once: true });
  try {
    socket.write(`z${command}\0`);
    if (bytes) {
      const sending = sendChunks(socket, bytes, () => answer !== undefined);
      sending.then((isAll) => (isSent ||= isAll) && socket.setTimeout(0)).catch(reject);
    }
    return await promise;
  } finally {
    signal.removeEventListener('abort', aborted);
    socket.destroy();
    // Errors of the abandoned stream do not matter.
    bytes?.on('error', () => undefined).destroy();
  }
}

/** Sends bytes until clamd answers. Resolves with true if all were sent. */
async function sendChunks(socket: Socket, bytes: Readable, isAnswered: () => boolean): Promise<boolean> {
  for await (const piece of bytes as AsyncIterable<Buffer>)
    for (let at = 0; at < piece.length; at += MAX_CHUNK) {
      if (isAnswered() || socket.destroyed) return false;
      const chunk = piece.subarray(at, at + MAX_CHUNK);
      socket.write(lengthOf(chunk.length));
      if (!socket.write(chunk)) await drained(socket);
    }
  if (isAnswered() || socket.destroyed) return false;
  socket.write(lengthOf(0));
  return true;
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });

function lengthOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

/** clamd limits its setting `MaxRecursion` to 100, so no configuration looks this deep. */
const DEEPER_THAN_ANY_LIMIT = 101;
const FLAG_ENCRYPTED = 1;

/**
 * Returns the EICAR test file (eicar.org), which every scanner must find. It is assembled at run time, or the
 * scanners of developers' machines would find this source.
 */
const eicar = (): Buffer =>
  Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS', '-TEST-FILE!$H+H*'].join(''));

/** The answers that clamd must give to each, without which its "OK" means too little. */
const probes: { bytes: () => Buffer; answer: RegExp; complaint: string }[] = [
  {
    bytes: eicar,
    answer: /^stream: .+ FOUND$/,
    complaint: 'clamd does not find the EICAR test file: it has no signatures',
  },
  {
    bytes: () => storedZip('a', randomBytes(16), FLAG_ENCRYPTED),
    answer: /^stream: Heuristics\.Encrypted\./,
    complaint: 'clamd takes encrypted archives for clean: set AlertEncrypted yes',
  },
  {
    bytes: nested,
    answer: /^stream: Heuristics\.Limits\.Exceeded/,
    complaint: 'clamd takes what is past its limits for clean: set AlertExceedsMax yes',
  },
];

/**
 * Resolves once clamd has proved that it finds a virus, looks inside archives, and reports when it cannot.
 * Rejects with a `ScannerUnavailable` that names the wrong setting.
 */
async function proveClamd(address: ClamdAddress, signal: AbortSignal): Promise<void> {
  for (const { bytes, answer, complaint } of probes) {
    const { text } = await askClamd(address, {
      command: 'INSTREAM',
      bytes: Readable.from([bytes()]),
      signal,
    });
    if (!answer.test(text)) throw new ScannerUnavailable(complaint);
  }
}

/** Random bytes at the bottom, because clamd caches clean results. */
function nested(): Buffer {
  let bytes = randomBytes(16);
  for (let depth = 0; depth < DEEPER_THAN_ANY_LIMIT; depth += 1) bytes = storedZip('a.zip', bytes, 0);
  return bytes;
}

/** Returns an uncompressed archive of one member, as in PKWARE's APPNOTE.TXT 4.3. */
function storedZip(name: string, bytes: Buffer, flags: number): Buffer<ArrayBuffer> {
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(flags, 2);
  common.writeUInt32LE(crc32(bytes), 10);
  common.writeUInt32LE(bytes.length, 14);
  common.writeUInt32LE(bytes.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), bytes]);
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\x00'),
    common,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

/** clamd runs 10 at a time by default (MaxThreads); the other two answer `failure`. */
const AT_ONCE = 8;
const PROOF_HOLDS_MS = 60_000;
const PROOF_DEADLINE_MS = 10_000;
const FAILURE_DEADLINE_MS = 2_000;
const OLD_SIGNATURES_MS = 48 * 3_600_000;

/**
 * Creates a scanner that uses clamd's INSTREAM command. It trusts an "OK" only after clamd has proved, within
 * the last minute and since the last failure, that it finds a test virus and reports encrypted archives and
 * its own limits. clamd's `StreamMaxLength` must cover the largest file, or such a file is never scanned.
 */
export function createClamdScanner(options: {
  /** `tcp://host:port` or `unix:///path`. */
  url: string;
  log: Logger;
  /** Time limit of one scan, from its start. */
  deadlineMs?: number;
}): Scanner {
  const { url, log, deadlineMs = 120_000 } = options;
  const address = clamdAddress(url);
  const places = createSemaphore(AT_ONCE);
  let proof: { at: number; done: Promise<void> } | undefined;

  /** Runs one proof at a time, for all that wait. A failed one is not kept. */
  function proven(): Promise<void> {
    if (proof && performance.now() - proof.at < PROOF_HOLDS_MS) return proof.done;
    const started = {
      at: performance.now(),
      done: deadline(PROOF_DEADLINE_MS, (s) => proveClamd(address, s)),
    };
    proof = started;
    started.done.catch((err: unknown) => {
      if (proof === started) proof = undefined;
      log.warn({ err }, 'clamd is unreachable or does not find its test virus; files wait');
    });
    return started.done;
  }

  async function scanNow(bytes: Readable, signal: AbortSignal): Promise<ScanVerdict> {
    try {
      return await deadline(
        deadlineMs,
        async (inTime) => {
          await proven();
          return verdictOf(await askClamd(address, { command: 'INSTREAM', bytes, signal: inTime }));
        },
        signal,
      );
    } catch (err) {
      if (err instanceof ScannerUnavailable) proof = undefined;
      throw err;
    }
  }

  return {
    scan: (bytes, signal) => places.run(() => scanNow(bytes, signal), signal),

    async failure() {
      try {
        return await deadline(FAILURE_DEADLINE_MS, async (signal) => {
          const { text } = await askClamd(address, { command: 'VERSION', signal });
          await proven();
          return complaintOf(text);
        });
      } catch (err) {
        proof = undefined;
        return reasonOf(err);
      }
    },
  };
}

/**
 * Parses clamd's answers about a stream that it read to its end. Throws `ScannerUnavailable` for any other
 * answer.
 */
function verdictOf({ text, early }: Answer): ScanVerdict {
  if (text === 'stream: OK' && !early) return { verdict: 'clean' };
  const signature = /^stream: ([\x21-\x7e]{1,200}) FOUND$/.exec(text)?.[1];
  if (signature === undefined)
    throw new ScannerUnavailable(`clamd does not answer as it should: ${readable(text)}`);
  if (signature.startsWith('Heuristics.Encrypted.')) return { verdict: 'refused', reason: 'encrypted' };
  if (signature.startsWith('Heuristics.Limits.Exceeded'))
    return { verdict: 'refused', reason: 'archive-too-deep' };
  return { verdict: 'infected', signature };
}

/**
 * Returns a complaint about old signatures. Official databases have a date, in the time zone of clamd's
 * machine; custom databases have none.
 */
function complaintOf(version: string): string | undefined {
  const [program = '', , date] = version.split('/');
  if (!/^ClamAV \d/.test(program)) return `clamd does not say its version: ${readable(version)}`;
  if (date === undefined) return undefined;
  const age = Date.now() - Date.parse(`${date} UTC`);
  // An unreadable date does not prove that they are new.
  return age < OLD_SIGNATURES_MS
    ? undefined
    : `the signatures of clamd are older than 48 hours: ${readable(date)}`;
}

const readable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);

/** Runs `work`. Rejects with `ScannerUnavailable` when it takes longer, and with the signal's reason on an abort. */
async function deadline<T>(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const giveUp = (reason: unknown) => {
    controller.abort(reason);
    reject(reason);
  };
  const aborted = () => giveUp(signal?.reason);
  const late = new ScannerUnavailable(`clamd has not answered within ${milliseconds} ms`);
  const timer = setTimeout(giveUp, milliseconds, late);
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    signal?.throwIfAborted();
    return await Promise.race([work(controller.signal), over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}
