import { createSignedLinks } from '../../src/auth/tokens/signed-links.ts';

const secret = Buffer.alloc(32, 7);
const fields = { fileId: 'a file', userId: 'a user', variant: 'ä "quoted"' };

describe('a signed link', () => {
  let now = 1_000;
  const links = createSignedLinks(
    () => [secret],
    () => now,
  );
  const token = links.sign('download', fields, 2_000);
  beforeEach(() => {
    now = 1_000;
  });

  test('contains its fields, and needs no URL encoding', () => {
    expect(links.open('download', token)).toStrictEqual(fields);
    expect(token).toBe(encodeURIComponent(token));
  });

  test('is the same on every node, and invalid with another secret', () => {
    expect(
      createSignedLinks(
        () => [secret],
        () => now,
      ).open('download', token),
    ).toStrictEqual(fields);
    expect(
      createSignedLinks(
        () => [Buffer.alloc(32, 8)],
        () => now,
      ).open('download', token),
    ).toBeUndefined();
  });

  test('expires', () => {
    now = 1_999;
    expect(links.open('download', token)).toStrictEqual(fields);
    now = 2_000;
    expect(links.open('download', token)).toBeUndefined();
  });

  test('is valid for one purpose', () => {
    expect(links.open('upload', token)).toBeUndefined();
    expect(links.open('', token)).toBeUndefined();
  });

  test('is invalid after a change of any character', () => {
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(links.open('download', `${token.slice(0, at)}${other}${token.slice(at + 1)}`)).toBeUndefined();
    }
  });

  test.each([
    '',
    '.',
    '..',
    'x',
    token.slice(0, -1),
    `${token}A`,
    `${token}.`,
    `.${token}`,
    '.'.repeat(100_000),
  ])('is invalid when incomplete', (given) => {
    expect(links.open('download', given)).toBeUndefined();
  });

  test('is invalid with the signature of another', () => {
    const other = links.sign('download', { ...fields, userId: 'another' }, 9_000);
    const [content] = other.split('.');
    const [, signature] = token.split('.');
    expect(links.open('download', `${content}.${signature}`)).toBeUndefined();
  });
});
