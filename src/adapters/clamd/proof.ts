import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { ScannerUnavailable } from '../../files/inspect/scanner.ts';
import { askClamd, type ClamdAddress } from './exchange.ts';

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
export async function proveClamd(address: ClamdAddress, signal: AbortSignal): Promise<void> {
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
