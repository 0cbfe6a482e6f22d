import { closeGroup } from '../../../src/commands/chat-group/close-group.ts';
import { acme, ada, eve, group, groupClosed, groupId } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

describe('closing a group', () => {
  test('an admin closes the group', () =>
    given(...group)
      .as(acme)
      .when(closeGroup, { groupId })
      .then([groupClosed]));

  test('the system closes the group', () =>
    given(...group)
      .as('system')
      .when(closeGroup, { groupId })
      .then([groupClosed]));

  test('closing again changes nothing', () =>
    given(...group, groupClosed)
      .as(acme)
      .when(closeGroup, { groupId })
      .thenNothing());

  test('rejects a closing by a member', () =>
    given(...group)
      .as(ada)
      .when(closeGroup, { groupId })
      .thenRejects('NOT_GROUP_ADMIN'));

  test('hides the group from a stranger', () =>
    given(...group)
      .as(eve)
      .when(closeGroup, { groupId })
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects the closing of a group that does not exist', () =>
    given().as('system').when(closeGroup, { groupId }).thenRejects('GROUP_NOT_FOUND'));

  test('a repetition is the same closing', () =>
    given(...group)
      .as(acme)
      .when(closeGroup, { groupId })
      .thenIdempotent());
});
