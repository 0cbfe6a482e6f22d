import { type DestinationStream, destination as fileDestination, type Logger, pino } from 'pino';

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

/**
 * JSON lines to stdout, written before the call returns, so that the last words of a crash are not lost.
 * Passwords, tokens and addresses are cut out in the first two levels of what is logged.
 */
export function createLogger(options: { level: string; destination?: DestinationStream }): Logger {
  const { level, destination = fileDestination({ dest: 1, sync: true }) } = options;
  const redact = { paths: SECRETS.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' };
  return pino(
    { level, serializers, redact, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination,
  );
}
