import { accounts } from '../../src/projections/accounts.ts';
import { acme, ada, event, registered } from '../support/example-events.ts';
import { at, stage } from '../support/projection.ts';

const { open, close, given } = stage(accounts);
beforeAll(open);
afterAll(close);

const renamed = (displayName: string) => event('ProfileChanged', { userId: ada.userId, displayName });

describe('the accounts read model', () => {
  test('knows everybody who registered', () =>
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

  test('shows the last of many names', () =>
    given(registered(ada), renamed('Lovelace'), renamed('Ada L.')).then('accounts', 'display_name', [
      { display_name: 'Ada L.' },
    ]));
});
