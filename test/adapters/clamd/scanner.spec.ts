import { setTimeout as pause } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { createClamdScanner } from '../../../src/adapters/clamd/scanner.ts';
import { type Clamd, startClamd } from '../../support/servers/clamd.ts';
import { type Lie, startClamdLiar } from '../../support/servers/clamd-liar.ts';
import { eicar, nested, zip } from '../../support/files/corpus.ts';
import { linesOf } from '../../support/log-lines.ts';
import { until } from '../../../tools/until.ts';

const MIB = 2 ** 20;
const signal = () => AbortSignal.timeout(20_000);
const liars: { stop(): Promise<void> }[] = [];

async function startLiar(...lie: Parameters<typeof startClamdLiar>) {
  const liar = await startClamdLiar(...lie);
  liars.push(liar);
  return liar;
}
afterEach(() => Promise.all(liars.splice(0).map((liar) => liar.stop())));

const stream = (...pieces: Buffer[]) => Readable.from(pieces);

function scannerAt(url: string, deadlineMs?: number) {
  const { log, lines } = linesOf('info');
  return { ...createClamdScanner({ url, log, ...(deadlineMs && { deadlineMs }) }), lines };
}

describe.each(['unix', 'tcp'] as const)('clamd over %s', (over) => {
  let clamd: Clamd;

  beforeAll(async () => {
    clamd = await startClamd({ over });
  });
  afterAll(() => clamd?.stop());

  test('tells clean, infected and uninspectable files apart', async () => {
    const scanner = scannerAt(clamd.url);
    expect(await scanner.failure()).toBeUndefined();
    expect(await scanner.scan(stream(Buffer.alloc(3 * MIB), Buffer.from('text')), signal())).toEqual({
      verdict: 'clean',
    });
    expect(await scanner.scan(stream(eicar()), signal())).toEqual({
      verdict: 'infected',
      signature: 'Eicar-Test.UNOFFICIAL',
    });
    const encrypted = await zip({ a: Buffer.from('secret') }, { password: 'secret' });
    expect(await scanner.scan(stream(encrypted), signal())).toEqual({
      verdict: 'refused',
      reason: 'encrypted',
    });
    expect(await scanner.scan(stream(await nested(eicar(), 30)), signal())).toEqual({
      verdict: 'refused',
      reason: 'archive-too-deep',
    });
  });

  test('reports no result after a kill in mid-scan, and works again after a restart', async () => {
    const scanner = scannerAt(clamd.url);
    let isHalfSent = false;
    let go: () => void = () => undefined;
    const killed = new Promise<void>((resolve) => (go = resolve));
    async function* bytes(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(MIB);
      isHalfSent = true;
      await killed;
      yield Buffer.alloc(MIB);
    }
    const scanning = scanner.scan(Readable.from(bytes()), signal());
    const outcome = expect(scanning).rejects.toMatchObject({ name: 'ScannerUnavailable' });
    await until(() => isHalfSent);
    await clamd.kill();
    go();
    await outcome;
    expect(await scanner.failure()).toBe('clamd cannot be reached');
    await expect(scanner.scan(stream(eicar()), signal())).rejects.toThrow('clamd cannot be reached');
    await clamd.restart();
    expect(await scanner.failure()).toBeUndefined();
    expect(await scanner.scan(stream(eicar()), signal())).toMatchObject({ verdict: 'infected' });
  });
});

describe('a misconfigured clamd', () => {
  test.each([
    ['AlertEncrypted', 'set AlertEncrypted yes'],
    ['AlertExceedsMax', 'set AlertExceedsMax yes'],
  ])('is not trusted without %s', async (setting, complaint) => {
    const clamd = await startClamd({ settings: { [setting]: 'no' } });
    try {
      const scanner = scannerAt(clamd.url);
      await expect(scanner.scan(stream(Buffer.from('text')), signal())).rejects.toThrow(complaint);
      expect(await scanner.failure()).toContain(complaint);
      expect(scanner.lines().some((line) => JSON.stringify(line).includes(complaint))).toBe(true);
      await clamd.kill();
      await clamd.restart({});
      expect(await scanner.scan(stream(Buffer.from('text')), signal())).toEqual({ verdict: 'clean' });
    } finally {
      await clamd.stop();
    }
  });

  test('is not trusted without signatures', async () => {
    const liar = await startLiar({}, { probes: ['stream: OK\0'] });
    const scanner = scannerAt(liar.url);
    await expect(scanner.scan(stream(Buffer.from('text')), signal())).rejects.toThrow('EICAR');
  });

  test.each([
    ['without a date', 'ClamAV 1.4.6', undefined],
    ['an hour old', `ClamAV 1.4.6/27500/${ctime(Date.now() - 3_600_000)}`, undefined],
    ['three days old', `ClamAV 1.4.6/27500/${ctime(Date.now() - 72 * 3_600_000)}`, 'older than 48 hours'],
    ['with an unreadable date', 'ClamAV 1.4.6/27500/some day', 'older than 48 hours'],
    ['of something else', 'SSH-2.0-OpenSSH', 'does not say its version'],
  ])('is checked by its version: %s', async (_, version, complaint) => {
    const liar = await startLiar({}, { version });
    const failure = await scannerAt(liar.url).failure();
    if (complaint === undefined) expect(failure).toBeUndefined();
    else expect(failure).toContain(complaint);
  });
});

