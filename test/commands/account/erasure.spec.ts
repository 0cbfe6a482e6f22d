import { eraseAccount } from '../../../src/commands/account/erase-account.ts';
import { requestErasure } from '../../../src/commands/account/request-erasure.ts';
import { withdrawErasure } from '../../../src/commands/account/withdraw-erasure.ts';
import { registerAccount } from '../../../src/commands/account/register-account.ts';
import {
  accountErased,
  acme,
  ada,
  auditor,
  bob,
  erasureId,
  erasureRequested,
  erasureWithdrawn,
  event,
  registered,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const { userId } = ada;
const mine = { userId, delayHours: 72 };
const due = event('ErasureRequested', { userId, erasureId, dueAt: '2026-01-01T00:00:00.000Z' });
const later = event('ErasureRequested', { userId, erasureId, dueAt: '2999-01-01T00:00:00.000Z' });

describe('asking for an erasure', () => {
  test.each([['the person', ada] as const, ['an auditor', auditor] as const])('is for %s', (_who, actor) =>
    given(registered(ada))
      .as(actor)
      .when(requestErasure, mine)
      .then([expect.objectContaining({ type: 'ErasureRequested' })]),
  );

  test.each([['another applicant', bob] as const, ['a company', acme] as const])(
    'is not for %s, who does not learn that there is an account',
    (_who, actor) =>
      given(registered(ada)).as(actor).when(requestErasure, mine).thenRejects('USER_NOT_FOUND'),
  );

  test('rejects a user who never registered', () =>
    given().as(auditor).when(requestErasure, mine).thenRejects('USER_NOT_FOUND'));

  test('again changes nothing', () =>
    given(registered(ada), due).as(ada).when(requestErasure, mine).thenNothing());

  test('by an auditor brings it forward under the same id', () =>
    given(registered(ada), later)
      .as(auditor)
      .when(requestErasure, { userId, delayHours: 0 })
      .then([
        expect.objectContaining({
          type: 'ErasureRequested',
          data: expect.objectContaining({ erasureId, userId }) as object,
        }),
      ]));

  test('changes nothing for somebody who is erased', () =>
    given(registered(ada), due, accountErased).as(auditor).when(requestErasure, mine).thenNothing());
});

describe('taking an erasure back', () => {
  const withdrawal = { userId, erasureId };

  test.each([['the person', ada] as const, ['an auditor', auditor] as const])('is for %s', (_who, actor) =>
    given(registered(ada), erasureRequested)
      .as(actor)
      .when(withdrawErasure, withdrawal)
      .then([erasureWithdrawn]),
  );

  test('is for nobody else', () =>
    given(registered(ada), erasureRequested)
      .as(bob)
      .when(withdrawErasure, withdrawal)
      .thenRejects('ERASURE_NOT_FOUND'));

  test('rejects an erasure that was taken back already', () =>
    given(registered(ada), erasureRequested, erasureWithdrawn)
      .as(ada)
      .when(withdrawErasure, withdrawal)
      .thenRejects('ERASURE_NOT_FOUND'));

  test('comes too late once it is done', () =>
    given(registered(ada), erasureRequested, accountErased)
      .as(auditor)
      .when(withdrawErasure, withdrawal)
      .thenRejects('ERASURE_DONE'));
});

describe('erasing an account', () => {
  const erasing = { userId, erasureId };

  test('happens once the time to take it back is over', () =>
    given(registered(ada), due).as('system').when(eraseAccount, erasing).then([accountErased]));

  test('does not happen before', () =>
    given(registered(ada), later).as('system').when(eraseAccount, erasing).thenNothing());

  test('does not happen to an erasure that was taken back', () =>
    given(registered(ada), due, erasureWithdrawn).as('system').when(eraseAccount, erasing).thenNothing());

  test('happens once', () =>
    given(registered(ada), due, accountErased).as('system').when(eraseAccount, erasing).thenNothing());

  test('happens at once to somebody on the list of erased people', () =>
    given(registered(ada))
      .as('system')
      .when(eraseAccount, { ...erasing, isListed: true })
      .then([accountErased]));

  test('is not for users', () =>
    given(registered(ada), due).as(auditor).when(eraseAccount, erasing).thenRejects('ROLE_NOT_ALLOWED'));

  test('does not let the account be registered again', () =>
    given(registered(ada), due, accountErased)
      .as('system')
      .when(registerAccount, { userId, role: 'applicant', displayName: 'Ada' })
      .thenNothing());
});
