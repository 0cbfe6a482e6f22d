import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { inspect } from '../../../src/files/inspect/inspect.ts';
import { createClamdScanner } from '../../../src/adapters/clamd/scanner.ts';
import { createProcessSandbox } from '../../../src/adapters/os/sandbox.ts';
import { createLogger } from '../../../src/adapters/pino/logger.ts';

/** Inspects a number of files at once, with the clamd at `url`, and writes the memory used, as JSON. */
const [url = '', count = '', ...files] = process.argv.slice(2);
const SAMPLE_MS = 5;

const sandbox = createProcessSandbox();
const scanner = createClamdScanner({ url, log: createLogger({ level: 'silent' }) });

/** The format of a file argument: type, `=`, path. */
async function inspected(at: number): Promise<string> {
  const [contentType = '', path = ''] = files[at % files.length]!.split('=');
  const { size } = await stat(path);
  const finding = await inspect({
    file: { size, contentType, sha256: null },
    open: () => Promise.resolve({ size, body: createReadStream(path) }),
    scanner,
    sandbox,
    signal: AbortSignal.timeout(120_000),
  });
  return finding.verdict;
}

// Excludes the memory of code and libraries.
for (let at = 0; at < files.length; at += 1) await inspected(at);

const before = process.memoryUsage.rss();
let [lowest, highest] = [before, before];
const sampling = setInterval(() => {
  const now = process.memoryUsage.rss();
  lowest = Math.min(lowest, now);
  highest = Math.max(highest, now);
}, SAMPLE_MS);
const started = performance.now();
const verdicts = await Promise.all(Array.from({ length: Number(count) }, (_, at) => inspected(at)));
clearInterval(sampling);
sandbox.close();

const inMb = (bytes: number) => Math.round(bytes / 100_000) / 10;
process.stdout.write(
  `${JSON.stringify({
    cleared: verdicts.filter((verdict) => verdict === 'cleared').length,
    beforeMb: inMb(before),
    fellMb: inMb(before - lowest),
    roseMb: inMb(highest - before),
    seconds: Math.round(performance.now() - started) / 1_000,
  })}\n`,
);
