import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { generateTypes } from '../../tools/openapi-types/generate-types.ts';
import { httpStage } from '../support/stages/http-stage.ts';

interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  example?: unknown;
}
interface Operation {
  parameters?: { in: string; name: string; required: boolean; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const TSC = resolve('node_modules/typescript/bin/tsc');
const OPENAPI_FETCH = fileURLToPath(import.meta.resolve('openapi-fetch'));
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
type Message = components['schemas']['Message'];
type Problem = components['schemas']['Problem'];
const group = { path: { groupId: 'a group' } };
const message = { clientMsgId: 'one', text: null, fileIds: ['a file'] };
const sent = await api.POST('/v1/groups/{groupId}/messages', { params: group, body: message });
const acknowledged: components['schemas']['MessageSent'] = sent.data!;
const query = { afterSeq: acknowledged.seq };
const page = await api.GET('/v1/groups/{groupId}/messages', { params: { ...group, query } });
export const texts: (string | null)[] = page.data!.data.map((each: Message) => each.text);
const { data: chat } = await api.GET('/v1/groups/{groupId}', { params: group });
export const last: Message | null = chat!.lastMessage;
const { error } = await api.GET('/v1/jobs/{jobId}', { params: { path: { jobId: 'a job' } } });
const problem: Problem = error!;
export function meaningOf(code: NonNullable<typeof error>['code']): number {
  switch (code) {
    case 'BAD_REQUEST':
    case 'RATE_LIMITED':
    case 'POSITION_UNKNOWN':
      return 1;
    case 'TOKEN_MISSING':
    case 'TOKEN_INVALID':
    case 'TOKEN_EXPIRED':
    case 'TOKEN_REVOKED':
    case 'USER_TOKEN_REQUIRED':
    case 'CLIENT_TOKEN_REQUIRED':
    case 'ROLE_NOT_ALLOWED':
    case 'SECOND_FACTOR_REQUIRED':
      return 2;
    case 'JOB_NOT_FOUND':
      return 3;
    case 'UNAVAILABLE':
    case 'NOT_CAUGHT_UP':
    case 'INTERNAL':
      return 4;
  }
}
// @ts-expect-error Only codes of the call are known.
export const isOther: boolean = error!.code === 'EMAIL_TAKEN';
export const title: string = problem.title;
const applied = await api.POST('/v1/jobs/{jobId}/applications', { params: { path: { jobId: 'a job' } } });
export const { groupId }: components['schemas']['Applied'] = applied.data!;
// @ts-expect-error Only fields of the schema are taken.
export const job: components['schemas']['PostJob'] = { title: 'Engineer', description: 'Builds', salary: 1 };
// @ts-expect-error A body has its required fields.
await api.POST('/v1/jobs', { body: { title: 'Engineer' } });
// @ts-expect-error A path has its parameters.
await api.GET('/v1/jobs/{jobId}');
// @ts-expect-error Only parameters of the query are taken.
await api.GET('/v1/jobs', { params: { query: { salary: 1 } } });
// @ts-expect-error Only paths of the document are known.
await api.GET('/v1/salaries');
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

  function valueOf({ type, enum: values }: Schema) {
    if (type === 'array') return ['open'];
    return type === 'integer' ? 1 : (values?.[0] ?? 'open');
  }

  /** Writes a call of an operation, with all parameters of its path and query and its example as the body. */
  function callOf(method: string, path: string, { parameters = [], requestBody }: Operation): string {
    const params: Record<string, Record<string, unknown>> = {};
    for (const { in: place, name, schema } of parameters)
      if (place !== 'header') (params[place] ??= {})[name] = valueOf(schema);
    const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
    const example = schema?.$ref && document.components.schemas[schema.$ref.split('/').at(-1)!]?.example;
    const body = schema && (example ?? 'bytes');
    return `await api.${method.toUpperCase()}('${path}', ${JSON.stringify({ params, body })});`;
  }

  test('compiles together with a call of each route', async () => {
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => callOf(method, path, operation)),
    );
    expect(calls.length).toBeGreaterThan(45);
    const program = [
      `import createClient from '${OPENAPI_FETCH}';`,
      "import type { components, paths } from './openapi.ts';",
      "const api = createClient<paths>({ baseUrl: 'http://127.0.0.1' });",
      ...calls,
      BY_HAND,
    ];
    await writeFile(join(folder, 'openapi.ts'), await generateTypes(document));
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
