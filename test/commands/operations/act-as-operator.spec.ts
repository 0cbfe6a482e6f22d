import { randomUUID } from 'node:crypto';
import { actAsOperator } from '../../../src/commands/operations/act-as-operator.ts';
import { closeJob } from '../../../src/commands/job/close-job.ts';
import type { OperatorAct } from '../../../src/events/operations.ts';
import {
  accountErased,
  actId,
  acme,
  ada,
  auditor,
  event,
  jobClosed,
  jobId,
  jobPosted,
  operator,
  registered,
  userSuspended,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const reason = 'Writes to everybody';
const acting = (act: OperatorAct, more = {}) => ({ actId, act, reason, ...more });
const suspendAda: OperatorAct = { kind: 'suspendUser', userId: ada.userId };
const sessionId = randomUUID();

const onAda: OperatorAct[] = [
  suspendAda,
  { kind: 'restoreUser', userId: ada.userId },
  { kind: 'endSessions', userId: ada.userId, sessionId: null },
  { kind: 'endSessions', userId: ada.userId, sessionId },
  { kind: 'resetSecondFactor', userId: ada.userId },
  { kind: 'verifyEmail', userId: ada.userId },
];
const onOthers: OperatorAct[] = [
  { kind: 'closeJob', jobId },
  { kind: 'replayNotifications', batchIds: null },
  { kind: 'replayNotifications', batchIds: [randomUUID()] },
  { kind: 'rebuildReadModel', name: 'jobs', force: false },
  { kind: 'rollBackReadModel', name: 'jobs' },
];

describe('acting as an operator', () => {
  const someone = given(registered(ada), jobPosted);

  test.each([...onAda, ...onOthers])('puts $kind on record with its reason', (act) =>
    someone
      .as(operator)
      .when(actAsOperator, acting(act))
      .then([event('OperatorActed', { actId, operatorId: operator.userId, act, reason })]),
  );
  test.each([acme, ada, auditor])('is not for the role $role', (actor) =>
    someone.as(actor).when(actAsOperator, acting(suspendAda)).thenRejects('ROLE_NOT_ALLOWED'),
  );
  test('is not for the system', () =>
    someone.as('system').when(actAsOperator, acting(suspendAda)).thenRejects('ROLE_NOT_ALLOWED'));
  test.each(onAda)('rejects $kind of an unknown user', (act) =>
    given().as(operator).when(actAsOperator, acting(act)).thenRejects('USER_NOT_FOUND'),
  );
  test.each(onAda)('rejects $kind of an erased user', (act) =>
    given(registered(ada), accountErased)
      .as(operator)
      .when(actAsOperator, acting(act))
      .thenRejects('ERASURE_DONE'),
  );
  test('rejects closing an unknown job', () =>
    given()
      .as(operator)
      .when(actAsOperator, acting({ kind: 'closeJob', jobId }))
      .thenRejects('JOB_NOT_FOUND'));
  test.each(['suspendUser', 'resetSecondFactor'] as const)('rejects %s of oneself', (kind) =>
    given(registered(operator))
      .as(operator)
      .when(actAsOperator, acting({ kind, userId: operator.userId }))
      .thenRejects('OWN_ACCOUNT'),
  );
  test('allows the end of one’s own sessions', () => {
    const act: OperatorAct = { kind: 'endSessions', userId: operator.userId, sessionId: null };
    return given(registered(operator))
      .as(operator)
      .when(actAsOperator, acting(act))
      .then([event('OperatorActed', { actId, operatorId: operator.userId, act, reason })]);
  });
  test('rejects what something outside the log forbids', () =>
    someone
      .as(operator)
      .when(actAsOperator, acting(suspendAda, { obstacle: 'LAST_OPERATOR' }))
      .thenRejects('LAST_OPERATOR'));
  test('happens once', () =>
    given(registered(ada), userSuspended).as(operator).when(actAsOperator, acting(suspendAda)).thenNothing());
  test('happens once for a key', () =>
    someone.as(operator).when(actAsOperator, acting(suspendAda)).thenIdempotent());
});

describe('closing a job for an operator', () => {
  test('is done by the system, whatever its company is', () =>
    given(registered(acme), jobPosted).as('system').when(closeJob, { jobId }).then([jobClosed]));
});
