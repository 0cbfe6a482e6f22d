import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { generateApi } from 'swagger-typescript-api';
import { httpStage } from '../support/stages/http-stage.ts';

interface Schema {
  $ref?: string;
  type?: string;
  example?: unknown;
}
interface Operation {
  operationId: string;
  tags: [string];
  parameters?: { in: string; name: string; required: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const TSC = resolve('node_modules/typescript/bin/tsc');
const compilerOptions = {
  noEmit: true,
  strict: true,
  module: 'nodenext',
  target: 'es2024',
  lib: ['es2024', 'dom', 'dom.iterable'],
  types: [],
};

/** Code that a developer would write with the generated types. */
const BY_HAND = `
const sent: MessageSent = (await api.messages.sendMessage('a group', { clientMsgId: 'one', text: null, fileIds: ['a file'] })).data;
const { data: history } = await api.messages.listMessages('a group', { afterSeq: sent.seq });
export const texts: (string | null)[] = history.data.map((message: Message) => message.text);
export const last: Message | null = (await api.groups.getGroup('a group')).data.lastMessage;
export const title = await api.jobs.getJob('a job').catch(({ error }: { error: Problem }) => error.title);
export const applied: Applied = (await api.applications.apply('a job')).data;
// @ts-expect-error Only fields of the schema are taken.
await api.jobs.postJob({ title: 'Engineer', description: 'Builds engines', salary: 1 });
`;

describe('a client generated from the OpenAPI document', () => {
  let folder: string;
  let document: Document;

  beforeAll(async () => {
    const stage = await httpStage();
    document = (await stage.ask('GET', '/openapi.json')).body as unknown as Document;
    await stage.close();
    folder = await mkdtemp(join(tmpdir(), 'openapi-client-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Writes a call of an operation, with all parameters and its example as the body. */
  function callOf(
    { operationId, tags: [tag], parameters = [], requestBody }: Operation,
    path: string,
  ): string {
    const inPath = [...path.matchAll(/\{\w+\}/g)].map(() => "'x'");
    const query = parameters
      .filter((each) => each.in === 'query')
      .map(({ name, schema }) => `${name}: ${schema.type === 'integer' ? 1 : "'open'"}`);
    const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
    const example = schema?.$ref && document.components.schemas[schema.$ref.split('/').at(-1)!]?.example;
    const body = schema && (example ? JSON.stringify(example) : 'new File([], "x")');
    const given = [
      ...inPath,
      ...(query.length > 0 ? [`{ ${query.join(', ')} }`] : []),
      ...(body ? [body] : []),
    ];
    return `await api.${tag.toLowerCase()}.${operationId}(${given.join(', ')});`;
  }

  test('compiles together with a call of each route', async () => {
    const { files } = await generateApi({
      spec: document as never,
      output: false,
      silent: true,
      moduleNameFirstTag: true,
    });
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => callOf(operation, path)),
    );
    expect(calls.length).toBeGreaterThan(45);
    const program = [
      "import { Api, type Applied, type Message, type MessageSent, type Problem } from './client.ts';",
      "const api = new Api({ baseUrl: 'http://127.0.0.1' });",
      ...calls,
      BY_HAND,
    ];
    await writeFile(join(folder, 'client.ts'), files[0]!.fileContent);
    await writeFile(join(folder, 'calls.mts'), program.join('\n'));
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, allowImportingTsExtensions: true } }),
    );
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [TSC, '--project', folder]).catch(
      (error: unknown) => error as { stdout: string },
    );
    expect(stdout).toBe('');
  });
});
