import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of all that is in use in this process, after a garbage collection. */
export function memoryInUse(): number {
  // What the first one finds dead may hold buffers, which the second one lets go.
  for (let times = 0; times < 2; times += 1) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
