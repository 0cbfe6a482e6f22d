import { standardPreferences } from '../../../src/commands/account/account.ts';
import { setNotificationPreferences } from '../../../src/commands/account/set-notification-preferences.ts';
import {
  acme,
  ada,
  event,
  groupId,
  otherGroupId,
  registered,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const { userId } = ada;
const quietHours = { start: '22:00', end: '07:00', timeZone: 'Europe/Berlin' };
const chosen = { email: false, push: true, muted: [groupId], quietHours, digestMinutes: 60 };
const set = event('NotificationPreferencesSet', { userId, preferences: chosen });

describe('setting notification preferences', () => {
  test('records all preferences', () =>
    given(registered(ada))
      .as(ada)
      .when(setNotificationPreferences, { userId, preferences: chosen })
      .then([set]));

  test('keeps preferences that are left out', () =>
    given(registered(ada), set)
      .as(ada)
      .when(setNotificationPreferences, { userId, preferences: { push: false } })
      .then([event('NotificationPreferencesSet', { userId, preferences: { ...chosen, push: false } })]));

  test('changes nothing when the preferences are the same, in any order of groups', () => {
    const muted = [groupId, otherGroupId];
    given(registered(ada), event('NotificationPreferencesSet', { userId, preferences: { ...chosen, muted } }))
      .as(ada)
      .when(setNotificationPreferences, {
        userId,
        preferences: { ...chosen, quietHours: { ...quietHours }, muted: muted.toReversed() },
      })
      .thenNothing();
  });

  test('changes nothing when the defaults are set first', () =>
    given(registered(ada))
      .as(ada)
      .when(setNotificationPreferences, { userId, preferences: { ...standardPreferences, team: null } })
      .thenNothing());

  test('lets the role in the company decide again', () =>
    given(
      registered(ada),
      event('NotificationPreferencesSet', { userId, preferences: { ...chosen, team: 'all' } }),
    )
      .as(ada)
      .when(setNotificationPreferences, { userId, preferences: { team: null } })
      .then([set]));

  test.each([
    { email: true },
    { push: false },
    { muted: [] },
    { muted: [otherGroupId] },
    { quietHours: null },
    { quietHours: { ...quietHours, start: '21:00' } },
    { quietHours: { ...quietHours, end: '06:00' } },
    { quietHours: { ...quietHours, timeZone: 'Europe/Paris' } },
    { digestMinutes: 0 },
    { team: 'assigned' as const },
    { team: 'all' as const },
  ])('%j is a change', (change) =>
    given(registered(ada), set)
      .as(ada)
      .when(setNotificationPreferences, { userId, preferences: change })
      .then([event('NotificationPreferencesSet', { userId, preferences: { ...chosen, ...change } })]),
  );

  test('mutes a group once that is listed twice', () =>
    given(registered(ada))
      .as(ada)
      .when(setNotificationPreferences, {
        userId,
        preferences: { muted: [otherGroupId, groupId, otherGroupId] },
      })
      .then([
        event('NotificationPreferencesSet', {
          userId,
          preferences: { ...standardPreferences, muted: [otherGroupId, groupId] },
        }),
      ]));

  test('rejects preferences set for another user', () =>
    given(registered(ada), registered(acme))
      .as(acme)
      .when(setNotificationPreferences, { userId, preferences: chosen })
      .thenRejects('USER_NOT_FOUND'));

  test('rejects preferences of a user who never registered', () =>
    given()
      .as(ada)
      .when(setNotificationPreferences, { userId, preferences: chosen })
      .thenRejects('USER_NOT_FOUND'));

  test('a repetition is the same change', () =>
    given(registered(ada))
      .as(ada)
      .when(setNotificationPreferences, { userId, preferences: chosen })
      .thenIdempotent());
});
