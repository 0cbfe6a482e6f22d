import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { previousOf } from '../../../src/adapters/postgres/read-models/read-model-schemas.ts';
import type { CompanyRole } from '../../../src/events/company.ts';
import { until } from '../../../tools/until.ts';
import { type Answer, type Person, type TestApp, startApp } from '../../support/stages/app.ts';
import { joinCompany } from '../../support/stages/board.ts';

interface Note {
  id: string;
  noteId: string;
  seq: number;
  authorId: string;
  text: string | null;
  erasedAt: string | null;
  occurredAt: string;
  deletedAt: string | null;
}

/** Keeps a version of the read model from before there were notes, as a rebuild does for going back. */
async function keepVersionWithoutNotes(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const schema = previousOf('applications');
  await client.query(
    `create schema ${schema}; create table ${schema}.applications (like applications.applications)`,
  );
  await client.end();
}

interface Asked {
  id?: string;
  after?: Answer;
}

describe('notes', () => {
  let app: TestApp;
  let acme: Person;
  let rival: Person;
  let ada: Person;
  let eve: Person;
  let jobId: string;
  let groupId: string;
  let applicationId: string;

  beforeAll(async () => {
    app = await startApp();
    [acme, rival, ada, eve] = await Promise.all([
      app.register('company', 'Acme'),
      app.register('company', 'Rival'),
      app.register('applicant', 'Ada'),
      app.register('applicant', 'Eve'),
    ]);
    const body = { title: 'Engineer', description: 'Builds engines', conversations: 'private' };
    jobId = (await app.ask('POST', '/v1/jobs', { as: acme, body })).body['jobId'] as string;
    ({ applicationId, groupId } = (await apply(ada)).body as { applicationId: string; groupId: string });
  });
  afterAll(() => app.stop());

  const apply = (as: Person) => app.ask('POST', `/v1/jobs/${jobId}/applications`, { as, body: {} });
  const path = (id = applicationId) => `/v1/applications/${id}/notes`;
  const add = (
    as: Person | undefined,
    text: string,
    { clientMsgId = randomUUID() as string, id = applicationId } = {},
  ) => app.ask('POST', path(id), { as, body: { clientMsgId, text } });
  const remove = (as: Person, noteId: unknown, id = applicationId) =>
    app.ask('DELETE', `${path(id)}/${String(noteId)}`, { as });
  /** Asks for the notes as of a write, or of now. */
  const list = (as: Person | undefined, query = '', { id = applicationId, after }: Asked = {}) =>
    app.ask('GET', `${path(id)}${query}`, {
      as,
      headers: after ? { 'x-min-position': after.body['position'] as string } : {},
    });
  const notesFor = async (...asked: Parameters<typeof list>) =>
    (await list(...asked)).body as unknown as { data: Note[]; hasMore: boolean; headSeq: number };

  /** Makes a person one of Acme's. */
  async function hire(role: CompanyRole, jobIds: string[] | null = null): Promise<Person> {
    const person = await app.register('company', `A ${role}`);
    await joinCompany(app, person, { of: acme, role, jobIds });
    return person;
  }
  const dismiss = async ({ userId }: Person) =>
    expect((await app.ask('DELETE', `/v1/company/members/${userId}`, { as: acme })).status).toBe(200);
  const assign = (userId: string | null) =>
    app.ask('PUT', `/v1/applications/${applicationId}/assignee`, { as: acme, body: { userId } });

  test('are shown to the company at once, in the order in which they were added', async () => {
    const first = await add(acme, 'Knows engines');
    expect(first).toMatchObject({ status: 201, body: { seq: expect.any(Number), duplicate: false } });
    const second = await add(acme, 'Call on Tuesday');
    const { data, hasMore, headSeq } = await notesFor(acme, '', { after: second });
    expect(data.slice(-2)).toEqual(
      [
        { ...first.body, text: 'Knows engines' },
        { ...second.body, text: 'Call on Tuesday' },
      ].map(({ duplicate: _, position: __, ...note }: Record<string, unknown>) => ({
        ...{ id: note['noteId'], ...note, authorId: acme.userId, erasedAt: null, deletedAt: null },
        author: { id: acme.userId, displayName: 'Acme' },
      })),
    );
    expect({ hasMore, headSeq }).toEqual({ hasMore: false, headSeq: second.body['seq'] });
  });

  test('keep text of every script as it is', async () => {
    const texts = [
      'Её двигатели — отличные',
      'מנוע טוב',
      'エンジンに詳しい',
      '👩🏽‍🔧 e\u0301',
      '"quoted" \\ {null}\n\ttab',
    ];
    for (const text of texts) {
      const added = await add(acme, text);
      expect(added.status).toBe(201);
      expect((await notesFor(acme, '?limit=1', { after: added })).data).toMatchObject([{ text }]);
    }
  });

  test('have a clientMsgId, which is the same note for ever', async () => {
    const clientMsgId = randomUUID();
    const first = await add(acme, 'Once', { clientMsgId });
    expect(await add(acme, 'Once', { clientMsgId })).toMatchObject({
      ...{ status: 200, body: { ...first.body, duplicate: true } },
    });
    expect((await add(acme, 'Twice', { clientMsgId })).body).toMatchObject({
      ...{ status: 409, code: 'CLIENT_MSG_ID_REUSED' },
    });
    const another = { clientMsgId: randomUUID() };
    const both = await Promise.all([1, 2, 3].map(() => add(acme, 'At once', another)));
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 200, 201]);
    expect(new Set(both.map(({ body }) => body['noteId'])).size).toBe(1);
  });

  test.each([
    ['no text', { clientMsgId: randomUUID() }, '/text'],
    ['an empty text', { clientMsgId: randomUUID(), text: '' }, '/text'],
    ['nothing to see', { clientMsgId: randomUUID(), text: ' \u200B ' }, '/text'],
    ['too long a text', { clientMsgId: randomUUID(), text: 'x'.repeat(4_001) }, '/text'],
    ['a NUL', { clientMsgId: randomUUID(), text: 'a\u0000b' }, '/text'],
    ['no clientMsgId', { text: 'x' }, '/clientMsgId'],
    ['a field of its own', { clientMsgId: randomUUID(), text: 'x', authorId: randomUUID() }, '/authorId'],
  ])('are refused with %s', async (_, body, pointer) => {
    const { status, body: problem } = await app.ask('POST', path(), { as: acme, body });
    expect({ status, code: problem['code'] }).toEqual({ status: 400, code: 'BAD_REQUEST' });
    expect(problem['errors']).toContainEqual(expect.objectContaining({ pointer }));
  });

  test('do not exist for applicants, other companies and people of the company who have nothing to do with it', async () => {
    const added = await add(acme, 'For our eyes only');
    const { body: note } = added;
    const strangers = [
      ...[ada, eve, rival, await hire('interviewer')],
      ...[await hire('recruiter', [randomUUID()]), await hire('viewer', [randomUUID()])],
    ];
    for (const stranger of strangers) {
      const answers = (id: string) =>
        Promise.all([
          list(stranger, '', { id }),
          add(stranger, 'Me too', { id }),
          remove(stranger, note['noteId'], id),
        ]);
      const withoutInstance = ({ body: { instance: _, ...problem } }: { body: Record<string, unknown> }) =>
        problem;
      const refused = await answers(applicationId);
      for (const answer of refused) {
        expect(answer.body).toMatchObject({ status: 404, code: 'APPLICATION_NOT_FOUND' });
        expect(answer.text).not.toContain('eyes');
      }
      expect(refused.map(withoutInstance)).toEqual((await answers(randomUUID())).map(withoutInstance));
    }
    for (const { status } of [await list(undefined), await add(undefined, 'x')]) expect(status).toBe(401);
    const { data } = await notesFor(acme, '', { after: added });
    expect(data.map(({ text }) => text)).not.toContain('Me too');
    expect(data.at(-1)).toMatchObject({ noteId: note['noteId'], deletedAt: null });
  });

  test('reach an applicant by no other way', async () => {
    const word = `geheim${randomUUID().slice(0, 8)}`;
    expect((await add(acme, `So ${word}`)).status).toBe(201);
    for (const other of [
      ...[
        `/v1/search/messages?q=${word}`,
        '/v1/applications',
        `/v1/applications?jobId=${jobId}`,
        '/v1/groups',
      ],
      ...[`/v1/groups/${groupId}/messages`, `/v1/groups/${groupId}/members`, '/v1/privacy/export'],
    ]) {
      const answer = await app.ask('GET', other, { as: ada });
      expect({ other, status: answer.status }).toEqual({ other, status: 200 });
      expect(answer.text).not.toContain(word);
    }
  });

  test('are read and added by role; of an interviewer while the application is assigned to it', async () => {
    const [recruiter, viewer, interviewer] = [
      await hire('recruiter', [jobId]),
      await hire('viewer'),
      await hire('interviewer'),
    ];
    const first = await add(recruiter, 'From a recruiter');
    expect((await notesFor(viewer, '', { after: first })).data.at(-1)).toMatchObject({
      text: 'From a recruiter',
      authorId: recruiter.userId,
    });
    expect((await add(viewer, 'From a viewer')).body).toMatchObject({
      status: 403,
      code: 'ROLE_NOT_ALLOWED',
    });
    expect((await assign(interviewer.userId)).status).toBe(200);
    const second = await add(interviewer, 'From an interviewer');
    expect((await notesFor(interviewer, '', { after: second })).data.at(-1)).toMatchObject({
      text: 'From an interviewer',
    });
    expect((await assign(null)).status).toBe(200);
    expect((await list(interviewer)).status).toBe(404);
    expect((await add(interviewer, 'Another')).status).toBe(404);
  });

  test('end for somebody who is removed from the company, at once', async () => {
    const recruiter = await hire('recruiter');
    const clientMsgId = randomUUID();
    const added = await add(recruiter, 'Before', { clientMsgId });
    const { body } = added;
    expect((await list(recruiter)).status).toBe(200);
    await dismiss(recruiter);
    expect((await list(recruiter)).status).toBe(404);
    expect((await add(recruiter, 'After')).status).toBe(404);
    expect((await remove(recruiter, body['noteId'])).status).toBe(404);
    // What was acknowledged stays so.
    expect(await add(recruiter, 'Before', { clientMsgId })).toMatchObject({
      ...{ status: 200, body: { noteId: body['noteId'], duplicate: true } },
    });
    expect((await notesFor(acme, '', { after: added })).data.at(-1)).toMatchObject({
      text: 'Before',
      authorId: recruiter.userId,
    });
  });

  test('are deleted by their author and by owners, and keep their place', async () => {
    const [recruiter, other] = [await hire('recruiter'), await hire('recruiter')];
    const notes = [await add(recruiter, 'A slip'), await add(recruiter, 'Another slip')];
    const [slip, another] = notes.map(({ body }) => body['noteId']);
    expect((await remove(other, slip)).body).toMatchObject({ status: 403, code: 'NOT_NOTE_AUTHOR' });
    expect((await remove(acme, randomUUID())).body).toMatchObject({ status: 404, code: 'NOTE_NOT_FOUND' });
    const deleted = await remove(recruiter, slip);
    expect(deleted).toMatchObject({ status: 200, body: { position: expect.any(String) } });
    expect((await remove(recruiter, slip)).status).toBe(200);
    const last = await remove(acme, another);
    expect(last.status).toBe(200);
    const { data, headSeq } = await notesFor(acme, '?limit=2', { after: last });
    expect(data).toMatchObject([
      { id: slip, text: null, erasedAt: null, deletedAt: expect.any(String) },
      { id: another, text: null, erasedAt: null, deletedAt: expect.any(String) },
    ]);
    expect(headSeq).toBe(data[1]!.seq + 2);
  });

  describe('page by page', () => {
    let id: string;
    let last: Answer;
    const texts = (page: { data: Note[] }) => page.data.map(({ text }) => text);
    beforeAll(async () => {
      const bob = await app.register('applicant', 'Bob');
      id = (await apply(bob)).body['applicationId'] as string;
      for (const text of ['1', '2', '3', '4', '5']) last = await add(acme, text, { id });
    });

    test.each([
      ['?limit=2', ['4', '5'], true],
      ['?limit=5', ['1', '2', '3', '4', '5'], false],
      ['?limit=2&beforeSeq=4', ['2', '3'], true],
      ['?limit=2&beforeSeq=3', ['1', '2'], false],
      ['?limit=2&beforeSeq=1', [], false],
      ['?limit=2&afterSeq=0', ['1', '2'], true],
      ['?limit=2&afterSeq=3', ['4', '5'], false],
      ['?limit=2&afterSeq=5', [], false],
      ['?afterSeq=9007199254740991', [], false],
      ['?beforeSeq=9007199254740991&limit=1', ['5'], true],
    ])('shows with %s those notes, and whether there are more', async (query, expected, hasMore) => {
      const page = await notesFor(acme, query, { id, after: last });
      expect({ texts: texts(page), hasMore: page.hasMore, headSeq: page.headSeq }).toEqual({
        ...{ texts: expected, hasMore, headSeq: 5 },
      });
    });

    test.each([
      '?beforeSeq=1&afterSeq=1',
      '?limit=0',
      '?limit=101',
      '?aroundSeq=1',
      '?beforeSeq=-1',
      '?cursor=x',
    ])('refuses %s', async (query) => expect((await list(acme, query, { id })).status).toBe(400));
  });

  test('go with the applicant who is erased, and stay as places', async () => {
    const word = `kanarienvogel${randomUUID().slice(0, 8)}`;
    const [cleo, auditor] = [await app.register('applicant', 'Cleo'), await app.hireAuditor()];
    const id = (await apply(cleo)).body['applicationId'] as string;
    const clientMsgId = randomUUID();
    const { body: added } = await add(acme, `Sings like a ${word}`, { id, clientMsgId });
    const grant = { reason: 'A complaint', scope: { userId: cleo.userId }, minutes: 5 };
    const granted = await app.ask('POST', '/v1/audit/access-grants', { as: auditor, body: grant });
    const withGrant = { 'x-access-grant': granted.body['grantId'] as string };
    const logged = async (headers = {}) =>
      (await app.ask('GET', `/v1/audit/streams/notes-${id}`, { as: auditor, headers })).body;
    const saying = (text: string | null) => ({ events: [{ type: 'NoteAdded', data: { text } }] });
    expect(await logged()).toMatchObject(saying('[redacted]'));
    expect(await logged(withGrant)).toMatchObject(saying(`Sings like a ${word}`));

    await keepVersionWithoutNotes(app.databaseUrl);
    const asked = { as: auditor, body: { userId: cleo.userId } };
    const { erasureId } = (await app.ask('POST', '/v1/privacy/erasures', asked)).body;
    await until(async () => {
      const { body } = await app.ask('GET', `/v1/privacy/erasures/${String(erasureId)}`, { as: auditor });
      return body['state'] === 'done';
    });
    const { data } = await notesFor(acme, '', { id });
    expect(data).toMatchObject([
      {
        noteId: added['noteId'],
        authorId: acme.userId,
        text: null,
        erasedAt: expect.any(String),
        deletedAt: null,
      },
    ]);
    expect(await logged(withGrant)).toMatchObject({
      state: { [String(added['noteId'])]: { authorId: acme.userId, isDeleted: false } },
      ...saying(null),
    });
    expect((await add(acme, 'More', { id })).body).toMatchObject({ status: 409, code: 'ERASURE_DONE' });
    expect((await add(acme, `Sings like a ${word}`, { id, clientMsgId })).body).toMatchObject({
      duplicate: true,
    });
    expect((await remove(acme, added['noteId'], id)).status).toBe(200);
  });
});
