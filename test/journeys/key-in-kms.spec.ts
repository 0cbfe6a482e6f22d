import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { type ServerProcess, freePort, launchServer, startServer } from '../../tools/server-process.ts';
import { type KmsServer, startKmsServer } from '../support/servers/kms-server.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** Consecutive starts of one server, whose master key AWS KMS protects. */
describe('a server whose master key AWS KMS protects', () => {
  let kms: KmsServer;
  let server: ServerProcess;
  let env: Record<string, string>;
  let company: Session;
  let groupId: string;

  const script = (file: string, args: string[], settings: Record<string, string> = {}) =>
    run(process.execPath, ['--disable-warning=ExperimentalWarning', `scripts/${file}.ts`, ...args], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...kms.env, ...settings },
    });
  const texts = async () => {
    const path = `/v1/groups/${groupId}/messages`;
    const { data } = await call<{ data: { text: string }[] }>(server.url, 'GET', path, {
      token: company.accessToken,
    });
    return data.map(({ text }) => text);
  };
  /** Starts the server where it cannot have its key. Resolves with what it wrote. */
  async function endsWith(changes: Record<string, string>): Promise<string> {
    const refused = launchServer({ dataDir: server.dataDir, env: { ...env, ...changes } });
    expect(await refused.exited).toMatchObject({ code: 1 });
    expect(refused.url).toBe('');
    return refused.output();
  }

  beforeAll(async () => {
    kms = await startKmsServer();
    const { stdout } = await script('admin', ['create-master-key', '--kms', kms.createKey()]);
    // The server may decrypt, and nothing else.
    kms.allow('Decrypt');
    env = { ...kms.env, MASTER_KEY: stdout.trim() };
    server = await startServer({ env });
    company = await signUp(server.url, { role: 'company', displayName: 'Harbour Robotics' });
    ({ groupId } = await call<{ groupId: string }>(server.url, 'POST', '/v1/jobs', {
      token: company.accessToken,
      body: { title: 'Night watch', description: 'Be there when it starts again' },
    }));
    await call(server.url, 'POST', `/v1/groups/${groupId}/messages`, {
      token: company.accessToken,
      body: { clientMsgId: crypto.randomUUID(), text: 'first' },
    });
  }, 120_000);
  afterAll(async () => {
    await server?.killTree();
    await kms.stop();
    for (const dir of [server.dataDir, `${server.dataDir}-copy`])
      await rm(dir, { recursive: true, force: true });
  });

  test('asks KMS for it once, as it starts', () => {
    expect(kms.asked()).toEqual(['GenerateDataKey', 'Decrypt']);
    expect(env['MASTER_KEY']).toMatch(/^kms:/);
  });

  test('reads after a restart what was written before', async () => {
    expect(await server.stop()).toMatchObject({ code: 0 });
    server = await startServer({ dataDir: server.dataDir, env });
    expect(await texts()).toEqual(['first']);
    await server.stop();
  }, 120_000);

  test('does not start without KMS, and says why', async () => {
    const output = await endsWith({ AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${await freePort()}` });
    expect(output).toContain('MASTER_KEY has a key that is not decrypted. AWS KMS cannot be asked: connect');
  }, 120_000);

  test('does not start when KMS refuses, and says why', async () => {
    kms.allow();
    const output = await endsWith({});
    kms.allow('Decrypt');
    expect(output).toContain('MASTER_KEY has a key that is not decrypted. AWS KMS answered AccessDenied');
  }, 120_000);

  test.each([
    ['audit', ['verify']],
    ['audit', ['events']],
    ['projections', ['status']],
    ['admin', ['rotate-master-key']],
    ['log', ['copy', '--from', '{}', '--to', '{}-copy']],
  ])(
    'the script %s %s ends with the same words, and works once KMS does',
    async (file, words) => {
      const args = words.map((word) => word.replace('{}', server.dataDir));
      const settings = { MASTER_KEY: env['MASTER_KEY']!, DATA_DIR: server.dataDir };
      kms.allow();
      await expect(script(file, args, settings)).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^MASTER_KEY has a key that is not decrypted\. AWS KMS answered AccessDenied[^\n]*\n$/,
        ) as string,
      });
      kms.allow('Decrypt');
      const { stdout } = await script(file, args, settings);
      expect(stdout).not.toBe('');
    },
    120_000,
  );
});
