import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { createUser, restrictStreams } from '../../../src/adapters/eventstoredb/access.ts';
import { startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { freePort } from '../../../tools/server-process.ts';

/** The part of EventStoreDB's HTTP API that creates users, as version 24.6 answers. */
describe('The application’s user of EventStoreDB', () => {
  const users = new Map<string, string>();
  let server: Server;
  let port: number;

  beforeEach(async () => {
    users.clear();
    server = createServer((request, response) => {
      const [, name] = /^\/users\/([^/]+)\/command\/reset-password$/.exec(request.url!) ?? [];
      const end = (status: number) => void response.writeHead(status).end();
      const isAdmin = request.headers.authorization === `Basic ${btoa('admin:p@ss')}`;
      void json(request).then((body) => {
        const { loginName, password, newPassword } = body as Record<string, string>;
        if (!isAdmin) return end(401);
        if (name !== undefined) {
          users.set(name, newPassword!);
          return end(200);
        }
        if (users.has(loginName!)) return end(409);
        users.set(loginName!, password!);
        return end(201);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => void server.close());

  const url = (password = 'p%40ss', hosts = `127.0.0.1:${port}`) =>
    `esdb://admin:${password}@${hosts}?tls=false`;

  test('is created, and gets a new password when it exists', async () => {
    await createUser(url(), 'chat', 'first');
    expect(users).toEqual(new Map([['chat', 'first']]));
    await createUser(url(), 'chat', 'second');
    expect(users).toEqual(new Map([['chat', 'second']]));
  });

  test('is created through any node that answers', async () => {
    await createUser(url('p%40ss', `127.0.0.1:${await freePort()},127.0.0.1:${port}`), 'chat', 'first');
    expect(users.size).toBe(1);
    const nowhere = url('p%40ss', `127.0.0.1:${await freePort()}`);
    await expect(createUser(nowhere, 'chat', 'first')).rejects.toThrow('no node of EventStoreDB answers');
  });

  test('is not created with a wrong password of the administrator', async () => {
    await expect(createUser(url('wrong'), 'chat', 'first')).rejects.toThrow('EventStoreDB answered 401');
    expect(users.size).toBe(0);
  });

  test('may read and append; only administrators may delete', async () => {
    const eventStoreDb = await startEventStoreDb();
    await restrictStreams(eventStoreDb.url, 'chat');
    const stored = eventStoreDb
      .events()
      .filter(({ type }) => type === '$metadata' || type === 'update-default-acl')
      .map(({ stream, data }) => [stream, JSON.parse(new TextDecoder().decode(data))]);
    expect(stored).toEqual([
      ['$$$all', { $acl: { $r: ['chat', '$admins'], $mr: ['chat', '$admins'] } }],
      [
        '$settings',
        {
          $userStreamAcl: {
            ...{ $r: ['chat', '$admins'], $w: ['chat', '$admins'], $d: '$admins' },
            ...{ $mr: ['chat', '$admins'], $mw: '$admins' },
          },
          $systemStreamAcl: { $r: '$admins', $w: '$admins', $d: '$admins', $mr: '$admins', $mw: '$admins' },
        },
      ],
    ]);
    await eventStoreDb.stop();
  });
});
