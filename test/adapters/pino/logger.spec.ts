import { Writable } from 'node:stream';
import { createLogger, linesForPeople, logOutput } from '../../../src/adapters/pino/logger.ts';

const CANARY = 'canary-4f1c';

function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  log(createLogger({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } }));
  return lines.join('');
}

describe('the log', () => {
  test.each(['password', 'token', 'accessToken', 'refreshToken', 'authorization', 'email'])(
    'never contains a %s, at the top or one level down',
    (key) => {
      const text = written((logger) => {
        logger.info({ [key]: CANARY, body: { [key]: CANARY, jobId: 'seen' } }, 'hello');
        logger.child({ [key]: CANARY }).info('hello again');
      });
      expect(text).not.toContain(CANARY);
      expect(text).toContain('seen');
      expect(text.trimEnd().split('\n')).toHaveLength(2);
    },
  );

  test('contains of a request only its method, its path without the query, and the address', () => {
    const req = {
      method: 'GET',
      url: `/v1/search/messages?q=${CANARY}`,
      ip: '127.0.0.1',
      headers: { cookie: CANARY },
      body: CANARY,
    };
    const entry = JSON.parse(written((logger) => logger.info({ req }, 'asked')));
    expect(entry.req).toEqual({ method: 'GET', path: '/v1/search/messages', remoteAddress: '127.0.0.1' });
  });

  test('contains of an error its type, message, stack, code and causes, and no other properties', () => {
    const cause = Object.assign(new TypeError('the cause'), { values: [CANARY] });
    const error = Object.assign(new Error('failed', { cause }), {
      code: '23505',
      detail: CANARY,
      sql: CANARY,
    });
    const text = written((logger) => logger.error({ err: error }, 'failed'));
    expect(text).not.toContain(CANARY);
    expect(JSON.parse(text).err).toMatchObject({
      type: 'Error',
      message: 'failed',
      code: '23505',
      stack: expect.stringContaining('logger.spec'),
      cause: { type: 'TypeError', message: 'the cause' },
    });
  });

  test('survives an error that is its own cause, and a thrown value that is not an error', () => {
    const error = new Error('round');
    error.cause = error;
    expect(written((logger) => logger.error({ err: error }))).toContain('round');
    expect(written((logger) => logger.error({ err: CANARY }))).not.toContain(CANARY);
  });

  test('names the level of a line, and is readable for people', async () => {
    const line = written((logger) => logger.warn({ part: 'queue' }, 'retrying'));
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', msg: 'retrying' });
    const readable = (await linesForPeople({ colorize: false }))(line);
    expect(readable).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: retrying\n {4}part: "queue"\n$/);
    const output: string[] = [];
    const stream = new Writable({ write: (chunk, _encoding, done) => done(void output.push(String(chunk))) });
    logOutput(stream, (text) => text.toUpperCase()).write('hello\n');
    expect(output).toEqual(['HELLO\n']);
  });

  test('omits what is below its level', () => {
    const lines: string[] = [];
    const logger = createLogger({
      level: 'warn',
      destination: { write: (line: string) => void lines.push(line) },
    });
    logger.info('quiet');
    logger.warn('loud');
    expect(lines).toHaveLength(1);
  });
});

describe('the log output', () => {
  /** A stream whose reader is paused at first. */
  function unread() {
    const taken: string[] = [];
    let resume: (() => void) | undefined;
    let isRead = false;
    const stream = new Writable({
      write(chunk, _encoding, done) {
        taken.push(String(chunk));
        if (isRead) done();
        else resume = done;
      },
    });
    return {
      stream,
      taken,
      read() {
        isRead = true;
        resume?.();
      },
    };
  }

  test('drops and counts lines while nothing reads them, and continues afterwards', async () => {
    const { stream, taken, read } = unread();
    const output = logOutput(stream);
    const line = `${'x'.repeat(1_000)}\n`;
    for (let n = 0; n < 1_000; n += 1) output.write(line);
    const lost = output.lost();
    expect(lost).toBeGreaterThan(500);
    expect(stream.writableLength).toBeLessThan(300_000);
    read();
    await new Promise((resolve) => setImmediate(resolve));
    output.write('the next\n');
    expect(taken).toHaveLength(1_001 - lost);
    expect(taken.at(-1)).toBe('the next\n');
    expect(output.lost()).toBe(lost);
  });

  test('survives a closed reader', () => {
    const { stream } = unread();
    const output = logOutput(stream);
    stream.emit('error', new Error('EPIPE'));
    expect(output.lost()).toBe(1);
  });
});
