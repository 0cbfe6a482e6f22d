import {
  acme,
  ada,
  event,
  groupId,
  hired,
  otherGroupId,
  privateJobPosted,
  adaAppliedPrivately,
  recruiter,
  registered,
  teamCreated,
  thread,
  threadId,
} from '../support/language/example-events.ts';
import { said } from '../support/language/conversation.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

describe('the profile of a person', () => {
  const other = { groupId: otherGroupId, userId: ada.userId };
  let side: ReadSide;
  beforeAll(async () => {
    side = await openReadSide();
    await side.happened(
      ...[registered(acme, 'Acme'), registered(ada, 'Ada'), registered(recruiter, 'Rita')],
      event('ChatGroupCreated', { groupId: otherGroupId, jobId: null, name: 'Other', adminId: acme.userId }),
      event('MemberJoined', { ...other, role: 'member' }),
      ...[privateJobPosted, teamCreated, adaAppliedPrivately, ...thread],
      hired(recruiter, 'recruiter'),
    );
  });
  afterAll(() => side.close());

  test('has the groups in whose lists of members it is', async () => {
    const profile = (await side.queries.profileOf(ada.userId))!;
    expect(profile.displayName).toBe('Ada');
    expect(new Set(profile.groupIds)).toEqual(new Set([otherGroupId, threadId]));
    await side.happened(
      event('MemberLeft', other),
      event('ProfileChanged', { userId: ada.userId, displayName: 'Ada L.' }),
    );
    expect(await side.queries.profileOf(ada.userId)).toEqual({ displayName: 'Ada L.', groupIds: [threadId] });
  });

  test('has no thread in which one of the company has not shown itself to the applicant', async () => {
    const profile = (await side.queries.profileOf(recruiter.userId))!;
    expect(profile.groupIds).toEqual([groupId]);
    const asked = { userId: recruiter.userId, groupId: threadId };
    expect(await side.queries.isListed(asked)).toBe(false);
    await side.happened(said(1, recruiter, 'Hello Ada', threadId));
    const shown = (await side.queries.profileOf(recruiter.userId))!;
    expect(new Set(shown.groupIds)).toEqual(new Set([groupId, threadId]));
    expect(await side.queries.isListed(asked)).toBe(true);
    expect(await side.queries.isListed({ ...asked, userId: ada.userId })).toBe(true);
  });
});
