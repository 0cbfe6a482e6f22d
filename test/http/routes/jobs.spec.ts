import { randomUUID } from 'node:crypto';
import { joinCompany } from '../../support/stages/board.ts';
import { type Person, type TestApp, startApp } from '../../support/stages/app.ts';

const posting = { title: 'Engineer', description: 'Builds engines', location: 'London' };

describe('jobs', () => {
  let app: TestApp;
  let acme: Person;
  let ada: Person;
  beforeAll(async () => {
    app = await startApp();
    [acme, ada] = await Promise.all([app.register('company', 'Acme'), app.register('applicant', 'Ada')]);
  });
  afterAll(() => app.stop());

  const post = async (body: object = posting) => {
    const posted = await app.ask('POST', '/v1/jobs', { as: acme, body });
    return posted.body as { jobId: string; groupId: string; position: string };
  };
  const see = (path: string, as: Person, position: unknown) =>
    app.ask('GET', path, { as, headers: { 'x-min-position': position as string } });

  test('are shown to every user once posted, with a group whose admin is the company', async () => {
    const { jobId, groupId, position } = await post();
    expect(await see(`/v1/jobs/${jobId}`, ada, position)).toMatchObject({
      status: 200,
      body: { id: jobId, jobId, groupId, companyId: acme.userId, ...posting, status: 'open' },
    });
    expect(await see(`/v1/groups/${groupId}`, acme, position)).toMatchObject({
      status: 200,
      body: {
        id: groupId,
        jobId,
        name: 'Engineer',
        myRole: 'admin',
        memberCount: 1,
        headSeq: 0,
        unreadCount: 0,
      },
    });
  });

  test('are posted by one of the company’s people for the company, who is the admin of the group', async () => {
    const grace = await app.register('company', 'Grace');
    await joinCompany(app, grace, { of: acme, role: 'recruiter' });
    const { body } = await app.ask('POST', '/v1/jobs', { as: grace, body: posting });
    const { jobId, groupId, position } = body as Record<string, string>;
    expect((await see(`/v1/jobs/${jobId}`, ada, position)).body).toMatchObject({ companyId: acme.userId });
    expect((await see(`/v1/groups/${groupId}`, grace, position)).body).toMatchObject({
      ...{ myRole: 'admin', memberCount: 1 },
    });
  });

  test('name their company, and list one’s own: those of the company, or those that one has applied for', async () => {
    const [eva, coyote] = await Promise.all([
      app.register('applicant', 'Eva'),
      app.register('company', 'Wile E.'),
    ]);
    const { body: posted } = await app.ask('POST', '/v1/jobs', { as: coyote, body: posting });
    const { jobId } = posted as { jobId: string };
    const company = { companyId: coyote.userId, name: 'Wile E.' };
    expect((await see(`/v1/jobs/${jobId}`, eva, posted['position'])).body).toMatchObject({
      ...{ company, applied: false },
    });
    const renamed = await app.ask('PATCH', '/v1/company', { as: coyote, body: { name: 'Acme Rockets' } });
    expect((await see(`/v1/jobs/${jobId}`, eva, renamed.body['position'])).body).toMatchObject({
      company: { ...company, name: 'Acme Rockets' },
    });
    const mine = async (as: Person, position: unknown, query = 'mine=true') =>
      (await see(`/v1/jobs?${query}`, as, position)).body['data'];
    expect(await mine(eva, renamed.body['position'])).toStrictEqual([]);
    const applied = await app.ask('POST', `/v1/jobs/${jobId}/applications`, { as: eva, body: {} });
    const { applicationId, position } = applied.body;
    expect(await mine(eva, position)).toMatchObject([{ jobId, applied: true, applicationId }]);
    expect(await mine(coyote, position)).toMatchObject([{ jobId, company: { name: 'Acme Rockets' } }]);
    expect(await mine(coyote, position, 'mine=true&status=closed')).toStrictEqual([]);
    expect(await mine(ada, position, 'mine=false&limit=1')).toMatchObject([{ jobId, applied: false }]);
    const { body: page } = await see('/v1/applications', eva, position);
    expect(page).toMatchObject({ data: [{ applicant: { userId: eva.userId, displayName: 'Eva' } }] });
    const withdrawn = await app.ask('DELETE', `/v1/applications/${String(applicationId)}`, { as: eva });
    expect(await mine(eva, withdrawn.body['position'])).toStrictEqual([]);
    expect((await see('/v1/jobs?mine=yes', eva, position)).status).toBe(400);
  });

  test('are not posted for a company that the caller names', async () => {
    for (const named of [{ companyId: acme.userId }, { companyId: ada.userId }, { postedBy: ada.userId }]) {
      const answer = await app.ask('POST', '/v1/jobs', { as: acme, body: { ...posting, ...named } });
      expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    }
  });

  test('are listed newest first, in pages, and can be searched', async () => {
    const word = randomUUID();
    const ids: string[] = [];
    let position = '0';
    for (let n = 0; n < 5; n += 1) {
      const posted = await post({ ...posting, title: `Job ${word} ${n}` });
      ids.unshift(posted.jobId);
      ({ position } = posted);
    }
    const found: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const { body } = await see(`/v1/jobs?q=${word}&limit=2${next}`, ada, position);
      const page = body as unknown as { data: { jobId: string }[]; nextCursor: string | null };
      found.push(...page.data.map(({ jobId }) => jobId));
      next = page.nextCursor && `&cursor=${page.nextCursor}`;
    }
    expect(found).toStrictEqual(ids);
    expect((await see('/v1/jobs?cursor=made-up', ada, position)).body).toMatchObject({ status: 400 });
  });

  test('show a change of the named fields at once; a change without effect is no error', async () => {
    const { jobId } = await post();
    const change = (body: object) => app.ask('PATCH', `/v1/jobs/${jobId}`, { as: acme, body });
    const changed = await change({ title: 'Driver', location: null });
    expect(changed).toMatchObject({ status: 200, body: { position: expect.any(String) } });
    expect((await see(`/v1/jobs/${jobId}`, ada, changed.body['position'])).body).toMatchObject({
      title: 'Driver',
      description: 'Builds engines',
      location: null,
    });
    expect((await change({ title: 'Driver' })).status).toBe(200);
    expect((await change({ companyId: ada.userId })).status).toBe(400);
  });

  test('accept no applications and no changes once closed, and their group accepts no messages', async () => {
    const { jobId, groupId } = await post();
    const closed = await app.ask('POST', `/v1/jobs/${jobId}/close`, { as: acme });
    expect(closed).toMatchObject({ status: 200, body: { position: expect.any(String) } });
    expect((await see(`/v1/jobs?status=closed`, ada, closed.body['position'])).text).toContain(jobId);
    expect((await app.ask('POST', `/v1/jobs/${jobId}/close`, { as: acme })).status).toBe(200);
    const codes = await Promise.all([
      app.ask('POST', '/apply', { as: ada, body: { jobId } }),
      app.ask('PATCH', `/v1/jobs/${jobId}`, { as: acme, body: { title: 'Driver' } }),
      app.ask('POST', `/v1/groups/${groupId}/messages`, {
        as: acme,
        body: { clientMsgId: randomUUID(), text: 'Hello?' },
      }),
    ]);
    expect(codes.map(({ status, body }) => [status, body['code']])).toStrictEqual([
      [409, 'JOB_CLOSED'],
      [409, 'JOB_CLOSED'],
      [409, 'GROUP_CLOSED'],
    ]);
  });
});
