// Checks checkpoints and proofs of the log with nothing but Node, without any code of the server: see docs/audit.md.
//   node audit-verifier.mjs <seal-keys.json> <checkpoints.json> [<proof.json> or <consistency.json> …]
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const files = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
const [{ keys }, { data: checkpoints }, ...proofs] = files;
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const bytes = (text) => Buffer.from(text ?? '', 'base64url');
const node = (left, right) => sha256(Buffer.of(1), left, right);
const field = (value) => `${Buffer.byteLength(String(value))}:${value},`;
function check(holds, what) {
  if (!holds) throw new Error(`DOES NOT HOLD: ${what}`);
}
const signed = (c) =>
  `chat log checkpoint v1\n${c.size}\n${c.root}\n${c.previous ?? ''}\n${c.position}\n${c.at}\n${c.keyId}\n`;
const roots = new Map();
checkpoints.forEach((checkpoint, n) => {
  const { size, root, previous, keyId, signature } = checkpoint;
  const x = keys.find(({ kid }) => kid === keyId)?.x;
  check(x, `checkpoint ${size} is signed with an unknown key`);
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  check(verify(null, Buffer.from(signed(checkpoint)), key, bytes(signature)), `the signature of ${size}`);
  const before = checkpoints[n - 1];
  const follows = !before || (size > before.size && sha256(signed(before)).equals(bytes(previous)));
  check(follows, `checkpoint ${size} follows ${before?.size}`);
  roots.set(size, bytes(root));
});

/** Climbs from a place in a tree to its root, RFC 9162 §2.1.3.2: `join` gets each hash, and whether it is on the left. */
function climb(index, last, hashes, join) {
  for (const hash of hashes) {
    check(last > 0, 'the proof is too long');
    const isLeft = index % 2 === 1 || index === last;
    join(hash, isLeft);
    while (isLeft && index % 2 === 0 && index > 0) [index, last] = [index / 2, Math.floor(last / 2)];
    [index, last] = [Math.floor(index / 2), Math.floor(last / 2)];
  }
  check(last === 0, 'the proof is too short');
}
for (const { event: e, leaf, index, size, from = size, to = size, hashes: encoded } of proofs) {
  const hashes = encoded.map(bytes);
  check(roots.has(from) && roots.has(to) && from <= to, 'the checkpoints of the proof are in the file');
  if (!e && from === to) continue;
  let [place, last] = [e ? index : from - 1, to - 1];
  while (!e && place % 2 === 1) [place, last] = [(place - 1) / 2, Math.floor(last / 2)];
  const contents = e && [e.occurredAt, e.recordedAt ?? '', e.dataSha256, e.metadataSha256];
  const fields = e && [e.position, e.stream, e.revision, e.id, e.type, e.v, ...contents].map(field).join('');
  // A consistency proof leads to both roots, from a subtree of both trees: §2.1.4.2.
  let newer = e ? sha256(Buffer.of(0), fields) : place === 0 ? roots.get(from) : (hashes.shift() ?? bytes());
  check(!e || newer.equals(bytes(leaf)), `the leaf of event ${e?.position}`);
  let older = newer;
  climb(place, last, hashes, (hash, isLeft) => {
    newer = isLeft ? node(hash, newer) : node(newer, hash);
    if (isLeft) older = node(hash, older);
  });
  check((!e || index < size) && newer.equals(roots.get(to)), `${e ? `event ${e.position}` : from} in ${to}`);
  check(e || older.equals(roots.get(from)), `the ${from} events of the older checkpoint`);
}
process.stdout.write(`${checkpoints.length} checkpoints and ${proofs.length} proofs hold\n`);
