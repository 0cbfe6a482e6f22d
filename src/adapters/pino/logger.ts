import type { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';

const SECRETS = ['password', 'token', 'accessToken', 'refreshToken', 'authorization', 'email'];

/** Only what is named here of a request, a response or an error is ever written: a new field is not logged by chance. */
const serializers = {
  req: (req: { method?: string; url?: string; ip?: string; socket?: { remoteAddress?: string } }) => ({
    method: req.method,
    path: req.url?.split(/[?#]/, 1)[0],
    remoteAddress: req.ip ?? req.socket?.remoteAddress,
  }),
  res: (res: { statusCode?: number }) => ({ statusCode: res.statusCode }),
  err: describeError,
};

interface ErrorFacts {
  type: string;
  message: string;
  stack?: string | undefined;
  code?: string | undefined;
  cause?: ErrorFacts;
}

/** Causes are followed so deep; an error may be its own cause. */
const MAX_CAUSES = 4;

function describeError(error: unknown, depth = 0): ErrorFacts {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an Error' };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(typeof code === 'string' && { code }),
    ...(error.cause !== undefined && depth < MAX_CAUSES && { cause: describeError(error.cause, depth + 1) }),
  };
}

/** What may wait for a reader of the log: about a thousand lines. */
const MAX_WAITING_BYTES = 256 * 1024;

export interface LogOutput extends DestinationStream {
  /** Lines that were lost because nobody read. */
  lost(): number;
}

/**
 * Writes lines to a stream such as stdout, and never waits for whoever reads it: while too much is unread, lines are lost and
 * counted. As long as somebody reads, a line is written before the call returns, so the last words of a crash are not lost.
 */
export function logOutput(stream: Writable): LogOutput {
  let lost = 0;
  // A reader that has gone for good.
  stream.on('error', () => (lost += 1));
  return {
    write(line) {
      if (stream.writableLength > MAX_WAITING_BYTES) lost += 1;
      else stream.write(line);
    },
    lost: () => lost,
  };
}

/**
 * JSON lines, to stdout by default. Passwords, tokens and addresses are cut out in the first two levels of what is logged.
 */
export function createLogger({
  level,
  destination = logOutput(process.stdout),
}: {
  level: string;
  destination?: DestinationStream;
}): Logger {
  const redact = { paths: SECRETS.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' };
  return pino(
    { level, serializers, redact, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination,
  );
}
