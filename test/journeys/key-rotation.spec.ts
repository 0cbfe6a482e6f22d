import { execFile } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { SignJWT, decodeJwt, decodeProtectedHeader } from 'jose';
import pg from 'pg';
import { type Socket, io } from 'socket.io-client';
import { loadSigningKey, makeSigningKey } from '../../src/auth/tokens/signing-keys.ts';
import { Listener } from '../../tools/listener.ts';
import { ChatProblem, type Session, call, renew, signUp } from '../../tools/rest.ts';
import { startRedis } from '../../tools/redis.ts';
import { newId } from '../../src/kit/uuids.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { startApp } from '../support/stages/app.ts';
import { createTestDatabase } from '../support/stages/database.ts';

const START_MS = 120_000;
const publicHalf = (pem: string) => createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
const kidOf = (token: string) => decodeProtectedHeader(token).kid!;

/** Two nodes behind which clients go on while keys and nodes change. */
async function startNodes(env: Record<string, string>) {
  const [database, redis] = await Promise.all([createTestDatabase(), startRedis()]);
  const ports = [await freePort(), await freePort()] as const;
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const nodes: ServerProcess[] = [];
  const start = async (n: number, settings: Record<string, string>) => {
    nodes[n] = await startServer({
      port: ports[n]!,
      ...(nodes[n] && { dataDir: nodes[n].dataDir }),
      env: {
        ...{ DATABASE_URL: database.ownerUrl, REDIS_URL: redis.url },
        ...{
          LOGINS_PER_MINUTE: '100000',
          ANONYMOUS_REQUESTS_PER_MINUTE: '1000000',
          REQUESTS_PER_MINUTE: '1000000',
        },
        ...settings,
      },
      readyWithinMs: START_MS,
    });
  };
  await Promise.all([start(0, env), start(1, env)]);
  return {
    database,
    urls,
    /** Restarts one node after the other with other settings. */
    async roll(settings: Record<string, string>) {
      for (const n of [0, 1]) {
        await nodes[n]!.stop();
        await start(n, settings);
      }
    },
    keysOf: async (url: string) => {
      const { keys } = await call<{ keys: { kid: string }[] }>(url, 'GET', '/.well-known/jwks.json');
      return keys.map(({ kid }) => kid);
    },
    async stop() {
      for (const node of nodes) {
        await node.killTree();
        await rm(node.dataDir, { recursive: true, force: true });
      }
      await redis.stop();
      await database.drop();
    },
  };
}
type Nodes = Awaited<ReturnType<typeof startNodes>>;

/** Calls both nodes, over REST and with new sockets, with every token that was ever given, and gets new ones on and on. */
function startClients(urls: readonly string[], people: readonly Session[]) {
  const tokens = new Map(people.map(({ accessToken }) => [accessToken, kidOf(accessToken)]));
  const refusals: string[] = [];
  let rounds = 0;
  let isStopping = false;
  /** The outage of a node that restarts is no refusal: its clients try again. */
  const note = (what: string) => (error: unknown) => {
    if (error instanceof ChatProblem && error.status === 401) refusals.push(`${what}: ${error.message}`);
  };
  const isOpened = (socket: Socket) =>
    new Promise<void>((resolve) => {
      socket.once('connect', resolve);
      // A node that stops closes the connection before it has answered.
      socket.io.once('close', () => resolve());
      socket.once('connect_error', (error: Error & { data?: { code: string } }) => {
        if (error.data) refusals.push(`socket: ${error.data.code}`);
        resolve();
      });
    });

  async function visit(url: string, token: string): Promise<void> {
    await call(url, 'GET', '/v1/me', { token }).catch(note('REST'));
    const socket = io(url, {
      transports: ['websocket'],
      auth: { token },
      reconnection: false,
      forceNew: true,
    });
    await isOpened(socket);
    socket.disconnect();
  }

  async function goOn(): Promise<void> {
    const sessions = [...people];
    while (!isStopping) {
      for (const [n, session] of sessions.entries()) {
        // A refresh is repeated with the same token until it is answered.
        const url = urls[(rounds + n) % urls.length]!;
        const fresh = await renew({ ...session, url }).catch((error: unknown) => note('refresh')(error));
        if (!fresh) continue;
        sessions[n] = fresh;
        tokens.set(fresh.accessToken, kidOf(fresh.accessToken));
      }
      const one = [...new Map([...tokens].map(([token, kid]) => [kid, token])).values()];
      const recent = [...tokens.keys()].slice(-4);
      for (const url of urls) await Promise.all([...one, ...recent].map((token) => visit(url, token)));
      rounds += 1;
    }
  }

  const ended = goOn();
  return {
    tokens,
    refusals,
    /** Resolves when all have called a few times more. */
    async someMore() {
      const from = rounds;
      await until(() => rounds > from + 3, 'the clients to go on', 60_000);
    },
    async stop() {
      isStopping = true;
      await ended;
    },
  };
}

