import { createChatGroup } from '../../../src/commands/chat-group/create-chat-group.ts';
import {
  acme,
  ada,
  event,
  groupClosed,
  groupCreated,
  groupId,
  jobId,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const creation = { groupId, jobId, name: 'Engineer', adminId: acme.userId };

describe('creating a chat group', () => {
  test('the system creates the group of a job', () =>
    given().as('system').when(createChatGroup, creation).then([groupCreated]));

  test('a user creates a group as its admin', () =>
    given()
      .as(acme)
      .when(createChatGroup, { ...creation, jobId: null })
      .then([event('ChatGroupCreated', { ...groupCreated.data, jobId: null })]));

  test('rejects a creation for another admin', () =>
    given().as(ada).when(createChatGroup, creation).thenRejects('ROLE_NOT_ALLOWED'));

  test('creating again changes nothing', () =>
    given(groupCreated).as('system').when(createChatGroup, creation).thenNothing());

  test('creating a closed group again changes nothing', () =>
    given(groupCreated, groupClosed).as('system').when(createChatGroup, creation).thenNothing());

  test('a repetition is the same group', () =>
    given().as('system').when(createChatGroup, creation).thenIdempotent());
});
