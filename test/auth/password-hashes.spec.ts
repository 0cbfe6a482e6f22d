import { setImmediate } from 'node:timers/promises';
import { hash } from '@node-rs/argon2';
import { PasswordQueueFull } from '../../src/auth/credentials.ts';
import { createPasswordHashes } from '../../src/auth/passwords/password-hashes.ts';

const hashes = await createPasswordHashes();

describe('A password hash', () => {
  test('is argon2id at 19 MiB, two passes and one lane, with a salt of its own', async () => {
    const [one, other] = await Promise.all([hashes.hash('a password'), hashes.hash('a password')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(other);
    expect(await hashes.verify('a password', one)).toBe('right');
    expect(await hashes.verify('A password', one)).toBe('wrong');
  });

  test('matches nothing without an account', async () => {
    expect(await hashes.verify('a password', undefined)).toBe('wrong');
    expect(await hashes.verify('a pa\u0308ssword', undefined)).toBe('wrong');
  });

  test('is outdated when it has another cost', async () => {
    const older = await hash('a password', { memoryCost: 8_192, timeCost: 3, parallelism: 1 });
    expect(await hashes.verify('a password', older)).toBe('outdated');
    expect(await hashes.verify('A password', older)).toBe('wrong');
  });

  test('is the same for composed and decomposed passwords', async () => {
    const [composed, decomposed] = ['pässwörd und mehr', 'pa\u0308sswo\u0308rd und mehr'];
    for (const one of [composed, decomposed]) {
      const made = await hashes.hash(one);
      for (const typed of [composed, decomposed]) expect(await hashes.verify(typed, made)).toBe('right');
    }
  });

  test('of a password before normalization still matches its original form, and is outdated', async () => {
    const decomposed = 'pa\u0308ssword und mehr';
    const older = await hash(decomposed, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    expect(await hashes.verify(decomposed, older)).toBe('outdated');
    expect(await hashes.verify(`${decomposed}!`, older)).toBe('wrong');
  });
});

describe('The queue for hashing', () => {
  /** Work that continues until it is ended. */
  function held() {
    let end = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    return { ended, end };
  }

  test('runs two jobs at a time, in order, and refuses when too many wait', async () => {
    const { limited } = await createPasswordHashes({ maxRunning: 2, maxWaiting: 2 });
    const works = [held(), held(), held(), held()];
    const started: number[] = [];
    const all = works.map(({ ended }, index) =>
      limited(async () => {
        started.push(index);
        await ended;
        return index;
      }),
    );
    await expect(limited(async () => 'one too many')).rejects.toThrow(PasswordQueueFull);
    expect(started).toStrictEqual([0, 1]);

    works[1]!.end();
    expect(await all[1]).toBe(1);
    await setImmediate();
    expect(started).toStrictEqual([0, 1, 2]);
    for (const { end } of works) end();
    expect(await Promise.all(all)).toStrictEqual([0, 1, 2, 3]);
  });

  test('continues after a failed job', async () => {
    const { limited } = await createPasswordHashes({ maxRunning: 1, maxWaiting: 0 });
    const failing = limited(async () => {
      throw new Error('no luck');
    });
    await expect(failing).rejects.toThrow('no luck');
    expect(await limited(async () => 'done')).toBe('done');
  });
});
