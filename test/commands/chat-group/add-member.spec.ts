import { addMember } from '../../../src/commands/chat-group/add-member.ts';
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
  registered,
  removed,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const people = [registered(acme), registered(ada), registered(eve)];
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
  ])('who %s may be added again', (_, going) =>
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

  test('the only admin, added by the system, stays admin', () =>
    given(...people, ...group)
      .as('system')
      .when(addMember, { groupId, userId: acme.userId })
      .then([joined(acme, 'admin')]));

  test('not even alone in a group does the last admin become a member', () =>
    given(...people, groupCreated)
      .as(acme)
      .when(addMember, { groupId, userId: acme.userId, role: 'member' })
      .thenRejects('LAST_ADMIN'));

  test('the last admin does not become a member', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, { groupId, userId: acme.userId, role: 'member' })
      .thenRejects('LAST_ADMIN'));

  test('a member added again stays as it is', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, { groupId, userId: ada.userId })
      .thenNothing());

  test('an admin added again without a role stays admin', () =>
    given(...people, ...group, joined(ada, 'admin'))
      .as(acme)
      .when(addMember, { groupId, userId: ada.userId })
      .thenNothing());

  test('the system writes down that a member joined even who is in already: only so is it done once', () =>
    given(...people, ...group)
      .as('system')
      .when(addMember, { groupId, userId: ada.userId })
      .then([joined(ada)]));

  test('an admin whom the system adds stays admin', () =>
    given(...people, ...group, joined(ada, 'admin'))
      .as('system')
      .when(addMember, { groupId, userId: ada.userId })
      .then([joined(ada, 'admin')]));

  test('who never registered is not added', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, { groupId, userId: bob.userId })
      .thenRejects('USER_NOT_FOUND'));

  test('a member adds nobody', () =>
    given(...people, ...group)
      .as(ada)
      .when(addMember, eveComes)
      .thenRejects('NOT_GROUP_ADMIN'));

  test('a stranger may not know that there is a group, nor add itself', () =>
    given(...people, ...group)
      .as(eve)
      .when(addMember, eveComes)
      .thenRejects('GROUP_NOT_FOUND'));

  test('an admin who left adds nobody', () =>
    given(...people, ...group, joined(ada, 'admin'), left(acme))
      .as(acme)
      .when(addMember, eveComes)
      .thenRejects('GROUP_NOT_FOUND'));

  test('nobody is added to a group that is not there', () =>
    given(...people)
      .as('system')
      .when(addMember, eveComes)
      .thenRejects('GROUP_NOT_FOUND'));

  test('a closed group takes nobody from an admin', () =>
    given(...people, groupCreated, groupClosed)
      .as(acme)
      .when(addMember, eveComes)
      .thenRejects('GROUP_CLOSED'));

  test('a closed group takes whom the system adds: the application was made in time', () =>
    given(...people, groupCreated, groupClosed)
      .as('system')
      .when(addMember, eveComes)
      .then([joined(eve)]));

  test.each([
    ['an admin', ada],
    ['itself', acme],
  ])('the company that posted the job is not made a member by %s', (_, actor) =>
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
  ])('the company that posted the job and once %s brings itself back as an admin', (_, going) =>
    given(...people, ...group, joined(ada, 'admin'), ...going)
      .as(acme)
      .when(addMember, { groupId, userId: acme.userId })
      .then([joined(acme, 'admin')]),
  );

  test('nobody else brings itself back', () =>
    given(...people, ...group, joined(ada, 'admin'), left(ada))
      .as(ada)
      .when(addMember, adaBecomes('admin'))
      .thenRejects('GROUP_NOT_FOUND'));

  test('a repetition is the same joining', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, eveComes)
      .thenIdempotent());
});