describe('clients of two nodes are never refused', () => {
  let nodes: Nodes;
  let people: Session[];
  let clients: ReturnType<typeof startClients>;
  const begin = async (env: Record<string, string>) => {
    nodes = await startNodes(env);
    people = [];
    for (const displayName of ['Ada', 'Bob'])
      people.push(await signUp(nodes.urls[0]!, { role: 'applicant', displayName }));
    clients = startClients(nodes.urls, people);
  };
  afterEach(async () => {
    await clients?.stop();
    await nodes?.stop();
  }, 60_000);
  const codeAt = (url: string, token: string) =>
    call(url, 'GET', '/v1/me', { token }).then(
      () => 'let in',
      (error: unknown) => (error instanceof ChatProblem ? error.code : String(error)),
    );
  const onBoth = async (is: (url: string) => Promise<boolean>) =>
    (await Promise.all(nodes.urls.map(is))).every(Boolean);

  test(
    'while a rolling restart gives them another key, of another algorithm',
    async () => {
      const [k1, k2] = [makeSigningKey('EdDSA'), makeSigningKey('ES256')];
      await begin({ JWT_PRIVATE_KEY: k1 });
      const [first] = [...clients.tokens.values()];
      await clients.someMore();
      await nodes.roll({ JWT_PRIVATE_KEY: k1, JWT_PREVIOUS_KEYS: publicHalf(k2) });
      const [, second] = await nodes.keysOf(nodes.urls[0]!);
      await clients.someMore();
      await nodes.roll({ JWT_PRIVATE_KEY: k2, JWT_PREVIOUS_KEYS: publicHalf(k1) });
      await clients.someMore();
      expect(new Set(clients.tokens.values())).toEqual(new Set([first, second]));
      expect(clients.refusals).toEqual([]);
      await clients.stop();

      await nodes.roll({ JWT_PRIVATE_KEY: k2 });
      const [old] = [...clients.tokens.keys()];
      for (const url of nodes.urls) {
        expect(await nodes.keysOf(url)).toEqual([second]);
        expect(await codeAt(url, old!)).toBe('TOKEN_INVALID');
      }
    },
    4 * START_MS,
  );

  test(
    'while an operator rotates the key in the database; and only those of a leaked key are',
    async () => {
      await begin({});
      const [first] = await nodes.keysOf(nodes.urls[0]!);
      const admin = (...args: string[]) =>
        promisify(execFile)(process.execPath, ['scripts/admin.ts', 'rotate-key', ...args], {
          env: { PATH: process.env['PATH'], DATABASE_URL: nodes.database.ownerUrl },
        });
      const db = new pg.Pool({ connectionString: nodes.database.ownerUrl, max: 1 });
      /** Lets the time come that a version waits for. */
      const letPass = (column: 'signs_at' | 'retires_at') =>
        db.query(
          `update signing_keys set ${column} = now() where name = 'access-tokens' and ${column} > now()`,
        );
      try {
        expect((await admin()).stdout).toMatch(/^access-tokens: version 2 signs in 10 min/);
        await until(
          () => onBoth(async (url) => (await nodes.keysOf(url)).length === 2),
          'both to publish it',
        );
        const [, second] = await nodes.keysOf(nodes.urls[0]!);
        await clients.someMore();
        expect(new Set(clients.tokens.values())).toEqual(new Set([first]));

        await letPass('signs_at');
        await until(
          () => onBoth(async (url) => (await nodes.keysOf(url))[0] === second),
          'both to sign with it',
        );
        await clients.someMore();
        expect(new Set(clients.tokens.values())).toEqual(new Set([first, second]));
        await expect(admin('--key', 'none')).rejects.toMatchObject({ code: 2 });

        // Not even without a lead: whoever gets a token of an unknown key looks for the key.
        expect((await admin('--lead-minutes', '0')).stdout).toMatch(
          /^access-tokens: version 3 signs in 0 min/,
        );
        await until(() => new Set(clients.tokens.values()).size === 3, 'a token of the third');
        await clients.someMore();
        expect(clients.refusals).toEqual([]);
        await clients.stop();

        await letPass('retires_at');
        const isAlone = (kid: string | undefined) =>
          onBoth(async (url) => {
            const keys = await nodes.keysOf(url);
            return keys.length === 1 && keys[0] === kid;
          });
        const third = [...clients.tokens.values()].at(-1);
        await until(() => isAlone(third), 'the old ones to end');
        const [old] = [...clients.tokens.keys()];
        const [recent] = [...clients.tokens.keys()].slice(-1);
        for (const url of nodes.urls) {
          expect(await codeAt(url, old!)).toBe('TOKEN_INVALID');
          expect(await codeAt(url, recent!)).toBe('let in');
        }

        expect((await admin('--now')).stdout).toMatch(/^access-tokens: version 4 signs from now on/);
        await until(
          () => onBoth(async (url) => (await codeAt(url, recent!)) === 'TOKEN_INVALID'),
          'the tokens of the leaked key to be refused',
          5_000,
        );
        const again = await signUp(nodes.urls[0]!, { role: 'applicant', displayName: 'Eve' });
        for (const url of nodes.urls) expect(await codeAt(url, again.accessToken)).toBe('let in');
      } finally {
        await db.end();
      }
    },
    4 * START_MS,
  );
});

