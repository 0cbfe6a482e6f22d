import { changeProfile } from '../../../src/commands/account/change-profile.ts';
import { ada, event, registered } from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const { userId } = ada;
const renamed = event('ProfileChanged', { userId, displayName: 'Countess' });

describe('changing a profile', () => {
  test('the name changes', () =>
    given(registered(ada)).as(ada).when(changeProfile, { userId, displayName: 'Countess' }).then([renamed]));

  test('the same name again changes nothing', () =>
    given(registered(ada), renamed)
      .as(ada)
      .when(changeProfile, { userId, displayName: 'Countess' })
      .thenNothing());

  test('an earlier name may come back', () =>
    given(registered(ada), renamed)
      .as(ada)
      .when(changeProfile, { userId, displayName: 'Ada' })
      .then([event('ProfileChanged', { userId, displayName: 'Ada' })]));

  test('without a name nothing changes', () =>
    given(registered(ada)).as(ada).when(changeProfile, { userId }).thenNothing());

  test('rejects a profile of a user who never registered', () =>
    given().as(ada).when(changeProfile, { userId, displayName: 'Ada' }).thenRejects('USER_NOT_FOUND'));

  test('a repetition is the same change', () =>
    given(registered(ada)).as(ada).when(changeProfile, { userId, displayName: 'Countess' }).thenIdempotent());
});
