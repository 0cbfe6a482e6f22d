import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Returns the bytes in use in this process after a garbage collection. */
export function memoryInUse(): number {
  // Objects freed by the first collection may hold buffers, which the second one releases.
  for (let times = 0; times < 2; times += 1) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
