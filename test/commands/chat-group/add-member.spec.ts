import { addMember } from '../../../src/commands/chat-group/add-member.ts';
import { CompanyRole } from '../../../src/events/company.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaWithdrew,
  applied,
  bob,
  dismissed,
  eve,
  group,
  groupClosed,
  groupCreated,
  groupId,
  hired,
  jobId,
  joined,
  left,
  otherJobId,
  recruiter,
  registered,
  removed,
  rival,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const people = [registered(acme), registered(ada), registered(eve), adaApplied, applied(eve)];
const eveComes = { groupId, userId: eve.userId };
const adaBecomes = (role: 'admin' | 'member') => ({ groupId, userId: ada.userId, role });

describe('adding a member', () => {
  test('an admin adds a member', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, eveComes)
      .then([joined(eve)]));

  test('an admin adds another admin', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, { ...eveComes, role: 'admin' })
      .then([joined(eve, 'admin')]));

  test('the system adds a member', () =>
    given(...people, ...group)
      .as('system')
      .when(addMember, eveComes)
      .then([joined(eve)]));

  test.each([
    ['left', left(ada)],
    ['was removed', removed(ada)],
  ])('a user who %s may be added again', (_, going) =>
    given(...people, ...group, going)
      .as(acme)
      .when(addMember, adaBecomes('member'))
      .then([joined(ada)]),
  );

  test('a member becomes an admin', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, adaBecomes('admin'))
      .then([joined(ada, 'admin')]));

  test('an admin among admins becomes a member', () =>
    given(...people, ...group, joined(ada, 'admin'))
      .as(acme)
      .when(addMember, adaBecomes('member'))
      .then([joined(ada)]));

  test('the only admin stays admin when the system adds it', () =>
    given(...people, ...group)
      .as('system')
      .when(addMember, { groupId, userId: acme.userId })
      .then([joined(acme, 'admin')]));

  test('rejects the demotion of the last admin, even without other members', () =>
    given(...people, groupCreated)
      .as(acme)
      .when(addMember, { groupId, userId: acme.userId, role: 'member' })
      .thenRejects('LAST_ADMIN'));

  test('rejects the demotion of the last admin among members', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, { groupId, userId: acme.userId, role: 'member' })
      .thenRejects('LAST_ADMIN'));

  test('adding a member again changes nothing', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, { groupId, userId: ada.userId })
      .thenNothing());

  test('adding an admin again without a role changes nothing', () =>
    given(...people, ...group, joined(ada, 'admin'))
      .as(acme)
      .when(addMember, { groupId, userId: ada.userId })
      .thenNothing());

  test('the system records the joining of an existing member, which makes its command idempotent', () =>
    given(...people, ...group)
      .as('system')
      .when(addMember, { groupId, userId: ada.userId })
      .then([joined(ada)]));

  test('an admin added by the system stays admin', () =>
    given(...people, ...group, joined(ada, 'admin'))
      .as('system')
      .when(addMember, { groupId, userId: ada.userId })
      .then([joined(ada, 'admin')]));

  test('rejects a user who never registered', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, { groupId, userId: bob.userId })
      .thenRejects('USER_NOT_FOUND'));

  test('rejects an addition by a member', () =>
    given(...people, ...group)
      .as(ada)
      .when(addMember, eveComes)
      .thenRejects('NOT_GROUP_ADMIN'));

  test('hides the group from a stranger, who cannot join either', () =>
    given(...people, ...group)
      .as(eve)
      .when(addMember, eveComes)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects an addition by an admin who left', () =>
    given(...people, ...group, joined(ada, 'admin'), left(acme))
      .as(acme)
      .when(addMember, eveComes)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects an addition to a group that does not exist', () =>
    given(...people)
      .as('system')
      .when(addMember, eveComes)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects an addition to a closed group by an admin', () =>
    given(...people, groupCreated, groupClosed)
      .as(acme)
      .when(addMember, eveComes)
      .thenRejects('GROUP_CLOSED'));

  test('the system adds a member to a closed group: the application was in time', () =>
    given(...people, groupCreated, groupClosed)
      .as('system')
      .when(addMember, eveComes)
      .then([joined(eve)]));

  test.each([
    ['an admin', ada],
    ['itself', acme],
  ])('rejects the demotion of the company that posted the job by %s', (_, actor) =>
    given(...people, ...group, joined(ada, 'admin'))
      .as(actor)
      .when(addMember, { groupId, userId: acme.userId, role: 'member' })
      .thenRejects('JOB_OWNER_STAYS'),
  );

  test.each([
    ['left', [left(acme)]],
    ['was removed', [removed(acme)]],
    ['became a member', [joined(acme)]],
    ['was removed before the group closed', [removed(acme), groupClosed]],
  ])('the company that posted the job and %s can rejoin as an admin', (_, going) =>
    given(...people, ...group, joined(ada, 'admin'), ...going)
      .as(acme)
      .when(addMember, { groupId, userId: acme.userId })
      .then([joined(acme, 'admin')]),
  );

  test('rejects a return of any other user', () =>
    given(...people, ...group, joined(ada, 'admin'), left(ada))
      .as(ada)
      .when(addMember, adaBecomes('admin'))
      .thenRejects('GROUP_NOT_FOUND'));

  test.each([
    ['a user who has not applied', bob, [registered(bob)]],
    ['an applicant who has withdrawn', ada, [left(ada), adaWithdrew]],
    ['another company', rival, [registered(rival)]],
    ['a former teammate', rival, [registered(rival), hired(rival, 'recruiter'), dismissed(rival)]],
  ])('rejects %s', (_, { userId }, since) =>
    given(...people, ...group, removed(bob), ...since)
      .as(acme)
      .when(addMember, { groupId, userId })
      .thenRejects('USER_NOT_FOUND'),
  );

  test('an admin brings an applicant back whom it has rejected', () =>
    given(...people, ...group, removed(ada), adaIs('rejected'))
      .as(acme)
      .when(addMember, adaBecomes('member'))
      .then([joined(ada)]));

  test('a member from before that rule keeps its place, and may get another role', () => {
    const before = [...people, registered(bob), registered(rival), ...group, joined(rival)];
    for (const who of [bob, rival])
      given(...before)
        .as(acme)
        .when(addMember, { groupId, userId: who.userId, role: 'admin' })
        .then([joined(who, 'admin')]);
    given(...before, hired(rival, 'viewer'), dismissed(rival))
      .as(acme)
      .when(addMember, { groupId, userId: rival.userId, role: 'admin' })
      .thenRejects('USER_NOT_FOUND');
  });

  test('an admin adds people of the company', () => {
    for (const role of CompanyRole.options)
      given(...people, registered(rival), ...group, hired(rival, role, []))
        .as(acme)
        .when(addMember, { groupId, userId: rival.userId })
        .then([joined(rival)]);
  });

  test('an automation adds whom it is about', () =>
    given(...people, registered(bob), groupCreated)
      .as('system')
      .when(addMember, { groupId, userId: bob.userId })
      .then([joined(bob)]));

  test('a repetition is the same addition', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, eveComes)
      .thenIdempotent());
});

