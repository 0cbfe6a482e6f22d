import { removeMember } from '../../../src/commands/chat-group/remove-member.ts';
import {
  acme,
  ada,
  bob,
  eve,
  group,
  groupClosed,
  groupCreated,
  groupId,
  joined,
  left,
  removed,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const without = ({ userId }: typeof ada) => ({ groupId, userId });

describe('removing a member', () => {
  test('an admin removes a member', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(ada))
      .then([removed(ada)]));

  test('the system removes a member', () =>
    given(...group)
      .as('system')
      .when(removeMember, without(ada))
      .then([removed(ada)]));

  test('an admin removes another admin', () =>
    given(...group, joined(ada, 'admin'))
      .as(acme)
      .when(removeMember, without(ada))
      .then([removed(ada)]));

  test('a member that removes itself leaves', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('an admin among admins may leave', () =>
    given(...group, joined(ada, 'admin'))
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('an admin may be the last to leave a closed group', () =>
    given(groupCreated, groupClosed)
      .as(acme)
      .when(removeMember, without(acme))
      .then([left(acme)]));

  test('rejects the leaving of the only member of an open group, since others may join', () =>
    given(groupCreated).as(acme).when(removeMember, without(acme)).thenRejects('LAST_ADMIN'));

  test('a closed group may be left', () =>
    given(...group, groupClosed)
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('rejects the leaving of the last admin', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test('rejects the removal of the last admin, even by the system', () =>
    given(...group)
      .as('system')
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test.each([
    ['by itself', acme],
    ['through another admin', ada],
    ['through the system', 'system' as const],
  ])('rejects the departure of the company that posted the job %s, even with another admin', (_, actor) =>
    given(...group, joined(ada, 'admin'))
      .as(actor)
      .when(removeMember, without(acme))
      .thenRejects('JOB_OWNER_STAYS'),
  );

  test('rejects the departure of the company from its closed group while others are in it', () =>
    given(...group, joined(ada, 'admin'), groupClosed)
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('JOB_OWNER_STAYS'));

  test.each([
    ['left', left(acme)],
    ['was removed', removed(acme)],
    ['became a member', joined(acme)],
  ])('the company, which %s before, replaces the last admin who leaves', (_, going) =>
    given(...group, joined(ada, 'admin'), going)
      .as(ada)
      .when(removeMember, without(ada))
      .then([joined(acme, 'admin'), left(ada)]),
  );

  test('the company replaces the last admin whom the system removes', () =>
    given(...group, joined(ada, 'admin'), removed(acme))
      .as('system')
      .when(removeMember, without(ada))
      .then([joined(acme, 'admin'), removed(ada)]));

  test('rejects the leaving of the last admin in a group without a job', () =>
    given({ ...groupCreated, data: { ...groupCreated.data, jobId: null } }, joined(ada))
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test('rejects a removal by a member', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(bob))
      .thenRejects('NOT_GROUP_ADMIN'));

  test('hides the group from a stranger', () =>
    given(...group)
      .as(eve)
      .when(removeMember, without(ada))
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects a removal from a group that does not exist', () =>
    given().as(acme).when(removeMember, without(ada)).thenRejects('GROUP_NOT_FOUND'));

  test('rejects the removal of a user who is not a member', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(eve))
      .thenRejects('MEMBER_NOT_FOUND'));

  test('changes nothing when the system removes a former member', () =>
    given(...group, removed(ada))
      .as('system')
      .when(removeMember, without(ada))
      .thenNothing());

  test('rejects the leaving of a former member', () =>
    given(...group, left(ada))
      .as(ada)
      .when(removeMember, without(ada))
      .thenRejects('GROUP_NOT_FOUND'));

  test('a repetition is the same removal', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(ada))
      .thenIdempotent());

  test('a repetition is the same leaving, although the caller is no longer a member', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(ada))
      .thenIdempotent());
});
