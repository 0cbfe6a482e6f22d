import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { ScannerUnavailable } from '../../files/inspect/scanner.ts';

/** The address of clamd. */
export type ClamdAddress = { host: string; port: number } | { path: string };

/** The answer of clamd. `early` is true if it came before everything was sent. */
export interface Answer {
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
export function clamdAddress(url: string): ClamdAddress {
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
export async function askClamd(
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
