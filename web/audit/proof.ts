import type { components } from 'slay-e-chat-client';

type Schemas = components['schemas'];
export type Checkpoint = Schemas['Checkpoint'];
export type InclusionProof = Schemas['InclusionProof'];
export type ConsistencyProof = Schemas['ConsistencyProof'];
/** What is known of an event, apart from the proof. */
export type KnownEvent = Pick<
  Schemas['AuditLine'],
  'position' | 'stream' | 'revision' | 'id' | 'type' | 'occurredAt'
>;
/** The keys that the server publishes, by their thumbprints. */
export type PublishedKeys = ReadonlyMap<string, string>;

/** How a check has ended: it may not be possible in this browser. */
export type Verdict = 'holds' | 'broken' | 'unchecked';

type Bytes = Uint8Array<ArrayBuffer>;

/** Hashes and keys have 32 bytes, signatures have 64. */
const HASH_BYTES = 32;
const encoder = new TextEncoder();

const utf8 = (text: string): Bytes => encoder.encode(text);

function concat(...parts: readonly (Bytes | readonly number[])[]): Bytes {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Returns the bytes of base64url; undefined for any other text, and for another number of bytes. */
function bytesOf(encoded: string, length = HASH_BYTES): Bytes | undefined {
  if (!/^[\w-]*$/.test(encoded)) return undefined;
  const text = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  return bytes.length === length && base64url(bytes) === encoded ? bytes : undefined;
}

const base64url = (bytes: Bytes): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const isSame = (one: Bytes | undefined, other: Bytes | undefined): boolean =>
  one !== undefined && other !== undefined && base64url(one) === base64url(other);

/** Whether this browser can compute hashes: a page that did not come over https may not. */
export const canHash = (): boolean => globalThis.crypto?.subtle !== undefined;

const sha256 = async (bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** The first byte keeps leaves and nodes apart. */
const leafHash = (text: string): Promise<Bytes> => sha256(concat([0], utf8(text)));
const nodeHash = (left: Bytes, right: Bytes): Promise<Bytes> => sha256(concat([1], left, right));

/** A netstring: its length says where a field ends. */
const field = (value: string | number): string => `${utf8(String(value)).length}:${value},`;

/** Resolves with the hash of the leaf that the fields of an event make. */
async function leafOf(event: InclusionProof['event']): Promise<Bytes> {
  const { position, stream, revision, id, type, v, occurredAt, recordedAt } = event;
  const { dataSha256, metadataSha256 } = event;
  const fields = [position, stream, revision, id, type, v, occurredAt, recordedAt ?? ''];
  return leafHash([...fields, dataSha256, metadataSha256].map(field).join(''));
}

/**
 * Climbs from a place in a tree to its root, RFC 9162 §2.1.3.2, and calls `join` with each hash and its side. Resolves with
 * false when the number of hashes is wrong.
 */
async function climb(
  place: number,
  end: number,
  hashes: readonly Bytes[],
  join: (hash: Bytes, isLeft: boolean) => Promise<void>,
): Promise<boolean> {
  let [node, last] = [place, end];
  for (const hash of hashes) {
    if (last === 0) return false;
    const isLeft = node % 2 === 1 || node === last;
    await join(hash, isLeft);
    while (isLeft && node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0;
}

const verdictOf = (holds: boolean): Verdict => (holds ? 'holds' : 'broken');

/** Decodes the hashes of a proof; undefined if one of them is none. */
function hashesOf({ hashes }: { hashes: readonly string[] }): Bytes[] | undefined {
  const decoded = hashes.map((hash) => bytesOf(hash));
  return decoded.every((hash) => hash !== undefined) ? decoded : undefined;
}

const isPlace = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

async function isIncluded(proof: InclusionProof, checkpoint: Checkpoint): Promise<boolean> {
  const { index, size } = proof;
  const [hashes, root] = [hashesOf(proof), bytesOf(checkpoint.root)];
  if (!hashes || !root || !isPlace(index) || size !== checkpoint.size || index >= size) return false;
  let result = await leafOf(proof.event);
  const isWhole = await climb(index, size - 1, hashes, async (hash, isLeft) => {
    result = await (isLeft ? nodeHash(hash, result) : nodeHash(result, hash));
  });
  return isWhole && isSame(result, root);
}

/** Whether the fields of the leaf are those of the event that is shown, and give the leaf of the proof. */
async function isAbout(event: KnownEvent, proof: InclusionProof): Promise<boolean> {
  const { position, stream, revision, id, type, occurredAt } = proof.event;
  const fields = { position, stream, revision, id, type, occurredAt };
  const isOfEvent = Object.entries(fields).every(
    ([name, value]) => event[name as keyof KnownEvent] === value,
  );
  return isOfEvent && proof.position === position && isSame(await leafOf(proof.event), bytesOf(proof.leaf));
}

/** Resolves with whether a proof is about an event, and whether it leads to the root of a checkpoint. */
export async function checkInclusion(
  event: KnownEvent,
  proof: InclusionProof,
  checkpoint: Checkpoint,
): Promise<{ leaf: Verdict; path: Verdict }> {
  if (!canHash()) return { leaf: 'unchecked', path: 'unchecked' };
  const [leaf, path] = await Promise.all([isAbout(event, proof), isIncluded(proof, checkpoint)]);
  return { leaf: verdictOf(leaf), path: verdictOf(path) };
}

/** Resolves with whether the log of the newer checkpoint begins with that of the older one: RFC 9162 §2.1.4.2. */
export async function checkConsistency(
  older: Checkpoint,
  newer: Checkpoint,
  proof: ConsistencyProof,
): Promise<Verdict> {
  if (!canHash()) return 'unchecked';
  const [from, to] = [older.size, newer.size];
  const [hashes, fromRoot, toRoot] = [hashesOf(proof), bytesOf(older.root), bytesOf(newer.root)];
  if (!hashes || !fromRoot || !toRoot || !isPlace(from) || from < 1 || from > to) return 'broken';
  if (from === to) return verdictOf(hashes.length === 0 && isSame(fromRoot, toRoot));
  let [node, last] = [from - 1, to - 1];
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
  const [first, ...rest] = node === 0 ? [fromRoot, ...hashes] : hashes;
  if (!first) return 'broken';
  let [oldRoot, newRoot] = [first, first];
  const isWhole = await climb(node, last, rest, async (hash, isLeft) => {
    if (isLeft) oldRoot = await nodeHash(hash, oldRoot);
    newRoot = await (isLeft ? nodeHash(hash, newRoot) : nodeHash(newRoot, hash));
  });
  return verdictOf(isWhole && isSame(oldRoot, fromRoot) && isSame(newRoot, toRoot));
}

const signedText = ({ size, root, previous, position, at, keyId }: Omit<Checkpoint, 'signature'>): string =>
  ['chat log checkpoint v1', size, root, previous ?? '', position, at, keyId]
    .map((line) => `${line}\n`)
    .join('');

/** Resolves with the keys by their thumbprints, RFC 7638, which are made anew: no key can claim the id of another. */
export async function publishedKeys({
  keys,
}: {
  keys: readonly Record<string, unknown>[];
}): Promise<PublishedKeys> {
  if (!canHash()) return new Map();
  const found = keys.map(({ x }) => x).filter((x) => typeof x === 'string');
  const named = found.map(async (x) => {
    const print = await sha256(utf8(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })));
    return [base64url(print), x] as const;
  });
  return new Map(await Promise.all(named));
}

/** Resolves with whether a checkpoint is signed with one of the keys. Not every browser knows Ed25519. */
export async function checkSignature(checkpoint: Checkpoint, keys: PublishedKeys): Promise<Verdict> {
  if (!canHash()) return 'unchecked';
  const x = keys.get(checkpoint.keyId);
  const signature = bytesOf(checkpoint.signature, 64);
  if (x === undefined || !signature) return 'broken';
  const algorithm = { name: 'Ed25519' };
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x }, algorithm, false, [
      'verify',
    ]);
  } catch (error) {
    return error instanceof DOMException && error.name === 'NotSupportedError' ? 'unchecked' : 'broken';
  }
  return verdictOf(await crypto.subtle.verify(algorithm, key, signature, utf8(signedText(checkpoint))));
}

/** Resolves with whether a checkpoint names the one before it. */
export async function checkOrder(before: Checkpoint, next: Checkpoint): Promise<Verdict> {
  if (!canHash()) return 'unchecked';
  const named = await sha256(utf8(signedText(before)));
  return verdictOf(next.size > before.size && next.previous === base64url(named));
}
