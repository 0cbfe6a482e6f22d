import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { readConfig } from '../../src/config.ts';
import { program } from '../../tools/debian-programs.ts';
import { ROOT, fileText, makeSecrets } from '../support/journeys/deployment-files.ts';

const FOLDER = 'deploy/systemd';
const units = readdirSync(join(ROOT, FOLDER)).filter((name) => name.endsWith('.service'));
const ROLES = ['api', 'projector', 'realtime', 'notifier', 'worker', 'sealer'];

/** Returns the values of a directive in the order of the file. */
const valuesOf = (unit: string, directive: string) =>
  [...fileText(`${FOLDER}/${unit}`).matchAll(new RegExp(`^${directive}=(.*)$`, 'gm'))].map(([, it]) => it!);

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'chat-systemd-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Runs systemd-analyze on a copy of the units, for a Node and a folder that this machine has. */
async function analyze(args: string[], change = (text: string) => text): Promise<string> {
  const copy = await mkdtemp(join(folder, 'units-'));
  for (const name of units) {
    const text = change(fileText(`${FOLDER}/${name}`))
      .replaceAll('/usr/bin/node', process.execPath)
      .replaceAll('/opt/slay-e-chatapp', ROOT);
    await writeFile(join(copy, name.replace('@.', '@api.')), text);
    if (name.includes('@')) await writeFile(join(copy, name), text);
  }
  const { command, env } = program('systemd-analyze');
  const running = promisify(execFile)(command, args, {
    cwd: copy,
    env: { ...process.env, ...env, SYSTEMD_UNIT_PATH: `${copy}:` },
  });
  const { stdout, stderr } = await running;
  return stderr + (args.includes('security') ? stdout : '');
}

const instances = units.map((name) => name.replace('@.', '@api.'));

test.each(instances)('systemd finds no fault with %s', async (name) => {
  expect(await analyze(['verify', '--recursive-errors=no', `./${name}`])).toBe('');
});

test('systemd would tell a directive that it does not know', async () => {
  const misspelt = (text: string) => text.replace('ProtectHome=', 'ProtectHomes=');
  const told = analyze(['verify', '--recursive-errors=no', `./${instances[0]}`], misspelt);
  await expect(told).rejects.toThrow('ProtectHomes');
});

test.each(instances)('systemd rates the exposure of %s as low', async (name) => {
  const rated = await analyze(['security', '--offline=yes', '--threshold=20', '--no-pager', `./${name}`]);
  expect(rated).toMatch(/Overall exposure level for .*: 1\.\d OK/);
});

test.each(units.filter((name) => !name.includes('migrate')))(
  '%s starts what `npm start` starts, and not npm',
  (name) => {
    const { scripts } = JSON.parse(fileText('package.json')) as { scripts: Record<string, string> };
    expect(valuesOf(name, 'ExecStart')).toEqual([`/usr/bin/${scripts['start']}`]);
    const stop =
      Number(/SHUTDOWN_MS = ([\d_]+)/.exec(fileText('src/main.ts'))?.[1]?.replaceAll('_', '')) / 1_000;
    expect(Number(valuesOf(name, 'TimeoutStopSec')[0])).toBeGreaterThan(stop);
    // The PostgreSQL of the process must not hear SIGTERM with it.
    expect(valuesOf(name, 'KillMode')).toEqual(['mixed']);
    const heap = Number(/old-space-size=(\d+)/.exec(valuesOf(name, 'ExecStart')[0]!)?.[1]);
    expect(Number.parseInt(valuesOf(name, 'MemoryMax')[0]!, 10) * 1_024).toBeGreaterThan(heap);
  },
);

test('Migrations run before the processes of the roles, as the owner, for as long as they take', () => {
  expect(valuesOf('slay-e-chatapp@.service', 'Requires')).toEqual(['slay-e-chatapp-migrate.service']);
  expect(valuesOf('slay-e-chatapp@.service', 'After')[0]).toContain('slay-e-chatapp-migrate.service');
  expect(valuesOf('slay-e-chatapp-migrate.service', 'TimeoutStartSec')).toEqual(['infinity']);
  const withOwner = units.filter((name) =>
    valuesOf(name, 'LoadCredential').some((it) => it.includes('owner')),
  );
  expect(withOwner).toEqual(['slay-e-chatapp-migrate.service']);
});

test('Traces are turned on in the file of settings that all processes read', () => {
  const example = /```sh\n(OTEL_[^]+?)```/.exec(fileText('docs/traces.md'))?.[1] ?? '';
  expect(readConfig(parseEnv(example)).traces).toMatchObject({
    url: 'http://collector:4318/v1/traces',
    ratio: 0.05,
  });
  for (const name of units.filter((unit) => !unit.includes('migrate')))
    expect(valuesOf(name, 'EnvironmentFile').map((file) => file.replace(/^-/, ''))).toContain(
      '/etc/slay-e-chatapp/settings.env',
    );
});

describe.each(ROLES)('slay-e-chatapp@%s', (role) => {
  const files = [
    'slay-e-chatapp@.service',
    ...(role === 'sealer' ? ['slay-e-chatapp@sealer.service.d/seal.conf'] : []),
  ];

  test('accepts its settings, each secret in a file that systemd hands over', async () => {
    const credentials = join(folder, `credentials-${role}`);
    const made = join(folder, `secrets-${role}`);
    makeSecrets(made);
    await mkdir(credentials);
    for (const given of files.flatMap((file) => valuesOf(file, 'LoadCredential'))) {
      const [id = '', path = ''] = given.split(':');
      expect(path).toBe(`/etc/slay-e-chatapp/secrets/${id}`);
      await writeFile(join(credentials, id), readFileSync(join(made, id)));
    }
    const pairs = files.flatMap((file) => valuesOf(file, 'Environment')).flatMap((line) => line.split(' '));
    const env = Object.fromEntries(
      pairs.map((pair) =>
        pair.replaceAll('%d', credentials).replaceAll('%S', '/var/lib').replaceAll('%i', role).split('='),
      ),
    ) as Record<string, string>;
    const config = readConfig({ ...env, PUBLIC_URL: 'https://chat.example.org' });
    expect([...config.roles]).toEqual([role]);
    expect(config).toMatchObject({ dataDir: `/var/lib/slay-e-chatapp/${role}` });
    expect(config.redisUrl && config.databaseUrl && config.masterKeys[0]).toBeTruthy();
    expect(config.databaseOwnerUrl).toBeUndefined();
    expect(config.seal.privateKey !== undefined).toBe(role === 'sealer');
  });
});
