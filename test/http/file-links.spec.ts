import type { FastifyRequest } from 'fastify';
import { createSignedLinks } from '../../src/auth/tokens/signed-links.ts';
import { fileLinks } from '../../src/http/file-links.ts';
import { ada, bob, uuid } from '../support/language/example-events.ts';

const MINUTE_MS = 60_000;
const fileId = uuid(0x6a5b4c3d);
const requestOf = (actor: typeof ada) =>
  ({ session: { actor }, protocol: 'https', host: 'chat.example.org' }) as unknown as FastifyRequest;
const request = requestOf(ada);

describe('the link of a thumbnail', () => {
  let time: number;
  const signed = createSignedLinks(
    () => [Buffer.alloc(32, 1)],
    () => time,
  );
  const links = fileLinks({ links: signed }, () => time);
  const opened = (url: string) => signed.open('download', new URL(url).searchParams.get('token')!);
  beforeEach(() => {
    time = Date.parse('2026-01-01T00:00:00Z');
  });

  test('stays the same for an hour, and works for ten more minutes', () => {
    const changes: { at: number; url: string }[] = [];
    for (let minute = 0; minute < 300; minute += 1) {
      const url = links.thumbnail(request, fileId);
      if (changes.at(-1)?.url !== url) changes.push({ at: minute, url });
      time += MINUTE_MS;
    }
    const [, ...whole] = changes.slice(0, -1);
    expect(whole.map(({ at }, n) => at - (whole[n - 1] ?? changes[0]!).at)).toEqual([
      expect.any(Number),
      ...whole.slice(1).map(() => 60),
    ]);
    expect(whole.length).toBeGreaterThan(2);

    const [{ at, url }, next] = [whole[0]!, whole[1]!];
    const start = Date.parse('2026-01-01T00:00:00Z');
    time = start + (at + 60 + 9) * MINUTE_MS;
    expect(next.at).toBe(at + 60);
    expect(opened(url)).toEqual({ fileId, userId: ada.userId, variant: 'thumbnail' });
    time = start + (at + 60 + 10) * MINUTE_MS;
    expect(opened(url)).toBeUndefined();
  });

  test('changes at another time for another file', () => {
    const others = Array.from({ length: 20 }, (_, n) => uuid(0x100_000 * n));
    const now = () => others.map((id) => links.thumbnail(request, id));
    const before = now();
    time += 30 * MINUTE_MS;
    const changed = now().filter((url, n) => url !== before[n]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThan(20);
  });

  test('is for one user', () => {
    expect(opened(links.thumbnail(requestOf(bob), fileId))).toMatchObject({ userId: bob.userId });
  });

  test('is added to clean files that have one, wherever a message is shown', () => {
    const shown = { fileId, status: 'clean', hasThumbnail: true } as const;
    const others = [
      { ...shown, hasThumbnail: false },
      { ...shown, status: 'scanning', hasThumbnail: false },
    ] as const;
    const message = { text: 'Hi', files: [shown, ...others] };
    const linked = {
      ...message,
      files: [{ ...shown, thumbnailUrl: links.thumbnail(request, fileId) }, ...others],
    };
    expect(links.inMessages(request)(message)).toEqual(linked);
    expect(links.inLastMessages(request)({ id: 1, lastMessage: message })).toEqual({
      id: 1,
      lastMessage: linked,
    });
    expect(links.inLastMessages(request)({ id: 2, lastMessage: null })).toEqual({ id: 2, lastMessage: null });
  });
});
