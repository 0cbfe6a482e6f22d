import { changeProfile } from '../../../src/commands/account/change-profile.ts';
import { ada, event, registered } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const { userId } = ada;
const renamed = event('ProfileChanged', { userId, displayName: 'Countess' });

describe('changing a profile', () => {
  test('changes the name', () =>
    given(registered(ada)).as(ada).when(changeProfile, { userId, displayName: 'Countess' }).then([renamed]));

  test('changes nothing when the name is the same', () =>
    given(registered(ada), renamed)
      .as(ada)
      .when(changeProfile, { userId, displayName: 'Countess' })
      .thenNothing());

  test('accepts an earlier name', () =>
    given(registered(ada), renamed)
      .as(ada)
      .when(changeProfile, { userId, displayName: 'Ada' })
      .then([event('ProfileChanged', { userId, displayName: 'Ada' })]));

  test('changes nothing without a name', () =>
    given(registered(ada)).as(ada).when(changeProfile, { userId }).thenNothing());

  test('rejects a profile of a user who never registered', () =>
    given().as(ada).when(changeProfile, { userId, displayName: 'Ada' }).thenRejects('USER_NOT_FOUND'));

  test('a repetition is the same change', () =>
    given(registered(ada)).as(ada).when(changeProfile, { userId, displayName: 'Countess' }).thenIdempotent());
});
