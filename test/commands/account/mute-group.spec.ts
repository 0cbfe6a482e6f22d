import { standardPreferences } from '../../../src/commands/account/account.ts';
import { muteGroup, unmuteGroup } from '../../../src/commands/account/mute-group.ts';
import { GroupId } from '../../../src/events/ids.ts';
import {
  ada,
  bob,
  event,
  eve,
  group,
  groupId,
  otherGroupId,
  registered,
  removed,
  uuid,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const { userId } = ada;
const wish = { userId, groupId };
const muting = (...muted: GroupId[]) =>
  event('NotificationPreferencesSet', {
    userId,
    preferences: { ...standardPreferences, email: false, digestMinutes: 60, muted },
  });
const full = Array.from({ length: 1_000 }, (_, n) => GroupId.parse(uuid(0x5000 + n)));

describe('muting a group', () => {
  test('adds it to the muted ones, and keeps all other preferences', () =>
    given(registered(ada), ...group, muting(otherGroupId))
      .as(ada)
      .when(muteGroup, wish)
      .then([muting(otherGroupId, groupId)]));

  test('changes nothing when it is muted', () =>
    given(registered(ada), ...group, muting(groupId, otherGroupId))
      .as(ada)
      .when(muteGroup, wish)
      .thenNothing());

  test('is for those who may read the group', () => {
    for (const command of [muteGroup, unmuteGroup]) {
      given(registered(eve), ...group)
        .as(eve)
        .when(command, { ...wish, userId: eve.userId })
        .thenRejects('GROUP_NOT_FOUND');
      given(registered(ada), ...group, removed(ada), muting(groupId))
        .as(ada)
        .when(command, wish)
        .thenRejects('GROUP_NOT_FOUND');
      given(registered(ada)).as(ada).when(command, wish).thenRejects('GROUP_NOT_FOUND');
    }
  });

  test('is for oneself', () =>
    given(registered(ada), registered(bob), ...group)
      .as(bob)
      .when(muteGroup, wish)
      .thenRejects('USER_NOT_FOUND'));

  test('ends at a limit', () =>
    given(registered(ada), ...group, muting(...full))
      .as(ada)
      .when(muteGroup, wish)
      .thenRejects('TOO_MANY_MUTED'));
});

describe('unmuting a group', () => {
  test('takes it from the muted ones, and keeps all other preferences', () =>
    given(registered(ada), ...group, muting(groupId, otherGroupId))
      .as(ada)
      .when(unmuteGroup, wish)
      .then([muting(otherGroupId)]));

  test('changes nothing when it is not muted', () =>
    given(registered(ada), ...group, muting(otherGroupId))
      .as(ada)
      .when(unmuteGroup, wish)
      .thenNothing());
});
