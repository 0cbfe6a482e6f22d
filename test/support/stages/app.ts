import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { compose } from '../../../src/compose.ts';
import { readConfig } from '../../../src/config.ts';
import { createTestDatabase, TEMPLATE_WITH_READ_MODELS } from './database.ts';
import { linesOf } from '../log-lines.ts';
import { beginAtTheEnd } from './log-servers.ts';

export interface Person {
  userId: string;
  email: string;
  password: string;
  accessToken: string;
  refreshToken: string;
}

interface Asked {
  as?: Person | undefined;
  /** Sent as JSON; `payload` is sent unchanged. */
  body?: unknown;
  payload?: string | Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed text, if it is JSON. */
  body: Record<string, unknown>;
}

const sealPrivateKey = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

/** The whole program on a database of its own, with limits that tests do not reach, and a REST client. */
export async function startApp(env: Record<string, string> = {}) {
  const database = await createTestDatabase(TEMPLATE_WITH_READ_MODELS);
  const { log, lines } = linesOf('info');
  const checkpoints = join(tmpdir(), `chat-checkpoints-${randomUUID()}.ndjson`);
  const { DATABASE_URL = database.ownerUrl, EVENTSTOREDB_URL } = env;
  if (EVENTSTOREDB_URL !== undefined) await beginAtTheEnd(DATABASE_URL, EVENTSTOREDB_URL);
  const shared = {
    DATABASE_URL,
    ...(EVENTSTOREDB_URL !== undefined && { EVENTSTOREDB_URL }),
    SEAL_URL: pathToFileURL(checkpoints).href,
    SEAL_PRIVATE_KEY: sealPrivateKey,
  };
  const config = readConfig({
    ...shared,
    PORT: '0',
    MESSAGES_PER_MINUTE: '1000000',
    REQUESTS_PER_MINUTE: '1000000',
    ANONYMOUS_REQUESTS_PER_MINUTE: '1000000',
    UPLOADS_PER_MINUTE: '1000000',
    LOGINS_PER_MINUTE: '1000000',
    FAILED_LOGINS_PER_MINUTE: '1000000',
    ...env,
  });
  const app = await compose(config, log);
  const ask = asker(app.url);

  /** Makes an account as the owner of the server does, because nobody can register with such a role. */
  async function hire(role: 'auditor' | 'admin'): Promise<Person> {
    const credentials = { email: `${randomUUID()}@example.org`, password: randomUUID() };
    const command = ['scripts/admin.ts', 'create-user', '--role', role, '--display-name', 'Grace'];
    const { email, password } = credentials;
    await promisify(execFile)(process.execPath, [...command, '--email', email, '--password', password], {
      env: { PATH: process.env['PATH'], ...shared },
    });
    return { ...credentials, ...(await logIn(ask, credentials)) };
  }

  return {
    url: app.url,
    databaseUrl: database.url,
    /** The settings of scripts that work beside it. */
    settings: shared,
    /** The file of the checkpoints of its log. */
    checkpoints,
    /** The log lines written so far. */
    lines,
    ask,
    async register(role: 'company' | 'applicant', displayName = `A ${role}`): Promise<Person> {
      const credentials = { email: `${randomUUID()}@example.org`, password: randomUUID() };
      const body = { role, displayName, ...credentials };
      const registered = await ask('POST', '/v1/auth/register', { body });
      if (registered.status !== 201) throw new Error(registered.text);
      return { ...credentials, ...(await logIn(ask, credentials)) };
    },
    hireAuditor: () => hire('auditor'),
    hireOperator: () => hire('admin'),
    logIn: async (person: Person): Promise<Person> => ({ ...person, ...(await logIn(ask, person)) }),
    async stop() {
      await app.stop();
      await database.drop();
      await rm(checkpoints, { force: true });
    },
  };
}
export type TestApp = Awaited<ReturnType<typeof startApp>>;
type Ask = ReturnType<typeof asker>;

const asker =
  (url: string) =>
  async (method: string, path: string, { as, body, payload, headers }: Asked = {}): Promise<Answer> => {
    const sent = body === undefined ? payload : JSON.stringify(body);
    const response = await fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: {
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...(as && { authorization: `Bearer ${as.accessToken}` }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent }),
    });
    const text = await response.text();
    const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
  };

interface LoggedIn {
  user: { id: string };
  accessToken: string;
  refreshToken: string;
}

async function logIn(ask: Ask, { email, password }: { email: string; password: string }) {
  const { status, text, body } = await ask('POST', '/v1/auth/login', { body: { email, password } });
  if (status !== 200) throw new Error(text);
  const { user, accessToken, refreshToken } = body as unknown as LoggedIn;
  return { userId: user.id, accessToken, refreshToken };
}
