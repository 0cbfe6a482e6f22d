import { randomUUID } from 'node:crypto';
import { type BoardUsers, RoleFixed, createBoardUsers } from '../../../src/auth/clients/board-users.ts';
import { EmailTaken } from '../../../src/auth/credentials.ts';
import type { HandleCommand } from '../../../src/commands/handle-command.ts';
import { EventStoreUnavailable } from '../../../src/events/event-store.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { createBoardUserStore } from '../../../src/adapters/postgres/tables/board-users.ts';
import { type AuthStage, ada as registered, authStage } from '../../support/stages/auth-stage.ts';
import { makeClient } from '../../support/stages/service-clients.ts';

let stage: AuthStage;
let client: { clientId: string };
let users: BoardUsers;
beforeEach(async () => {
  stage = await authStage();
  client = await makeClient(stage.url);
  users = usersWith(stage.handle);
});
afterEach(() => stage.close());

const usersWith = (handle: HandleCommand) =>
  createBoardUsers({
    ...{ store: createBoardUserStore(stage.pool), credentials: stage.credentials },
    ...{ accessTokens: stage.accessTokens, handle, onEnded: stage.revocations.revoke, newId },
  });

const ada = { role: 'applicant', displayName: 'Ada' } as const;
const put = (user: Parameters<BoardUsers['put']>[1]['user'], by: BoardUsers = users, externalId = '4711') =>
  by.put(client, { externalId, user, correlationId: 'a request' });
const types = async () => (await stage.log()).map(({ type }) => type);
const letters = async () =>
  (await stage.pool.query('select kind, address from account_letters order by address')).rows as object[];
const asked = { lifetimeSeconds: 60, userAgent: undefined, issuer: 'test' };

describe('Putting a user of a board', () => {
  test('records an account without a password, made through the client', async () => {
    const { userId, position, isNew } = await put(ada);
    expect(isNew).toBe(true);
    const [event, ...others] = await stage.log();
    expect(others).toStrictEqual([]);
    expect(event).toMatchObject({
      ...{ type: 'AccountRegistered', position, data: { userId, ...ada } },
      metadata: { actorId: null, via: { clientId: client.clientId } },
    });
    expect(await stage.credentials.ofUser(userId)).toMatchObject({
      ...{ email: null, passwordHash: null, registered: true, emailVerified: false },
    });
  });

  test('again changes nothing, and a changed name appends ProfileChanged', async () => {
    const first = await put(ada);
    const again = await put(ada);
    expect(again).toStrictEqual({ ...first, isNew: false });
    const renamed = await put({ ...ada, displayName: 'Countess' });
    expect(renamed).toMatchObject({ userId: first.userId, isNew: false });
    expect(renamed.position).toBeGreaterThan(first.position);
    expect(await types()).toStrictEqual(['AccountRegistered', 'ProfileChanged']);
    expect(await stage.loadAccount(first.userId)).toMatchObject({ displayName: 'Countess' });
  });

  test('makes one account of requests at the same time, with and without an address', async () => {
    for (const email of [undefined, 'ada@example.org']) {
      const externalId = randomUUID();
      const before = (await types()).length;
      const done = await Promise.all(
        Array.from({ length: 10 }, () => put({ ...ada, email, emailVerified: true }, users, externalId)),
      );
      expect(new Set(done.map(({ userId }) => userId)).size).toBe(1);
      expect(done.filter(({ isNew }) => isNew)).toHaveLength(1);
      expect((await types()).length).toBe(before + 1);
    }
  });

  test('finishes what a process began that died before or after the event', async () => {
    const beforeEvent = usersWith(async () => {
      throw new EventStoreUnavailable('gone');
    });
    await expect(put(ada, beforeEvent)).rejects.toThrow(EventStoreUnavailable);
    expect(await types()).toStrictEqual([]);
    const { userId } = await put(ada);
    expect(await types()).toStrictEqual(['AccountRegistered']);

    const afterEvent = createBoardUsers({
      ...{ store: createBoardUserStore(stage.pool), accessTokens: stage.accessTokens, newId },
      ...{ handle: stage.handle, onEnded: stage.revocations.revoke },
      credentials: {
        markRegistered: async () => {
          throw new Error('killed');
        },
      },
    });
    const bob = { ...ada, displayName: 'Bob' };
    await expect(put(bob, afterEvent, 'bob')).rejects.toThrow('killed');
    const finished = await put(bob, users, 'bob');
    expect(finished.userId).not.toBe(userId);
    expect(await types()).toStrictEqual(['AccountRegistered', 'AccountRegistered']);
    expect(await stage.credentials.unregistered()).toStrictEqual([]);
  });

  test('is finished at the start of a node when nobody repeats it', async () => {
    const gone = usersWith(async () => {
      throw new EventStoreUnavailable('gone');
    });
    await expect(put(ada, gone)).rejects.toThrow(EventStoreUnavailable);
    await stage.registration.completeAll();
    expect(await types()).toStrictEqual(['AccountRegistered']);
  });

  test('refuses another role', async () => {
    await put(ada);
    await expect(put({ ...ada, role: 'company' })).rejects.toThrow(RoleFixed);
  });

  test('refuses the address of another account, and never joins the two', async () => {
    await stage.registration.register(registered);
    await expect(put({ ...ada, email: registered.email, emailVerified: true })).rejects.toThrow(EmailTaken);
    const { userId } = await put(ada);
    await expect(put({ ...ada, email: registered.email })).rejects.toThrow(EmailTaken);
    expect(await stage.credentials.ofUser(userId)).toMatchObject({ email: null });
  });

  test('believes the board about an address, and writes to any other to have it proved', async () => {
    const credential = async () => stage.credentials.ofUser((await users.find(client, '4711'))!.userId);
    const email = 'ada@board.example';
    await put({ ...ada, email, emailVerified: true });
    expect(await credential()).toMatchObject({ email, emailVerified: true });
    expect(await letters()).toStrictEqual([]);
    // Kept: neither an absent address nor an absent word about it changes anything.
    await put(ada);
    await put({ ...ada, email });
    expect(await credential()).toMatchObject({ email, emailVerified: true });

    await put({ ...ada, email: 'new@board.example' });
    expect(await credential()).toMatchObject({ email: 'new@board.example', emailVerified: false });
    expect(await letters()).toStrictEqual([{ kind: 'verification', address: 'new@board.example' }]);
    await put({ ...ada, email: 'new@board.example', emailVerified: true });
    expect(await credential()).toMatchObject({ emailVerified: true });
    expect(await letters()).toHaveLength(1);
  });
});

