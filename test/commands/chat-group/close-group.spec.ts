import { closeGroup } from '../../../src/commands/chat-group/close-group.ts';
import { acme, ada, eve, group, groupClosed, groupId } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

describe('closing a group', () => {
  test('an admin closes it', () =>
    given(...group)
      .as(acme)
      .when(closeGroup, { groupId })
      .then([groupClosed]));

  test('the system closes it', () =>
    given(...group)
      .as('system')
      .when(closeGroup, { groupId })
      .then([groupClosed]));

  test('closed is closed: again changes nothing', () =>
    given(...group, groupClosed)
      .as(acme)
      .when(closeGroup, { groupId })
      .thenNothing());

  test('a member does not close it', () =>
    given(...group)
      .as(ada)
      .when(closeGroup, { groupId })
      .thenRejects('NOT_GROUP_ADMIN'));

  test('a stranger may not know that there is a group', () =>
    given(...group)
      .as(eve)
      .when(closeGroup, { groupId })
      .thenRejects('GROUP_NOT_FOUND'));

  test('a group that is not there is not closed', () =>
    given().as('system').when(closeGroup, { groupId }).thenRejects('GROUP_NOT_FOUND'));

  test('a repetition is the same closing', () =>
    given(...group)
      .as(acme)
      .when(closeGroup, { groupId })
      .thenIdempotent());
});
