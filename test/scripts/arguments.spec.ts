import { execFile } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

const run = (script: string, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) =>
    execFile(process.execPath, [script, ...args], { cwd: ROOT }, (error, out, err) =>
      resolve({ code: (error?.code as number | undefined) ?? 0, out, err }),
    ),
  );

const scripts = [
  ...['scripts/admin.ts', 'scripts/cluster.ts', 'scripts/log.ts', 'scripts/notifications.ts'],
  ...['scripts/projections.ts', 'bench/run.ts'],
];

describe.each(scripts)('%s', (script) => {
  test('prints its usage for --help', async () => {
    const { code, out, err } = await run(script, '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/npm run (admin|cluster|log|notifications|projections|bench)/);
  });

  test('names an unknown option, before its usage', async () => {
    const { code, out, err } = await run(script, '--bogus');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Unknown option '--bogus'\n\n.*npm run /);
  });
});

test('scripts/cluster.ts refuses an address that is no EventStoreDB', async () => {
  const { code, err } = await run('scripts/cluster.ts', '--eventstoredb', 'http://user:secret@node1');
  expect(code).toBe(1);
  expect(err).toMatch(/^EVENTSTOREDB_URL must be a URL like esdb:.* not http:\/\/\*\*\*@node1\n$/);
});