describe('An account of a board', () => {
  test('is opened by no password, at the cost of any other login, and gets none by a letter', async () => {
    const email = 'ada@board.example';
    const { userId } = await put({ ...ada, email, emailVerified: true });
    const attempt = { email, password: 'any password at all', address: '192.0.2.1' };
    await expect(stage.logIn(attempt)).rejects.toMatchObject({ code: 'BAD_CREDENTIALS' });

    const letterId = newId();
    await stage.pool.query(
      `insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at)
       values ($1, $1, 'email', now(), now())`,
      [letterId],
    );
    await stage.pool.query(
      `insert into account_letters (letter_id, kind, address, written_at) values ($1, 'password-reset', $2, now())`,
      [letterId, email],
    );
    expect(await stage.credentials.ofReset(letterId)).toBeUndefined();
    expect(await stage.credentials.resetPassword(letterId, 'a hash')).toBeUndefined();
    expect(await stage.credentials.replacePassword(userId, 'a hash')).toBeUndefined();
    expect(await stage.credentials.ofUser(userId)).toMatchObject({ passwordHash: null });
  });

  test('belongs to its client alone', async () => {
    const { userId } = await put(ada);
    const other = await makeClient(stage.url);
    expect(await users.find(other, '4711')).toBeUndefined();
    const notFound = { code: 'USER_NOT_FOUND' };
    await expect(users.actorFor(other, userId)).rejects.toMatchObject(notFound);
    await expect(users.openSession(other, userId, asked)).rejects.toMatchObject(notFound);
    await expect(users.deactivate(other, userId)).rejects.toMatchObject(notFound);
    await expect(users.reactivate(other, userId)).rejects.toMatchObject(notFound);
    const theirs = await users.put(other, { externalId: '4711', user: ada, correlationId: 'x' });
    expect(theirs.userId).not.toBe(userId);
  });

  test('loses its sessions when it is deactivated, and gets new ones after', async () => {
    const { userId } = await put(ada);
    const { accessToken } = await users.openSession(client, userId, asked);
    expect((await stage.authenticate(accessToken)).actor).toStrictEqual({ userId, role: 'applicant' });
    await users.deactivate(client, userId);
    await expect(stage.authenticate(accessToken)).rejects.toMatchObject({ code: 'TOKEN_REVOKED' });
    await expect(users.openSession(client, userId, asked)).rejects.toMatchObject({
      code: 'ACCOUNT_SUSPENDED',
    });
    await expect(users.actorFor(client, userId)).rejects.toMatchObject({ code: 'ACCOUNT_SUSPENDED' });
    await users.deactivate(client, userId);
    await users.reactivate(client, userId);
    await users.reactivate(client, userId);
    const { accessToken: next } = await users.openSession(client, userId, asked);
    expect((await stage.authenticate(next)).actor.userId).toBe(userId);
  });

  test('stays suspended where an operator has suspended it, whatever its client does', async () => {
    const { userId } = await put(ada);
    for (const isDeactivated of [false, true]) {
      if (isDeactivated) await users.deactivate(client, userId);
      expect(await stage.credentials.suspend(userId)).toStrictEqual([]);
      expect(await stage.credentials.suspend(userId)).toBeUndefined();
      await users.deactivate(client, userId);
      await expect(users.reactivate(client, userId)).rejects.toMatchObject({ code: 'ACCOUNT_SUSPENDED' });
      expect(await stage.credentials.restore(userId)).toBe(true);
      expect(await users.actorFor(client, userId)).toMatchObject({ userId });
    }
  });

  test('has sessions of a day that a node looks up, so that none outlives what it remembers', async () => {
    const { userId } = await put(ada);
    const long = { ...asked, lifetimeSeconds: 86_400 };
    const { accessToken, expiresIn } = await users.openSession(client, userId, long);
    expect(expiresIn).toBe(86_400);
    // A node that has never heard of the end.
    await stage.pool.query(
      'update sessions set revoked_at = now() - interval $$1 hour$$ where user_id = $1',
      [userId],
    );
    const later = await authStage({ url: stage.url });
    await expect(later.authenticate(accessToken)).rejects.toMatchObject({ code: 'TOKEN_REVOKED' });
    await later.close();
  });

  test('can be made anew after the person was erased', async () => {
    const { userId } = await put({ ...ada, email: 'ada@board.example', emailVerified: true });
    await stage.pool.query('select forget_person($1)', [userId]);
    const { rows } = await stage.pool.query(
      'select email, display_name from credentials where user_id = $1',
      [userId],
    );
    expect(rows).toStrictEqual([{ email: `erased ${userId}`, display_name: '[erased]' }]);
    await expect(users.actorFor(client, userId)).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
    expect((await put(ada)).userId).not.toBe(userId);
  });
});
