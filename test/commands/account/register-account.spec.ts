import { registerAccount } from '../../../src/commands/account/register-account.ts';
import { ada, registered } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const registration = { ...ada, displayName: 'Ada' };

describe('registering an account', () => {
  test('records role and name of a new user', () =>
    given()
      .as(ada)
      .when(registerAccount, registration)
      .then([registered(ada)]));

  test('changes nothing for a registered account, whatever the name', () =>
    given(registered(ada))
      .as(ada)
      .when(registerAccount, { ...registration, displayName: 'A.' })
      .thenNothing());

  test('a repetition is the same registration', () =>
    given().as(ada).when(registerAccount, registration).thenIdempotent());

  test.each([
    ['an empty name', { displayName: '' }],
    ['a name of 101 characters', { displayName: 'x'.repeat(101) }],
    ['a name with a NUL character', { displayName: 'A\u0000da' }],
    ['a name with half an emoji', { displayName: 'A\ud83d' }],
    ['an unknown role', { role: 'owner' }],
    ['an unknown field', { isAdmin: true }],
  ])('rejects %s', (_, fault) =>
    expect(registerAccount.input.safeParse({ ...registration, ...fault }).success).toBe(false),
  );
});