describe('whoever may change a job', () => {
  const hires = [registered(rival), registered(recruiter)];
  const itself = { groupId, userId: rival.userId };

  test.each([
    ['an owner', [hired(rival, 'owner')]],
    ['a recruiter of all jobs', [hired(rival, 'recruiter')]],
    ['a recruiter of the job', [hired(rival, 'recruiter', [jobId])]],
    ['an owner whom another admin removed', [hired(rival, 'owner'), joined(rival), removed(rival)]],
    ['an owner who is a member', [hired(rival, 'owner'), joined(rival)]],
  ])('comes into its group as an admin: %s', (_, since) =>
    given(...people, ...hires, ...group, ...since)
      .as(rival)
      .when(addMember, itself)
      .then([joined(rival, 'admin')]),
  );

  test.each([
    ['a recruiter of another job', [hired(rival, 'recruiter', [otherJobId])]],
    ['an interviewer', [hired(rival, 'interviewer')]],
    ['a viewer', [hired(rival, 'viewer')]],
    ['a former owner', [hired(rival, 'owner'), dismissed(rival)]],
    ['another company', []],
  ])('is not %s, from whom the group is hidden', (_, since) =>
    given(...people, ...hires, ...group, ...since)
      .as(rival)
      .when(addMember, itself)
      .thenRejects('GROUP_NOT_FOUND'),
  );

  test('does not bring others along before it has come in', () =>
    given(...people, ...hires, ...group, hired(rival, 'owner'), hired(recruiter, 'recruiter'))
      .as(rival)
      .when(addMember, { groupId, userId: recruiter.userId })
      .thenRejects('GROUP_NOT_FOUND'));

  test('does not come into a group that is closed', () =>
    given(...people, ...hires, ...group, groupClosed, hired(rival, 'owner'))
      .as(rival)
      .when(addMember, itself)
      .thenRejects('GROUP_CLOSED'));
});
