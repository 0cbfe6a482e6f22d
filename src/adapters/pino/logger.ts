import type { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino } from 'pino';

const SECRETS = ['password', 'token', 'accessToken', 'refreshToken', 'authorization', 'email'];

/** Only these fields of a request, a response or an error are ever logged. A new field is not logged by accident. */
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

/** Depth to which causes are followed; an error may be its own cause. */
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

/** Size of the unread output: about a thousand lines. */
const MAX_WAITING_BYTES = 256 * 1024;

export interface LogOutput extends DestinationStream {
  /** Returns the number of lines lost because they were not read. */
  lost(): number;
}

/**
 * Writes lines to a stream such as stdout, and never waits for its reader: while too much is unread, lines
 * are lost and counted. While the reader keeps up, a line is written before the call returns, so the last
 * lines of a crash are not lost. `render` changes each line first.
 */
export function logOutput(stream: Writable, render = (line: string) => line): LogOutput {
  let lost = 0;
  // The reader is gone for good.
  stream.on('error', () => (lost += 1));
  return {
    write(line) {
      if (stream.writableLength > MAX_WAITING_BYTES) lost += 1;
      else stream.write(render(line));
    },
    lost: () => lost,
  };
}

/** Loads what turns JSON lines into text for people. */
export async function linesForPeople({ colorize }: { colorize: boolean }): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const readable = prettyFactory({ colorize, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });
  return (line) => readable(line);
}

/**
 * Creates a logger of JSON lines, to stdout by default. Passwords, tokens and addresses are removed in the
 * first two levels of what is logged.
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
    {
      level,
      serializers,
      redact,
      formatters: { level: (name) => ({ level: name }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    destination,
  );
}
