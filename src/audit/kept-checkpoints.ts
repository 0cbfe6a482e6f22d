import { type Checkpoint, positionOf, rootOf } from './checkpoint.ts';
import type { ReadLeaves } from './leaf.ts';
import { Tree } from './merkle.ts';

const PAGE = 500;

/** Splits checkpoints, oldest first: the log still has what those in `kept` seal, and no longer what the others seal. */
export async function splitCheckpoints(
  checkpoints: AsyncIterable<Checkpoint>,
  readLeaves: ReadLeaves,
): Promise<{ kept: Checkpoint[]; beyond: Checkpoint[] }> {
  const kept: Checkpoint[] = [];
  const beyond: Checkpoint[] = [];
  const tree = new Tree();
  let after = 0;

  async function isKept(checkpoint: Checkpoint): Promise<boolean> {
    while (tree.size < checkpoint.size) {
      const limit = Math.min(PAGE, checkpoint.size - tree.size);
      const page = await readLeaves({ after, limit });
      for (const { leaf } of page) tree.append(leaf);
      after = page.at(-1)?.position ?? after;
      if (page.length < limit) return false;
    }
    return after === positionOf(checkpoint) && tree.root().equals(rootOf(checkpoint));
  }

  for await (const checkpoint of checkpoints)
    if (beyond.length === 0 && (await isKept(checkpoint))) kept.push(checkpoint);
    else beyond.push(checkpoint);
  return { kept, beyond };
}
