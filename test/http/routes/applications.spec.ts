import { type Person, type TestApp, startApp } from '../../support/stages/app.ts';

describe('applications', () => {
  let app: TestApp;
  let acme: Person;
  let rival: Person;
  let ada: Person;
  let bob: Person;
  beforeAll(async () => {
    app = await startApp();
    [acme, rival, ada, bob] = await Promise.all([
      app.register('company', 'Acme'),
      app.register('company', 'Rival'),
      app.register('applicant', 'Ada'),
      app.register('applicant', 'Bob'),
    ]);
  });
  afterAll(() => app.stop());

  const postJob = async () => {
    const body = { title: 'Engineer', description: 'Builds engines' };
    return (await app.ask('POST', '/v1/jobs', { as: acme, body })).body as { jobId: string; groupId: string };
  };
  const apply = (jobId: string, as: Person, body?: object) =>
    app.ask('POST', `/v1/jobs/${jobId}/applications`, { as, body });
  const see = (path: string, as: Person, position: unknown) =>
    app.ask('GET', path, { as, headers: { 'x-min-position': position as string } });

  test('makes the applicant a member before answering, and returns the same ids to a repetition', async () => {
    const { jobId, groupId } = await postJob();
    const first = await apply(jobId, ada, { coverLetter: 'I build engines' });
    expect(first).toMatchObject({ status: 201, body: { jobId, groupId } });
    expect(await see(`/v1/groups/${groupId}`, ada, first.body['position'])).toMatchObject({
      status: 200,
      body: { myRole: 'member', memberCount: 2 },
    });
    const { applicationId } = first.body;
    for (const again of [
      await apply(jobId, ada),
      await app.ask('POST', '/apply', { as: ada, body: { jobId } }),
    ])
      expect(again).toMatchObject({
        status: 200,
        body: { applicationId, jobId, groupId, position: expect.any(String) },
      });
  });

  test('are listed to the applicant, and to the company of their job only', async () => {
    const { jobId } = await postJob();
    const mine = (await apply(jobId, ada)).body;
    const { applicationId, position } = (await apply(jobId, bob, { coverLetter: 'Me' })).body;
    const idsFor = async (as: Person, query = '') => {
      const { body } = await see(`/v1/applications${query}`, as, position);
      return (body['data'] as { id: string }[] | undefined)?.map(({ id }) => id) ?? body['code'];
    };
    expect(await idsFor(acme, `?jobId=${jobId}`)).toStrictEqual([applicationId, mine['applicationId']]);
    expect(await idsFor(ada, `?jobId=${jobId}`)).toStrictEqual([mine['applicationId']]);
    expect(await idsFor(bob)).toContain(applicationId);
    expect(await idsFor(bob)).not.toContain(mine['applicationId']);
    expect(await idsFor(rival, `?jobId=${jobId}`)).toBe('NOT_JOB_OWNER');
  });

  test('show a new status at once, without waiting for a read model; a rejection removes the applicant', async () => {
    const { jobId, groupId } = await postJob();
    const { applicationId } = (await apply(jobId, ada)).body;
    const decide = (body: object) =>
      app.ask('PATCH', `/v1/applications/${String(applicationId)}`, { as: acme, body });
    expect((await decide({ status: 'interview' })).status).toBe(200);
    expect((await decide({ status: 'withdrawn' })).status).toBe(400);
    const rejected = await decide({ status: 'rejected', reason: 'Another was first' });
    expect(rejected.status).toBe(200);
    expect((await see(`/v1/groups/${groupId}`, ada, rejected.body['position'])).status).toBe(404);
    expect((await see('/v1/applications', ada, rejected.body['position'])).body['data']).toMatchObject([
      { applicationId, status: 'rejected', reason: 'Another was first' },
      {},
      {},
    ]);
    const reconsidered = await decide({ status: 'offer' });
    expect(reconsidered.status).toBe(200);
    expect((await see(`/v1/groups/${groupId}`, ada, reconsidered.body['position'])).status).toBe(200);
  });

  test('end the membership when withdrawn, and may be submitted again while the job is open', async () => {
    const { jobId, groupId } = await postJob();
    const { applicationId } = (await apply(jobId, bob)).body;
    const withdraw = () => app.ask('DELETE', `/v1/applications/${String(applicationId)}`, { as: bob });
    const withdrawn = await withdraw();
    expect(withdrawn).toMatchObject({ status: 200, body: { position: expect.any(String) } });
    expect((await see(`/v1/groups/${groupId}/messages`, bob, withdrawn.body['position'])).status).toBe(404);
    expect((await withdraw()).status).toBe(200);
    const again = await apply(jobId, bob);
    expect(again).toMatchObject({ status: 200, body: { applicationId, jobId, groupId } });
    expect((await see(`/v1/groups/${groupId}/messages`, bob, again.body['position'])).status).toBe(200);
    expect((await withdraw()).status).toBe(200);
    await app.ask('POST', `/v1/jobs/${jobId}/close`, { as: acme });
    expect((await apply(jobId, bob)).body).toMatchObject({ status: 409, code: 'JOB_CLOSED' });
  });

  const members = (groupId: string, method: string, as: Person, body?: object) =>
    app.ask(method, `/v1/groups/${groupId}/members${method === 'DELETE' ? `/${as.userId}` : ''}`, {
      as,
      body,
    });

  test('make an applicant that left and applies again a member before answering', async () => {
    const { jobId, groupId } = await postJob();
    const first = (await apply(jobId, ada)).body;
    expect((await members(groupId, 'DELETE', ada)).status).toBe(200);
    const { applicationId } = first;
    const again = await apply(jobId, ada);
    expect(again).toMatchObject({ status: 200, body: { applicationId, jobId, groupId } });
    expect(await see(`/v1/groups/${groupId}`, ada, again.body['position'])).toMatchObject({
      status: 200,
      body: { myRole: 'member', memberCount: 2 },
    });
  });

  test('are refused with a reason to a user who was removed by an admin or rejected', async () => {
    const { jobId, groupId } = await postJob();
    const { applicationId } = (await apply(jobId, ada)).body;
    await app.ask('DELETE', `/v1/groups/${groupId}/members/${ada.userId}`, { as: acme });
    expect((await apply(jobId, ada)).body).toMatchObject({ status: 409, code: 'REMOVED_FROM_GROUP' });
    const rejection = { as: acme, body: { status: 'rejected' } };
    await app.ask('PATCH', `/v1/applications/${String(applicationId)}`, rejection);
    expect((await apply(jobId, ada)).body).toMatchObject({ status: 409, code: 'APPLICATION_DECIDED' });
  });

  test.each([
    ['withdraws', 'DELETE', undefined],
    ['is rejected', 'PATCH', { status: 'rejected' }],
  ])(
    'remove an applicant who is an admin and %s, before it can remove the company',
    async (_, method, body) => {
      const { jobId, groupId } = await postJob();
      const { applicationId } = (await apply(jobId, ada)).body;
      const made = await members(groupId, 'POST', acme, { userId: ada.userId, role: 'admin' });
      expect(made.status).toBe(200);
      const refusals = [
        await members(groupId, 'DELETE', acme),
        await app.ask('DELETE', `/v1/groups/${groupId}/members/${acme.userId}`, { as: ada }),
        await members(groupId, 'POST', ada, { userId: acme.userId, role: 'member' }),
      ];
      for (const refused of refusals)
        expect(refused.body).toMatchObject({ status: 409, code: 'JOB_OWNER_STAYS' });
      const as = method === 'DELETE' ? ada : acme;
      const gone = await app.ask(method, `/v1/applications/${String(applicationId)}`, { as, body });
      expect(gone.status).toBe(200);
      expect((await see(`/v1/groups/${groupId}`, ada, gone.body['position'])).status).toBe(404);
      expect((await see(`/v1/groups/${groupId}`, acme, gone.body['position'])).body).toMatchObject({
        myRole: 'admin',
        memberCount: 1,
      });
    },
  );
});
