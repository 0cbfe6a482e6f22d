import { assignThread } from '../../../src/commands/chat-group/assign-thread.ts';
import type { Actor } from '../../../src/commands/command.ts';
import {
  acme,
  ada,
  adaAppliedPrivately,
  event,
  hired,
  interviewer,
  jobId,
  privateJobPosted,
  privately,
  thread,
  threadId,
  viewer,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const about = { groupId: threadId, jobId, applicantId: ada.userId };
const assigned = ({ userId: assigneeId }: Actor) =>
  event('ApplicationAssigned', { ...privately, assigneeId });
const unassigned = event('ApplicationAssigned', { ...privately, assigneeId: null });
const threadAssigned = (who: Actor | null) =>
  event('ThreadAssigned', { groupId: threadId, assigneeId: who && who.userId });
const history = [
  ...[privateJobPosted, adaAppliedPrivately, ...thread],
  ...[hired(interviewer, 'interviewer'), hired(viewer, 'viewer')],
];

describe('the assignment of a thread', () => {
  test('follows that of its application', () => {
    given(...history, assigned(interviewer))
      .as('system')
      .when(assignThread, about)
      .then([threadAssigned(interviewer)]);
    given(...history, assigned(interviewer), threadAssigned(interviewer), unassigned)
      .as('system')
      .when(assignThread, about)
      .then([threadAssigned(null)]);
  });

  test('that runs late follows the newest assignment, and after it changes nothing', () => {
    const twice = [...history, assigned(interviewer), assigned(viewer)];
    given(...twice)
      .as('system')
      .when(assignThread, about)
      .then([threadAssigned(viewer)]);
    given(...twice, threadAssigned(viewer))
      .as('system')
      .when(assignThread, about)
      .thenNothing();
  });

  test('changes nothing where nobody was assigned', () =>
    given(...history)
      .as('system')
      .when(assignThread, about)
      .thenNothing());

  test.each([acme, ada, interviewer])('is not done by users', (actor) =>
    given(...history, assigned(interviewer))
      .as(actor)
      .when(assignThread, about)
      .thenRejects('ROLE_NOT_ALLOWED'),
  );

  test('rejects a thread that does not exist', () =>
    given(privateJobPosted, adaAppliedPrivately, assigned(interviewer))
      .as('system')
      .when(assignThread, about)
      .thenRejects('GROUP_NOT_FOUND'));
});
