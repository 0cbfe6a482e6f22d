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

  test('who removes itself leaves', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('an admin among admins may leave', () =>
    given(...group, joined(ada, 'admin'))
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('the last to go from a closed group may be the admin', () =>
    given(groupCreated, groupClosed)
      .as(acme)
      .when(removeMember, without(acme))
      .then([left(acme)]));

  test('the admin does not leave an open group, though nobody else is in: others may come', () =>
    given(groupCreated).as(acme).when(removeMember, without(acme)).thenRejects('LAST_ADMIN'));

  test('a closed group may be left', () =>
    given(...group, groupClosed)
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('the last admin does not leave the others behind', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test('not even the system takes the last admin from the others', () =>
    given(...group)
      .as('system')
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test.each([
    ['by itself', acme],
    ['through another admin', ada],
    ['through the system', 'system' as const],
  ])('the company that posted the job does not go %s, though another admin is there', (_, actor) =>
    given(...group, joined(ada, 'admin'))
      .as(actor)
      .when(removeMember, without(acme))
      .thenRejects('JOB_OWNER_STAYS'),
  );

  test('the company stays in its closed group as long as others are in it', () =>
    given(...group, joined(ada, 'admin'), groupClosed)
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('JOB_OWNER_STAYS'));

  test.each([
    ['left', left(acme)],
    ['was removed', removed(acme)],
    ['became a member', joined(acme)],
  ])('the company, which once %s, takes over from the last admin who leaves', (_, going) =>
    given(...group, joined(ada, 'admin'), going)
      .as(ada)
      .when(removeMember, without(ada))
      .then([joined(acme, 'admin'), left(ada)]),
  );

  test('the company takes over from the last admin whom the system removes', () =>
    given(...group, joined(ada, 'admin'), removed(acme))
      .as('system')
      .when(removeMember, without(ada))
      .then([joined(acme, 'admin'), removed(ada)]));

  test('in a group without a job nobody takes over from the last admin', () =>
    given({ ...groupCreated, data: { ...groupCreated.data, jobId: null } }, joined(ada))
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test('a member removes nobody else', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(bob))
      .thenRejects('NOT_GROUP_ADMIN'));

  test('a stranger may not know that there is a group', () =>
    given(...group)
      .as(eve)
      .when(removeMember, without(ada))
      .thenRejects('GROUP_NOT_FOUND'));

  test('nobody is removed from a group that is not there', () =>
    given().as(acme).when(removeMember, without(ada)).thenRejects('GROUP_NOT_FOUND'));

  test('an admin removes nobody who is not in', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(eve))
      .thenRejects('MEMBER_NOT_FOUND'));

  test('for the system, who is not in has been removed', () =>
    given(...group, removed(ada))
      .as('system')
      .when(removeMember, without(ada))
      .thenNothing());

  test('who has left does not leave again', () =>
    given(...group, left(ada))
      .as(ada)
      .when(removeMember, without(ada))
      .thenRejects('GROUP_NOT_FOUND'));

  test('a repetition is the same removal', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(ada))
      .thenIdempotent());

  test('a repetition is the same leaving, though nobody inside asks', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(ada))
      .thenIdempotent());
});
