import { createHash } from 'node:crypto';
import { createS3Checkpoints } from '../../../src/adapters/s3/checkpoints.ts';
import { chainOf, describeCheckpointStore } from '../../audit/checkpoint-store-contract.ts';
import { type S3Server, startS3Server } from '../../support/servers/s3-server.ts';

const BUCKET = 'evidence';
const openOn = async (options: Partial<Parameters<typeof startS3Server>[0]> = {}) => {
  const server = await startS3Server({ bucket: BUCKET, ...options });
  const { endpoint, credentials } = server;
  const stores: ReturnType<typeof createS3Checkpoints>[] = [];
  const again = () => {
    const settings = { bucket: BUCKET, prefix: 'log', endpoint, publicEndpoint: undefined };
    const store = createS3Checkpoints({ ...settings, region: 'us-east-1', pathStyle: true }, { credentials });
    stores.push(store);
    return store;
  };
  return {
    server,
    store: again(),
    again,
    async close() {
      for (const store of stores) store.close();
      await server.stop();
    },
  };
};

// Short pages, so that the last checkpoint is found by bisection.
describeCheckpointStore('in S3', () => openOn({ pageSize: 20 }));

describe('a bucket of checkpoints', () => {
  let place: Awaited<ReturnType<typeof openOn>>;
  afterEach(() => place.close());
  const stored = (server: S3Server) => [...server.objects()].map(([key, { lock }]) => ({ key, lock }));

  test('has one object for each, which is locked only where the bucket has Object Lock', async () => {
    const [first] = chainOf([12]) as [never];
    place = await openOn();
    await place.store.append(first);
    expect(stored(place.server)).toEqual([{ key: 'log/0000000000000012.json', lock: undefined }]);
  });

  test.each([
    ['for ten years by default', {}, 'COMPLIANCE', 3_650],
    ['as long as the bucket says', { mode: 'GOVERNANCE', days: 30 }, 'GOVERNANCE', 30],
  ] as const)('locks objects %s', async (_how, rule, mode, days) => {
    place = await openOn({ objectLock: rule });
    const [first] = chainOf([12]) as [never];
    await place.store.append(first);
    const until = new Date(place.server.objects().get('log/0000000000000012.json')!.lock!.until).getTime();
    expect(stored(place.server)[0]!.lock!.mode).toBe(mode);
    expect(Math.round((until - Date.now()) / 86_400_000)).toBe(days);
  });

  test('keeps the first of two that have one size, and takes an answer that was lost for a success', async () => {
    place = await openOn();
    const [mine] = chainOf([12]) as [never];
    const [other] = chainOf([12]) as [never];
    const results = await Promise.allSettled([place.store.append(mine), place.again().append(other)]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await Promise.all(
      [place.again(), place.again()].map((store) =>
        store.append(results[0].status === 'fulfilled' ? mine : other),
      ),
    );
    expect(place.server.objects().size).toBe(1);
  });

  test('is damaged where an object is not the checkpoint of its name', async () => {
    place = await openOn();
    const chain = chainOf([12, 13]);
    for (const checkpoint of chain) await place.store.append(checkpoint);
    const objects = place.server.objects();
    objects.set('log/0000000000000012.json', objects.get('log/0000000000000013.json')!);
    await expect(Array.fromAsync(place.store.all())).rejects.toMatchObject({ name: 'CheckpointsDamaged' });
    const bytes = Buffer.from('{}');
    objects.set('log/0000000000000013.json', {
      ...objects.get('log/0000000000000013.json')!,
      bytes,
      checksum: ['x-amz-checksum-sha256', createHash('sha256').update(bytes).digest('base64')],
    });
    await expect(place.store.last()).rejects.toMatchObject({ name: 'CheckpointsDamaged' });
  });

  test('is unavailable while S3 fails, and goes on afterwards', async () => {
    place = await openOn();
    const chain = chainOf([12, 13]);
    await place.store.append(chain[0]!);
    place.server.fail(500);
    await expect(place.store.append(chain[1]!)).rejects.toMatchObject({ name: 'StorageUnavailable' });
    place.server.heal();
    await place.store.append(chain[1]!);
    expect(await place.store.last()).toEqual(chain[1]);
  });
});
