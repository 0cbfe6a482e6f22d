import { ApplicationId, GroupId, JobId, UserId } from '../../src/events/ids.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  applicationId,
  bob,
  dismissed,
  event,
  eve,
  groupCreated,
  hired,
  interviewer,
  jobClosed,
  jobId,
  jobPosted,
  recruiter,
  registered,
  rival,
  subject,
  uuid,
  viewer,
} from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

/** A recruiter of another job, and somebody who was an owner. */
const elsewhere = { ...recruiter, userId: UserId.parse(uuid(0xa6)) };
const former = { ...recruiter, userId: UserId.parse(uuid(0xa7)) };
const otherJob = JobId.parse(uuid(0x11));
let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  await side.happened(
    ...[registered(acme, 'Acme'), registered(rival, 'Rival'), registered(ada, 'Ada')],
    jobPosted,
    event('JobPosted', {
      jobId: otherJob,
      groupId: GroupId.parse(uuid(0x22)),
      companyId: rival.userId,
      title: 'Gardener',
      description: 'Trees and (other) plants',
      location: null,
    }),
    adaApplied,
    event('ApplicationSubmitted', {
      ...adaApplied.data,
      applicationId: ApplicationId.parse(uuid(0x31)),
      applicantId: bob.userId,
      coverLetter: null,
    }),
    adaIs('interview', 'Tuesday'),
    jobClosed,
    groupCreated,
    event('ChatGroupCreated', {
      ...{ groupId: GroupId.parse(uuid(0x22)), jobId: otherJob, name: 'Gardener', adminId: rival.userId },
    }),
    ...[hired(recruiter, 'recruiter', [jobId]), hired(interviewer, 'interviewer'), hired(viewer, 'viewer')],
    ...[hired(elsewhere, 'recruiter', [otherJob]), hired(former, 'owner'), dismissed(former)],
    event('ApplicationAssigned', { ...subject, assigneeId: interviewer.userId }),
  );
});
afterAll(() => side.close());

describe('the job board', () => {
  const titles = async (asked: { q?: string; status?: 'open' | 'closed' }) =>
    (await side.queries.listJobs({ actor: eve, limit: 10, ...asked })).data.map(({ title }) => title);

  test('lists the newest first', async () => {
    expect(await titles({})).toEqual(['Gardener', 'Engineer']);
    expect(await side.queries.getJob({ actor: bob, jobId: otherJob })).toEqual({
      id: otherJob,
      jobId: otherJob,
      groupId: uuid(0x22),
      companyId: rival.userId,
      company: { companyId: rival.userId, name: 'Rival' },
      title: 'Gardener',
      description: 'Trees and (other) plants',
      location: null,
      status: 'open',
      conversations: 'group',
      historyFrom: 'start',
      postedAt: '2026-01-02T03:04:05.678Z',
      applied: false,
    });
  });

  test('names the company: as its founder, until somebody renames it', async () => {
    const nameOf = async () => (await side.queries.getJob({ actor: eve, jobId })).company;
    expect(await nameOf()).toEqual({ companyId: acme.userId, name: 'Acme' });
    await side.happened(event('CompanyRenamed', { companyId: acme.userId, name: 'Acme Robotics' }));
    await side.happened(event('ProfileChanged', { userId: acme.userId, displayName: 'Wile E.' }));
    expect(await nameOf()).toEqual({ companyId: acme.userId, name: 'Acme Robotics' });
    const { data } = await side.queries.listJobs({ actor: eve, q: 'engines', limit: 10 });
    expect(data).toMatchObject([{ company: { name: 'Acme Robotics' } }]);
  });

  test('tells applicants where they have applied, and companies nothing of it', async () => {
    const ofBob = ApplicationId.parse(uuid(0x31));
    for (const q of [undefined, 'engines', '-gardener']) {
      const seen = async (actor: typeof bob) =>
        (await side.queries.listJobs({ actor, q, limit: 10 })).data.find((each) => each.jobId === jobId);
      expect(await seen(bob)).toMatchObject({ applied: true, applicationId: ofBob });
      expect(await seen(eve)).toMatchObject({ applied: false });
      expect(await seen(eve)).not.toHaveProperty('applicationId');
      for (const actor of [acme, rival]) {
        expect(await seen(actor)).not.toHaveProperty('applied');
        expect(await seen(actor)).not.toHaveProperty('applicationId');
      }
    }
  });

  test('lists the jobs of one’s own company that one’s role reaches, or those that one has applied for', async () => {
    const mine = async (actor: typeof bob, asked: { q?: string; status?: 'open' | 'closed' } = {}) =>
      (await side.queries.listJobs({ actor, mine: true, limit: 10, ...asked })).data.map(
        ({ title }) => title,
      );
    for (const actor of [acme, recruiter, interviewer, viewer, ada, bob]) {
      expect(await mine(actor)).toEqual(['Engineer']);
      expect(await mine(actor, { q: 'engines' })).toEqual(['Engineer']);
      expect(await mine(actor, { q: 'trees' })).toEqual([]);
      expect(await mine(actor, { q: '-nothing' })).toEqual(['Engineer']);
      expect(await mine(actor, { status: 'open' })).toEqual([]);
    }
    expect(await mine(rival)).toEqual(['Gardener']);
    for (const actor of [elsewhere, former, eve]) expect(await mine(actor)).toEqual([]);
  });

  test('finds jobs by words in title, description and location, and by a prefix of the last word', async () => {
    expect(await titles({ q: 'engines' })).toEqual(['Engineer']);
    expect(await titles({ q: 'london' })).toEqual(['Engineer']);
    expect(await titles({ q: 'builds eng' })).toEqual(['Engineer']);
    expect(await titles({ q: 'eng builds' })).toEqual([]);
  });

  test.each(['', ' ', '"', '(', "'", '\\', ':*', 'a | b', '-engineer', '"builds engines"', 'x or y'])(
    'answers any query: %s',
    async (q) => expect(Array.isArray(await titles({ q }))).toBe(true),
  );

  test('finds jobs by status', async () => {
    expect(await titles({ status: 'closed' })).toEqual(['Engineer']);
    expect(await titles({ status: 'open' })).toEqual(['Gardener']);
  });

  test('is paged', async () => {
    const first = await side.queries.listJobs({ actor: eve, limit: 1 });
    const second = await side.queries.listJobs({ actor: eve, limit: 1, cursor: first.nextCursor! });
    expect([first, second].map(({ data }) => data[0]!.title)).toEqual(['Gardener', 'Engineer']);
    expect(second.nextCursor).toBeNull();
  });

  test('does not find an unknown job', () =>
    expect(side.queries.getJob({ actor: eve, jobId: JobId.parse(uuid(0x99)) })).rejects.toThrow(
      'JOB_NOT_FOUND',
    ));
});

