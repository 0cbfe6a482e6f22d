import { type Person, type TestApp, startApp } from '../../../support/stages/app.ts';
import { type Cast, gatherCast, setUpBoard } from '../../../support/stages/board.ts';

let app: TestApp;
let operator: Person;
let cast: Cast;
beforeAll(async () => {
  app = await startApp();
  operator = await app.hireOperator();
  cast = await gatherCast(app);
}, 60_000);
afterAll(() => app?.stop());

const reason = 'An advertisement, with a secret reason';
const list = async (query = '', minPosition?: string) => {
  const { body } = await app.ask('GET', `/v1/admin/jobs${query}`, {
    as: operator,
    headers: minPosition === undefined ? {} : { 'x-min-position': minPosition },
  });
  return body as { data: Record<string, unknown>[]; nextCursor: string | null };
};
const takeDown = (jobId: string) =>
  app.ask('POST', `/v1/admin/jobs/${jobId}/close`, { as: operator, body: { reason } });

describe('postings, for operators', () => {
  test('are those of all companies, with how many have applied', async () => {
    const board = await setUpBoard(app, cast);
    const rival = await app.register('company', 'Rival');
    const posted = await app.ask('POST', '/v1/jobs', {
      as: rival,
      body: { title: 'Driver', description: 'Drives', conversations: 'private' },
    });
    const { data } = await list('', String(posted.body['position']));
    expect(data[0]).toEqual({
      ...{ jobId: posted.body['jobId'], title: 'Driver', status: 'open', conversations: 'private' },
      company: { companyId: rival.userId, displayName: 'Rival' },
      ...{ postedAt: expect.any(String), applications: 0 },
    });
    expect(data.find(({ jobId }) => jobId === board.jobId)).toMatchObject({
      ...{ company: { companyId: cast.owner.userId }, applications: 1 },
    });
    const ofRival = await list(`?companyId=${rival.userId}&status=open`);
    expect(ofRival.data.map(({ jobId }) => jobId)).toEqual([posted.body['jobId']]);
    expect((await list('?q=driv')).data.map(({ jobId }) => jobId)).toEqual([posted.body['jobId']]);
    const first = await list('?limit=1');
    expect((await list(`?limit=1&cursor=${first.nextCursor}`)).data[0]).not.toEqual(first.data[0]);
    expect((await list('?status=closed')).data).toEqual([]);
  });

  test('are taken down as their company closes them, and only operators learn why', async () => {
    const { jobId, groupId } = await setUpBoard(app, cast);
    const { status, body } = await takeDown(jobId);
    expect([status, body]).toEqual([200, { actId: expect.any(String), position: expect.any(String) }]);
    const headers = { 'x-min-position': String(body['position']) };
    for (const as of [cast.owner, cast.member]) {
      const job = await app.ask('GET', `/v1/jobs/${jobId}`, { as, headers });
      const group = await app.ask('GET', `/v1/groups/${groupId}`, { as, headers });
      const messages = await app.ask('GET', `/v1/groups/${groupId}/messages`, { as, headers });
      expect([job.body['status'], group.body['status']]).toEqual(['closed', 'closed']);
      expect(job.text + group.text + messages.text).not.toContain('secret reason');
      expect(job.text + group.text + messages.text).not.toContain(operator.userId);
    }
    expect((await takeDown(jobId)).status).toBe(200);
  });

  test('that are not there are not taken down', async () => {
    const answer = await takeDown(operator.userId);
    expect([answer.status, answer.body['code']]).toEqual([404, 'JOB_NOT_FOUND']);
  });
});
