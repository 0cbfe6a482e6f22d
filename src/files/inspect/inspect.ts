import { addAbortSignal, Readable } from 'node:stream';
import { isAllowedType, isUnknownType } from './content-types.ts';
import type { Finding } from './finding.ts';
import type { Judgement } from './judge-bytes.ts';
import type { Sandbox } from './sandbox.ts';
import { type Scanner, ScannerUnavailable, type ScanVerdict } from './scanner.ts';
import type { SniffedReason } from '../sniff/sniff-check.ts';

/** The declaration of the file when its upload was asked for. */
export interface Declared {
  size: number;
  contentType: string;
  sha256: string | null;
}

type Refusal = Extract<Finding, { verdict: 'refused' }>;

/** Bytes held at once, in addition to those of the storage and the scanner. */
const HIGH_WATER_MARK = 65_536;
/** Reasons that hide the content. They go before anything that is wrong with the outside. */
const IMPENETRABLE: readonly SniffedReason[] = ['encrypted', 'archive-too-deep'];

class TooManyBytes extends Error {}

/**
 * Reads a file once, and resolves with whether it is safe and as declared. The sandbox judges the bytes; here
 * they only pass through. An undefined scanner is skipped. Everything else rejects, so that nothing is
 * cleared by accident: with the error of `open` or of its stream, with that of the sandbox, with
 * `ScannerUnavailable`, or with the signal's reason.
 */
export async function inspect(options: {
  file: Declared;
  open: () => Promise<{ size: number; body: Readable }>;
  scanner: Scanner | undefined;
  sandbox: Sandbox;
  signal: AbortSignal;
}): Promise<Finding> {
  const { file, open, scanner, sandbox, signal } = options;
  signal.throwIfAborted();
  return sandbox.run({ task: 'judge', contentType: file.contentType }, signal, async (judging) => {
    const { body } = await open();
    let size = 0;
    let isRead = false;
    let failure: { err: unknown } | undefined;

    async function* watched(): AsyncGenerator<Buffer> {
      try {
        for await (const chunk of addAbortSignal(signal, body) as AsyncIterable<Buffer>) {
          size += chunk.length;
          if (size > file.size) throw new TooManyBytes();
          await judging.write(chunk);
          yield chunk;
        }
        isRead = true;
      } catch (err) {
        failure = { err };
        throw err;
      }
    }

    const bytes = Readable.from(watched(), { objectMode: false, highWaterMark: HIGH_WATER_MARK });
    try {
      const verdict = await (scanner?.scan(bytes, signal) ?? readAll(bytes));
      if (verdict.verdict === 'infected') return refused('infected', verdict.signature);
      if (verdict.verdict === 'refused') return refused(verdict.reason);
      if (!isRead) throw new ScannerUnavailable('The scanner had its answer before it had the bytes');
      return toFinding(file, { size, ...(await judging.result()) });
    } catch (err) {
      signal.throwIfAborted();
      if (failure?.err instanceof TooManyBytes) return refused('wrong-size');
      throw failure ? failure.err : err;
    } finally {
      for (const stream of [bytes, body]) stream.on('error', () => undefined).destroy();
    }
  });
}

/** Returns the first refusal that applies: hidden content, then a wrong transfer, then a wrong type. */
function toFinding(
  file: Declared,
  { size, sha256, contentType, reasons }: Judgement & { size: number },
): Finding {
  const hidden = reasons.find((reason) => IMPENETRABLE.includes(reason));
  if (hidden) return refused(hidden);
  if (size !== file.size) return refused('wrong-size');
  if (file.sha256 !== null && sha256 !== file.sha256) return refused('wrong-sha256');
  const isUnknown = isUnknownType(file.contentType);
  const type = isUnknown ? contentType : file.contentType;
  if (type === null || !isAllowedType(type)) return refused('type-not-allowed');
  const [wrong] = reasons;
  if (wrong) return refused(wrong);
  return { verdict: 'cleared', sha256, ...(isUnknown && { contentType: type }) };
}

const refused = (reason: Refusal['reason'], signature: string | null = null): Refusal => ({
  verdict: 'refused',
  reason,
  signature,
});

async function readAll(bytes: Readable): Promise<ScanVerdict> {
  for await (const _ of bytes);
  return { verdict: 'clean' };
}