test('open sockets outlive a rotation, end when their key is withdrawn, and come back with new tokens', async () => {
  const app = await startApp();
  const rotate = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['scripts/admin.ts', 'rotate-key', ...args], {
      env: { PATH: process.env['PATH'], ...app.settings },
    });
  const clients: Listener[] = [];
  /** A client that reconnects by itself, with what it was told whenever its socket ended. */
  async function connect(displayName: string) {
    const session = await signUp(app.url, { role: 'applicant', displayName });
    const client = new Listener(session);
    clients.push(client);
    const ends: unknown[] = [];
    client.chat.on('sessionEnded', (told) => ends.push(told));
    client.chat.connection.subscribe(({ reason }) => {
      if (reason !== undefined) ends.push(reason);
    });
    await client.connect();
    return { client, kid: () => kidOf(session.accessToken), ends };
  }
  /** The token is looked at before the group, which nobody made. */
  const isTrusted = ({ client }: { client: Listener }) =>
    expect(client.ask('joinRoom', { groupId: newId() })).rejects.toThrow('GROUP_NOT_FOUND');
  try {
    const ada = await connect('Ada');
    await rotate('--lead-minutes', '0');
    let bob = await connect('Bob');
    await until(async () => {
      if (bob.kid() === ada.kid()) bob = await connect('Bob');
      return bob.kid() !== ada.kid();
    }, 'the new key to sign');
    await isTrusted(ada);
    const leaked = [ada.kid(), bob.kid()];

    await rotate('--now');
    let eve = await connect('Eve');
    await until(async () => {
      if (leaked.includes(eve.kid())) eve = await connect('Eve');
      return !leaked.includes(eve.kid());
    }, 'the newest key to sign');
    for (const { client, kid, ends } of [ada, bob]) {
      await until(() => ends.length === 2, 'the socket to end', 5_000);
      await until(() => client.isConnected, 'it to come back');
      expect(kid()).toBe(eve.kid());
      await isTrusted({ client });
      // Once, and so not after the first rotation.
      expect(ends).toEqual([{ code: 'TOKEN_INVALID' }, 'transport close']);
    }
    await isTrusted(eve);
    expect(eve.ends).toEqual([]);
  } finally {
    for (const client of clients) client.close();
    await app.stop();
  }
}, 60_000);

test('a token of a version that knew one key of Ed25519 is accepted after the upgrade, until it would have ended', async () => {
  const own = await createTestDatabase();
  const db = new pg.Pool({ connectionString: own.ownerUrl, max: 1 });
  const pem = makeSigningKey('EdDSA');
  await db.query(`insert into signing_keys (name, key) values ('access-tokens', $1)`, [pem]);
  const app = await startApp({ DATABASE_URL: own.ownerUrl });
  try {
    const key = await loadSigningKey(pem);
    const ada = await app.register('applicant');
    const { client_id: _, ...claims } = decodeJwt(ada.accessToken);
    const old = await new SignJWT({ ...claims, iss: 'slay-e-chatapp' })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: key.kid })
      .sign(key.privateKey);
    const status = async () =>
      (await app.ask('GET', '/v1/me', { headers: { authorization: `Bearer ${old}` } })).status;
    const published = async () =>
      ((await app.ask('GET', '/.well-known/jwks.json')).body['keys'] as { alg: string }[]).map(
        ({ alg }) => alg,
      );
    const pass = (column: string) =>
      db.query(`update signing_keys set ${column} = now() where ${column} > now()`);

    expect(decodeProtectedHeader(ada.accessToken).kid).toBe(key.kid);
    expect(await published()).toEqual(['EdDSA', 'ES256']);
    expect(await status()).toBe(200);
    await pass('signs_at');
    await until(async () => (await published())[0] === 'ES256', 'the new key to sign');
    expect(decodeProtectedHeader((await app.logIn(ada)).accessToken).alg).toBe('ES256');
    expect(await status()).toBe(200);
    await pass('retires_at');
    await until(async () => (await published()).length === 1, 'the old key to disappear');
    expect(await status()).toBe(401);
  } finally {
    await app.stop();
    await db.end();
    await own.drop();
  }
}, 60_000);
