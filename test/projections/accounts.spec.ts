import { accounts } from '../../src/projections/accounts.ts';
import { standardPreferences } from '../../src/commands/account/account.ts';
import type { NotificationPreferences } from '../../src/events/account.ts';
import { acme, ada, event, groupId, otherGroupId, registered } from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(accounts);
beforeAll(open);
afterAll(close);

const renamed = (displayName: string) => event('ProfileChanged', { userId: ada.userId, displayName });
const prefers = (preferences: Partial<NotificationPreferences>) =>
  event('NotificationPreferencesSet', {
    userId: ada.userId,
    preferences: { ...standardPreferences, ...preferences },
  });
const PREFERENCES = 'email, push, muted, quiet_hours, digest_minutes';

describe('the accounts read model', () => {
  test('contains every registered user', () =>
    given(registered(acme, 'Acme'), registered(ada, 'Ada "the" Engineer')).then(
      'accounts',
      'user_id, role, display_name, registered_at',
      [
        { user_id: acme.userId, role: 'company', display_name: 'Acme', registered_at: new Date(at(1)) },
        {
          user_id: ada.userId,
          role: 'applicant',
          display_name: 'Ada "the" Engineer',
          registered_at: new Date(at(2)),
        },
      ],
    ));

  test('shows the latest name', () =>
    given(registered(ada), renamed('Lovelace'), renamed('Ada L.')).then('accounts', 'display_name', [
      { display_name: 'Ada L.' },
    ]));

  test('has the latest name of a company beside that of its founder', () =>
    given(
      registered(acme, 'Wile E.'),
      registered(ada),
      event('CompanyRenamed', { companyId: acme.userId, name: 'Acme' }),
      event('ProfileChanged', { userId: acme.userId, displayName: 'W. E.' }),
      event('CompanyRenamed', { companyId: acme.userId, name: 'Acme Robotics' }),
    ).then('accounts', 'display_name, company_name', [
      { display_name: 'Ada', company_name: null },
      { display_name: 'W. E.', company_name: 'Acme Robotics' },
    ]));

  test('has the default preferences until the user sets others', () =>
    given(registered(ada)).then('accounts', PREFERENCES, [
      {
        email: standardPreferences.email,
        push: standardPreferences.push,
        muted: standardPreferences.muted,
        quiet_hours: standardPreferences.quietHours,
        digest_minutes: standardPreferences.digestMinutes,
      },
    ]));

  test('has the latest preferences', () => {
    const quietHours = { start: '22:00', end: '07:00', timeZone: 'Europe/Berlin' };
    return given(
      registered(acme),
      registered(ada),
      prefers({ email: false, quietHours: { ...quietHours, end: '06:00' } }),
      prefers({ push: false, muted: [groupId, otherGroupId], quietHours, digestMinutes: 0 }),
    ).then('accounts', PREFERENCES, [
      {
        email: true,
        push: false,
        muted: [groupId, otherGroupId],
        quiet_hours: quietHours,
        digest_minutes: 0,
      },
      { email: true, push: true, muted: [], quiet_hours: null, digest_minutes: 10 },
    ]);
  });

  test('drops quiet hours and muted groups that were unset', () =>
    given(
      registered(ada),
      prefers({ muted: [groupId], quietHours: { start: '22:00', end: '07:00', timeZone: 'UTC' } }),
      prefers({}),
    ).then('accounts', 'muted, quiet_hours', [{ muted: [], quiet_hours: null }]));

  test('keeps name and preferences independent of their order', () =>
    given(
      registered(ada),
      prefers({ digestMinutes: 30 }),
      renamed('Lovelace'),
      prefers({ digestMinutes: 60 }),
      renamed('Ada L.'),
    ).then('accounts', 'display_name, digest_minutes', [{ display_name: 'Ada L.', digest_minutes: 60 }]));
});
