import { randomUUID } from 'node:crypto';
import { type Person, type TestApp, startApp } from '../../support/stages/app.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../../support/stages/board.ts';

describe('the names of users', () => {
  let app: TestApp;
  let cast: Cast;
  let board: Board;
  beforeAll(async () => {
    app = await startApp();
    cast = await gatherCast(app);
    board = await setUpBoard(app, cast);
  });
  afterAll(() => app.stop());

  const ask = (ids: string, as: Person = cast.member) =>
    app.ask('GET', `/v1/users${ids}`, { as, headers: { 'x-min-position': board.position } });
  const ofUsers = (...people: Person[]) => `?ids=${people.map(({ userId }) => userId).join()}`;

  test('are those of people in one’s groups, past members too; others are left out', async () => {
    const { owner, admin, member, exMember, stranger } = cast;
    const { status, body } = await ask(ofUsers(owner, admin, member, exMember, stranger, member));
    expect(status).toBe(200);
    const named = (who: Person, displayName: string) => ({ userId: who.userId, displayName });
    expect(new Set(body['data'] as object[])).toStrictEqual(
      new Set([
        ...[named(owner, 'Acme'), named(admin, 'Colleague'), named(member, 'Ada'), named(exMember, 'Xan')],
      ]),
    );
    expect((await ask(ofUsers(owner, member), stranger)).body).toStrictEqual({
      data: [named(owner, 'Acme')],
    });
    expect((await ask(`?ids=${randomUUID()}`)).body).toStrictEqual({ data: [] });
  });

  test('are asked for by 1 to 100 ids, once', async () => {
    const many = (count: number) => Array.from({ length: count }, () => randomUUID()).join();
    expect((await ask(`?ids=${many(100)}`)).status).toBe(200);
    expect((await ask(`?ids=${many(1)}&ids=${many(1)}`)).status).toBe(200);
    const ids = ['', '?ids=', '?ids=ada', `?ids=${many(1)},`];
    for (const query of [...ids, `?ids=${many(101)}`, `?ids=${many(1)}&q=x`])
      expect([query, await ask(query)]).toMatchObject([
        query,
        { status: 400, body: { code: 'BAD_REQUEST' } },
      ]);
  });
});
