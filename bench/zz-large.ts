import { mkdirSync } from 'node:fs';
import { openLog } from './log.ts';
import { startPostgres } from './postgres.ts';
import { fillWorld, makeWorld } from './world.ts';
const dir = '/tmp/large';
mkdirSync(dir, { recursive: true });
const p = await startPostgres(dir);
const log = await openLog(p.ownerUrl, { dataDir: dir });
const t = performance.now();
const world = await makeWorld(log.store, { groups: 2000, members: 10 });
for (let n = 0; n < 20; n++) {
  await fillWorld(log.store, world, 500_000);
  console.log(
    n,
    await log.store.head(),
    ((performance.now() - t) / 1000) | 0,
    's',
    (process.memoryUsage().rss / 1e6) | 0,
    'MB',
  );
}
await log.close();
await p.stop();
