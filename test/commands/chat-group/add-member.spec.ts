import { addMember } from '../../../src/commands/chat-group/add-member.ts';
import {
  acme,
  ada,
  adaApplied,
  applied,
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

  test('a repetition is the same addition', () =>
    given(...people, ...group)
      .as(acme)
      .when(addMember, eveComes)
      .thenIdempotent());
});