describe('applications', () => {
  const applicants = async (actor: typeof ada, asked = {}) =>
    (await side.queries.listApplications({ actor, limit: 10, ...asked })).data.map(
      (each) => each.applicantId,
    );

  test('are shown to their applicant', async () => {
    expect(await applicants(ada)).toEqual([ada.userId]);
    expect(await applicants(ada, { jobId })).toEqual([ada.userId]);
    expect(await applicants(eve)).toEqual([]);
  });

  test('for a job are shown to the company that posted it', async () => {
    expect(await applicants(acme, { jobId })).toEqual([bob.userId, ada.userId]);
    expect(await applicants(rival, { jobId })).toEqual([]);
    expect(await applicants(acme, { jobId: JobId.parse(uuid(0x99)) })).toEqual([]);
  });

  test('for a job are shown to the company’s people whose role has them, with whom they are assigned to', async () => {
    for (const actor of [recruiter, viewer])
      expect(await applicants(actor, { jobId })).toEqual([bob.userId, ada.userId]);
    expect(await applicants(interviewer, { jobId })).toEqual([ada.userId]);
    for (const actor of [elsewhere, former]) expect(await applicants(actor, { jobId })).toEqual([]);
    const { data } = await side.queries.listApplications({ actor: interviewer, jobId, limit: 10 });
    expect(data).toMatchObject([{ applicationId, assigneeId: interviewer.userId }]);
  });

  test('can be read by both sides only', async () => {
    for (const actor of [ada, acme, recruiter, interviewer, viewer])
      expect(await side.queries.getApplication({ actor, applicationId })).toMatchObject({
        id: applicationId,
        jobId,
        applicantId: ada.userId,
        applicant: { userId: ada.userId, displayName: 'Ada' },
        status: 'interview',
        reason: 'Tuesday',
        coverLetter: 'I build engines',
      });
    for (const actor of [bob, eve, rival, elsewhere, former])
      await expect(side.queries.getApplication({ actor, applicationId })).rejects.toThrow(
        'APPLICATION_NOT_FOUND',
      );
  });

  test('do not tell their applicant whom they are assigned to', async () => {
    expect(await side.queries.getApplication({ actor: ada, applicationId })).not.toHaveProperty('assigneeId');
    const { data } = await side.queries.listApplications({ actor: ada, limit: 10 });
    for (const each of data) expect(each).not.toHaveProperty('assigneeId');
  });

  test('that are assigned to nobody are no interviewer’s', async () => {
    const applicationOfBob = { actor: interviewer, applicationId: ApplicationId.parse(uuid(0x31)) };
    await expect(side.queries.getApplication(applicationOfBob)).rejects.toThrow('APPLICATION_NOT_FOUND');
    await side.happened(event('ApplicationAssigned', { ...subject, assigneeId: null }));
    expect(await applicants(interviewer, { jobId })).toEqual([]);
  });

  test('that are withdrawn do not count as applied for', async () => {
    await side.happened(event('ApplicationWithdrawn', subject));
    expect(await side.queries.getJob({ actor: ada, jobId })).toMatchObject({ applied: false });
    expect((await side.queries.listJobs({ actor: ada, mine: true, limit: 10 })).data).toEqual([]);
  });
});