/** Formats a time like the C function of that name. */
function ctime(time: number): string {
  const [day, date, month, year, clock] = new Date(time).toUTCString().replace(',', '').split(' ');
  return `${day} ${month} ${date!.replace(/^0/, ' ')} ${clock} ${year}`;
}

describe('a faulty scanner', () => {
  const says = (text: string) => ({ onBytes: (socket) => void socket.end(text) }) satisfies Lie;

  test.each<[string, Lie]>([
    ['answers nonsense', says('220 mail.example.org ESMTP\0')],
    ['answers OK for another stream', says('other: OK\0')],
    ['answers OK followed by text', says('stream: OK, I guess\0')],
    ['answers OK without a terminator', says('stream: OK')],
    ['answers OK twice', says('stream: OK\0stream: OK\0')],
    ['answers OK, then FOUND', says('stream: OK\0stream: Eicar FOUND\0')],
    ['answers FOUND without a name', says('stream:  FOUND\0')],
    ['answers ERROR', says('INSTREAM: Can not open file ERROR\0')],
    ['reports that the stream is too long', says('INSTREAM size limit exceeded. ERROR\0')],
    ['answers endlessly', says('x'.repeat(100_000))],
    ['closes without an answer', { onBytes: (socket) => void socket.end() }],
    ['closes at once', { onConnection: (socket) => void socket.destroy() }],
    ['resets the connection', { onBytes: (socket) => void socket.resetAndDestroy() }],
    ['answers OK too early', { onConnection: (socket) => void socket.end('stream: OK\0') }],
    [
      'answers OK too early and stays connected',
      { onConnection: (socket) => void socket.write('stream: OK\0') },
    ],
    ['never answers', {}],
    ['never closes', { onBytes: (socket) => void socket.write('stream: OK\0') }],
    ['never reads', { onConnection: (socket) => void socket.pause() }],
  ])('is not trusted when it %s', async (_, lie) => {
    const liar = await startLiar(lie);
    const scanner = scannerAt(liar.url, 500);
    const pieces = Array.from({ length: 25 }, () => Buffer.alloc(MIB, 'text'));
    async function* bytes(): AsyncGenerator<Buffer> {
      for (const piece of pieces) {
        yield piece;
        await pause(1);
      }
    }
    await expect(scanner.scan(Readable.from(bytes()), signal())).rejects.toMatchObject({
      name: 'ScannerUnavailable',
    });
  });

  test('is probed again after a failure', async () => {
    const liar = await startLiar(says('nonsense\0'));
    const scanner = scannerAt(liar.url);
    await expect(scanner.scan(stream(Buffer.from('a')), signal())).rejects.toThrow('as it should');
    expect(liar.scans()).toBe(4);
    await expect(scanner.scan(stream(Buffer.from('a')), signal())).rejects.toThrow('EICAR');
  });
});

test('A virus that is found before all bytes are sent is reported', async () => {
  const liar = await startLiar({ onConnection: (socket) => void socket.end('stream: Eicar FOUND\0') });
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      yield Buffer.alloc(1_000);
      await pause(5);
    }
  }
  expect(await scannerAt(liar.url).scan(Readable.from(endless()), signal())).toEqual({
    verdict: 'infected',
    signature: 'Eicar',
  });
});

test('At most 8 scans run at once, and all of 30 finish', async () => {
  let [now, most] = [0, 0];
  const liar = await startLiar({
    onConnection: () => void (most = Math.max(most, (now += 1))),
    onBytes: (socket) =>
      void setTimeout(() => {
        now -= 1;
        socket.end('stream: OK\0');
      }, 20),
  });
  const scanner = scannerAt(liar.url);
  const verdicts = await Promise.all(
    Array.from({ length: 30 }, () => scanner.scan(stream(Buffer.from('a')), signal())),
  );
  expect(verdicts).toEqual(verdicts.map(() => ({ verdict: 'clean' })));
  expect(most).toBe(8);
});

test('Removes a caller that gives up from the queue', async () => {
  const liar = await startLiar({});
  const scanner = scannerAt(liar.url);
  const controller = new AbortController();
  const inWork = Array.from({ length: 8 }, () => scanner.scan(stream(Buffer.from('a')), controller.signal));
  const waiting = scanner.scan(stream(Buffer.from('a')), controller.signal);
  await until(() => liar.scans() === 11, 'eight scans beside the probes');
  controller.abort(new Error('enough'));
  for (const scanning of [...inWork, waiting]) await expect(scanning).rejects.toThrow('enough');
});

test('Reports unreadable bytes as their own error, not as the scanner’s', async () => {
  const liar = await startLiar({});
  const bytes = new Readable({ read: (): void => void bytes.destroy(new Error('the disk is gone')) });
  await expect(scannerAt(liar.url).scan(bytes, signal())).rejects.toThrow('the disk is gone');
});

test('Detects a scanner that hangs within 2 s', async () => {
  const liar = await startLiar({}, { probes: [] });
  expect(await scannerAt(liar.url).failure()).toContain('has not answered within 2000 ms');
});
