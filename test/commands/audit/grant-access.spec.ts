import { grantAccess } from '../../../src/commands/audit/grant-access.ts';
import { endAccess } from '../../../src/commands/audit/end-access.ts';
import {
  accessGranted,
  accountErased,
  acme,
  ada,
  auditor,
  event,
  eve,
  grantId,
  group,
  groupId,
  registered,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const reason = 'A complaint about the interview';
const asked = { grantId, reason, scope: { groupId }, minutes: 60 };
const other = { userId: eve.userId, role: 'auditor' as const };
const accessEnded = event('AccessEnded', { grantId });

describe('an access grant', () => {
  test('opens the conversation of a group for a while', () =>
    given(...group)
      .as(auditor)
      .when(grantAccess, asked)
      .then([accessGranted]));

  test('opens what a user wrote', () => {
    const scope = { userId: ada.userId };
    const data = { ...accessGranted.data, scope, expiresAt: '2026-01-02T03:05:05.678Z' };
    given(registered(ada))
      .as(auditor)
      .when(grantAccess, { ...asked, scope, minutes: 1 })
      .then([event('AccessGranted', data)]);
  });

  test('may concern a user whose account was erased', () =>
    given(registered(ada), accountErased)
      .as(auditor)
      .when(grantAccess, { ...asked, scope: { userId: ada.userId } })
      .then([event('AccessGranted', { ...accessGranted.data, scope: { userId: ada.userId } })]));

  test.each([
    ['a company', acme],
    ['an applicant', ada],
    ['an administrator', { ...ada, role: 'admin' as const }],
    ['the system', 'system' as const],
  ])('is refused to %s', (_, actor) =>
    given(...group)
      .as(actor)
      .when(grantAccess, asked)
      .thenRejects('ROLE_NOT_ALLOWED'),
  );

  test('is refused for a group and a user that do not exist', () => {
    given().as(auditor).when(grantAccess, asked).thenRejects('GROUP_NOT_FOUND');
    given()
      .as(auditor)
      .when(grantAccess, { ...asked, scope: { userId: ada.userId } })
      .thenRejects('USER_NOT_FOUND');
  });

  test.each([
    ['longer than an hour', { minutes: 61 }],
    ['for no time', { minutes: 0 }],
    ['without a reason', { reason: '' }],
    ['for two scopes', { scope: { groupId, userId: ada.userId } }],
    ['for no scope', { scope: {} }],
  ])('is never given %s', (_, change) =>
    expect(grantAccess.input.safeParse({ ...asked, ...change }).success).toBe(false),
  );

  test('is given once for one request', () =>
    given(...group)
      .as(auditor)
      .when(grantAccess, asked)
      .thenIdempotent());

  test('is ended early by its auditor, once', () => {
    given(...group, accessGranted)
      .as(auditor)
      .when(endAccess, { grantId })
      .then([accessEnded]);
    given(...group, accessGranted, accessEnded)
      .as(auditor)
      .when(endAccess, { grantId })
      .thenNothing();
  });

  test('is not ended again once it has expired', () =>
    given(...group, event('AccessGranted', { ...accessGranted.data, expiresAt: '2026-01-02T03:04:05.678Z' }))
      .as(auditor)
      .when(endAccess, { grantId })
      .thenNothing());

  test('is unknown to another auditor, and ended once for a repeated request', async () => {
    const scene = given(...group, accessGranted);
    scene.as(other).when(endAccess, { grantId }).thenRejects('GRANT_NOT_FOUND');
    given().as(auditor).when(endAccess, { grantId }).thenRejects('GRANT_NOT_FOUND');
    await scene.as(auditor).when(endAccess, { grantId }).thenIdempotent();
  });
});
