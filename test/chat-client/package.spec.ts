import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { CLIENT_TYPES, clientTypes } from '../../tools/client-types.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';
import { until } from '../../tools/until.ts';

const PACKAGE = resolve('packages/chat-client');
const MOST_BYTES = 20_000;
const run = promisify(execFile);

const compilerOptions = {
  noEmit: true,
  strict: true,
  module: 'nodenext',
  target: 'es2024',
  lib: ['es2024', 'dom', 'dom.iterable'],
  types: [],
};

/** What a developer would write. */
const BY_HAND = `
import { ChatProblem, createChatClient, type Message, type ProblemCode } from 'slay-e-chat-client';
const chat = createChatClient({ url: 'http://127.0.0.1:3000' });
await chat.logIn({ email: 'ada@example.com', password: 'a long enough secret' });
chat.messages('a group').subscribe(({ messages }) => {
  const last: Message | undefined = messages.at(-1);
  const name: string | undefined = last?.sender.displayName;
  console.log(name);
});
const sent = await chat.send({ groupId: 'a group', text: 'Hello' }).done.catch((error: unknown) => {
  if (!(error instanceof ChatProblem)) throw error;
  const code: ProblemCode = error.code;
  if (code === 'GROUP_CLOSED') return undefined;
  // @ts-expect-error Only codes of the server are known.
  if (code === 'GROUP_CLOSD') return undefined;
  throw error;
});
export const seq: number | undefined = sent?.seq;
const { data } = await chat.rest.GET('/v1/jobs', { params: { query: { q: 'engineer' } } });
export const companies: string[] = data!.data.map(({ company }) => company.name);
chat.on('typing', ({ userId }) => console.log(userId));
// @ts-expect-error Only pushes of the server are known.
chat.on('typed', () => {});
// @ts-expect-error An event has its payload.
await chat.ask('markRead', { groupId: 'a group' });
`;

describe('the client package', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chat-client-'));
    // As an installation leaves it: what is published, beside what it depends on.
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: PACKAGE });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    const modules = join(folder, 'node_modules');
    await mkdir(join(modules, 'slay-e-chat-client'), { recursive: true });
    await run('tar', [
      '-xzf',
      join(folder, filename),
      '-C',
      join(modules, 'slay-e-chat-client'),
      '--strip-components=1',
    ]);
    const { dependencies } = JSON.parse(await readFile(join(PACKAGE, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    for (const name of [
      ...Object.keys(dependencies),
      'openapi-typescript-helpers',
      'engine.io-client',
      'socket.io-parser',
      '@socket.io',
    ])
      await symlink(resolve('node_modules', name), join(modules, name));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('has the types of the documents of the server', async () => {
    const app: TestApp = await startApp();
    try {
      const [rest, socket] = await Promise.all(
        ['/openapi.json', '/asyncapi.json'].map(async (path) => (await app.ask('GET', path)).body),
      );
      const types = await clientTypes(rest as never, socket as never);
      // `npm run client-types` writes them.
      expect(types === (await readFile(CLIENT_TYPES, 'utf8'))).toBe(true);
    } finally {
      await app.stop();
    }
  }, 60_000);

  test('is typed for those who install it', async () => {
    await writeFile(join(folder, 'by-hand.ts'), BY_HAND);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['by-hand.ts'] }),
    );
    const tsc = resolve('node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', folder]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  }, 60_000);

  test('runs for those who install it', async () => {
    const program = `
      import { createChatClient } from 'slay-e-chat-client';
      const chat = createChatClient({ url: 'http://127.0.0.1:9' });
      console.log(chat.connection.getSnapshot().status);`;
    await writeFile(join(folder, 'run.mjs'), program);
    const { stdout, stderr } = await run(process.execPath, [join(folder, 'run.mjs')]);
    expect([stdout.trim(), stderr]).toEqual(['closed', '']);
  });

  test('holds the conversation of its README', async () => {
    const app = await startApp();
    const [acme, ada] = [await app.register('company', 'Acme'), await app.register('applicant', 'Ada')];
    const body = { title: 'Engineer', description: 'Builds engines' };
    const { jobId } = (await app.ask('POST', '/v1/jobs', { as: acme, body })).body;
    await app.ask('POST', `/v1/jobs/${jobId as string}/applications`, { as: ada, body: {} });
    const readme = await readFile(join(PACKAGE, 'README.md'), 'utf8');
    const program = /```js\n([^]*?)```/.exec(readme)![1]!;
    expect(program.split('\n').length).toBeLessThanOrEqual(16);
    const own = program
      .replace('http://127.0.0.1:3000', app.url)
      .replace('ada@example.com', ada.email)
      .replace('a long enough secret', ada.password);
    await writeFile(join(folder, 'chat.mjs'), own);
    const child = spawn(process.execPath, [join(folder, 'chat.mjs')]);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    try {
      await until(() => output.includes('Engineer'), 'the group');
      child.stdin.write('Hello from a terminal\n');
      await until(() => output.includes('Ada: Hello from a terminal'), 'the message');
    } finally {
      child.kill('SIGKILL');
      await app.stop();
    }
  }, 60_000);

  test(`takes less than ${MOST_BYTES} bytes of a page, compressed, without Socket.IO`, async () => {
    const { outputFiles } = await build({
      entryPoints: [join(PACKAGE, 'src/index.ts')],
      ...{ bundle: true, minify: true, write: false, format: 'esm', external: ['socket.io-client'] },
    });
    expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThan(MOST_BYTES);
  });
});
