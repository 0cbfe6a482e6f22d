import { createS3ErasedPeople } from '../../../src/adapters/s3/erased-people.ts';
import { describeErasedPeople, somebody } from '../../privacy/erased-people-contract.ts';
import { startS3Server } from '../../support/servers/s3-server.ts';

const BUCKET = 'kept';
const openOn = async ({ prefix = 'erased', ...options }: { prefix?: string; pageSize?: number } = {}) => {
  const server = await startS3Server({ bucket: BUCKET, ...options });
  const { endpoint, credentials } = server;
  const lists: ReturnType<typeof createS3ErasedPeople>[] = [];
  const again = () => {
    const settings = { bucket: BUCKET, prefix, endpoint, publicEndpoint: undefined };
    const list = createS3ErasedPeople({ ...settings, region: 'us-east-1', pathStyle: true }, { credentials });
    lists.push(list);
    return list;
  };
  return {
    server,
    list: again(),
    again,
    async close() {
      for (const list of lists) list.close();
      await server.stop();
    },
  };
};

// Short pages, so that the list has many.
describeErasedPeople('in S3', () => openOn({ pageSize: 20 }));
describeErasedPeople('in a whole bucket of S3', () => openOn({ prefix: '' }));

describe('a bucket of erased people', () => {
  let place: Awaited<ReturnType<typeof openOn>>;
  afterEach(() => place.close());
  const names = () => [...place.server.objects().keys()];

  test('has one object for each, with the ids in its name and in its content', async () => {
    place = await openOn();
    const person = somebody();
    await place.list.add(person);
    const name = `erased/${person.userId}.${person.erasureId}.json`;
    expect(names()).toEqual([name]);
    expect(JSON.parse(place.server.objects().get(name)!.bytes.toString())).toEqual(person);
  });

  test('is listed without reading an object', async () => {
    place = await openOn({ pageSize: 1_000 });
    const one = somebody();
    await place.list.add(one);
    const objects = place.server.objects();
    const [[name, object]] = [...objects] as [[string, NonNullable<ReturnType<typeof objects.get>>]];
    const people = Array.from({ length: 4_999 }, somebody);
    for (const { userId, erasureId } of people) objects.set(`erased/${userId}.${erasureId}.json`, object);
    expect(name).toContain(one.userId);
    const asked = place.server.asked();
    expect(await place.list.all()).toHaveLength(5_000);
    expect(place.server.asked() - asked).toBe(5);
  });

  test('ignores what is not of the list', async () => {
    place = await openOn();
    const person = somebody();
    await place.list.add(person);
    const objects = place.server.objects();
    const [object] = objects.values();
    for (const name of ['erased/README', `erased/${person.userId}`, `erased/${person.userId}.x.json`])
      objects.set(name, object!);
    objects.set(`other/${names()[0]!.slice('erased/'.length)}`, object!);
    expect(await place.list.all()).toEqual([person]);
  });

  test('is unavailable while S3 fails, and loses nobody', async () => {
    place = await openOn();
    const person = somebody();
    const unavailable = {
      name: 'StorageUnavailable',
      message: expect.stringContaining('s3://kept/erased') as string,
    };
    place.server.fail(500);
    await expect(place.list.add(person)).rejects.toMatchObject(unavailable);
    await expect(place.list.all()).rejects.toMatchObject(unavailable);
    place.server.heal();
    await place.list.add(person);
    expect(await place.list.all()).toEqual([person]);
  });
});
