import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { launchServer } from '../../tools/server-process.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

describe('a start that fails', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'chat-failed-start-'));
    await chmod(folder, 0o777);
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  /** Resolves with what a server says that ends by itself, and the leases that it has taken. */
  async function failure(options: Parameters<typeof launchServer>[0]) {
    const server = launchServer({ ...options, env: { DATABASE_URL: database.ownerUrl, ...options?.env } });
    const { code } = await server.exited;
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    const { rows } = await client.query<{ name: string }>('select name from leases');
    await client.end();
    return { code, output: server.output(), leases: rows.map(({ name }) => name) };
  }

  test('for a port that is taken, takes no lease', async () => {
    const neighbour = await new Promise<Server>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
    });
    const { port } = neighbour.address() as { port: number };
    const { code, output, leases } = await failure({ port });
    await new Promise((resolve) => neighbour.close(resolve));
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`"level":"fatal".*EADDRINUSE.*127\\.0\\.0\\.1:${port}`));
    expect(output).not.toContain('leading');
    expect(leases).toEqual([]);
  }, 60_000);

  test('for a data folder that cannot be one, takes no lease', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const { code, output, leases } = await failure({ dataDir: join(file, 'data') });
    expect(code).toBe(1);
    expect(output).toMatch(/"level":"fatal".*ENOTDIR/);
    expect(output).not.toContain('leading');
    expect(leases).toEqual([]);
  }, 60_000);
});
