import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { InvitationId, UserId } from '../../src/events/ids.ts';
import { newId } from '../../src/kit/uuids.ts';
import { until } from '../../tools/until.ts';
import { event } from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { withPostgresLog } from '../support/stages/open-logs.ts';

describe('a read model that is behind a removal', () => {
  let app: TestApp;
  let owner: pg.Client;
  beforeAll(async () => {
    app = await startApp();
    owner = new pg.Client({ connectionString: app.settings.DATABASE_URL });
    await owner.connect();
  }, 60_000);
  afterAll(async () => {
    await owner?.end();
    await app?.stop();
  });

  const get = (as: Person, path: string) => app.ask('GET', path, { as });

  test('shows nothing that was said since to the teammate that was removed', async () => {
    const [acme, mate] = [await app.register('company', 'Acme'), await app.register('company', 'Grace')];
    const [companyId, userId] = [UserId.parse(acme.userId), UserId.parse(mate.userId)];
    const place = { companyId, userId, invitationId: InvitationId.parse(newId()) };
    await withPostgresLog(app.databaseUrl, (store) =>
      happened(store, event('TeammateJoined', { ...place, role: 'recruiter', jobIds: null })),
    );
    const job = { title: 'Engineer', description: 'Builds engines', conversations: 'private' };
    const { groupId } = (await app.ask('POST', '/v1/jobs', { as: acme, body: job })).body;
    const say = (text: string) =>
      app.ask('POST', `/v1/groups/${String(groupId)}/messages`, {
        as: acme,
        body: { clientMsgId: randomUUID(), text },
      });
    await say('known');
    await until(
      async () => (await get(mate, '/v1/search/messages?q=known')).text.includes('known'),
      'the teammate to find a message',
    );

    await owner.query('begin');
    await owner.query('lock table chat_groups.members in share mode');
    try {
      expect((await app.ask('DELETE', `/v1/company/members/${userId}`, { as: acme })).status).toBe(200);
      expect((await say('classified')).status).toBe(201);
      const isShown = `select from conversations.messages where text = 'classified'`;
      await until(async () => (await owner.query(isShown)).rowCount === 1, 'the conversation to show it');
      for (const path of ['/v1/groups', '/v1/search/messages?q=classified']) {
        const { status, text } = await get(mate, path);
        expect([path, status, text]).toEqual([path, 503, expect.stringContaining('NOT_CAUGHT_UP')]);
      }
    } finally {
      await owner.query('rollback');
    }
    await until(async () => (await get(mate, '/v1/groups')).status === 200, 'the read model to catch up');
    for (const path of ['/v1/groups', '/v1/search/messages?q=classified'])
      expect((await get(mate, path)).body['data']).toEqual([]);
  }, 60_000);
});
