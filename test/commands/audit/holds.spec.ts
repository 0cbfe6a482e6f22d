import { placeHold } from '../../../src/commands/audit/place-hold.ts';
import { releaseHold } from '../../../src/commands/audit/release-hold.ts';
import {
  acme,
  auditor,
  groupCreated,
  groupId,
  holdId,
  holdPlaced,
  holdReleased,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const placing = { holdId, groupId, reason: 'Acme v. Ada' };

describe('placing a hold', () => {
  test('is for auditors', () => given(groupCreated).as(auditor).when(placeHold, placing).then([holdPlaced]));
  test('is not for the group’s admin', () =>
    given(groupCreated).as(acme).when(placeHold, placing).thenRejects('ROLE_NOT_ALLOWED'));
  test('rejects an unknown group', () =>
    given().as(auditor).when(placeHold, placing).thenRejects('GROUP_NOT_FOUND'));
  test('happens once', () =>
    given(groupCreated, holdPlaced).as(auditor).when(placeHold, placing).thenNothing());
});

describe('releasing a hold', () => {
  test('is for auditors', () =>
    given(groupCreated, holdPlaced).as(auditor).when(releaseHold, { holdId }).then([holdReleased]));
  test('is not for the group’s admin', () =>
    given(groupCreated, holdPlaced).as(acme).when(releaseHold, { holdId }).thenRejects('ROLE_NOT_ALLOWED'));
  test('rejects an unknown hold', () =>
    given(groupCreated).as(auditor).when(releaseHold, { holdId }).thenRejects('HOLD_NOT_FOUND'));
  test('happens once', () =>
    given(groupCreated, holdPlaced, holdReleased).as(auditor).when(releaseHold, { holdId }).thenNothing());
});
