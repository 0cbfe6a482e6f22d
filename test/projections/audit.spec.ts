import { audit } from '../../src/projections/audit.ts';
import {
  accessGranted,
  ada,
  auditor,
  event,
  grantId,
  groupId,
  holdId,
  holdPlaced,
  holdReleased,
} from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(audit);
beforeAll(open);
afterAll(close);

const ended = event('AccessEnded', { grantId });

describe('the audit read model', () => {
  test('shows a grant with what it opens', () =>
    given(accessGranted).then('grants', '*', [
      {
        grant_id: grantId,
        auditor_id: auditor.userId,
        reason: 'A complaint about the interview',
        user_id: null,
        group_id: groupId,
        granted_at: new Date(at(1)),
        expires_at: new Date('2026-01-02T04:04:05.678Z'),
        ended_at: null,
        position: 1,
      },
    ]));

  test('shows a grant for one user', () =>
    given(event('AccessGranted', { ...accessGranted.data, scope: { userId: ada.userId } })).then(
      'grants',
      'user_id, group_id',
      [{ user_id: ada.userId, group_id: null }],
    ));

  test('keeps a grant that was ended, with the time', () =>
    given(accessGranted, ended).then('grants', 'grant_id, ended_at', [
      { grant_id: grantId, ended_at: new Date(at(2)) },
    ]));

  test('shows a hold in force', () =>
    given(holdPlaced).then('holds', '*', [
      {
        hold_id: holdId,
        group_id: groupId,
        reason: 'Acme v. Ada',
        placed_by: null,
        placed_at: new Date(at(1)),
        released_at: null,
        position: 1,
      },
    ]));

  test('keeps a hold that was released, with the time', () =>
    given(holdPlaced, holdReleased).then('holds', 'hold_id, released_at', [
      { hold_id: holdId, released_at: new Date(at(2)) },
    ]));
});
