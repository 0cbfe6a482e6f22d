import { removeMember } from '../../../src/commands/chat-group/remove-member.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import { commands } from '../../support/language/command-stage.ts';
import { happened } from '../../support/language/history.ts';
import { createInMemoryEventStore } from '../../support/language/in-memory-event-store.ts';
import {
  acme,
  ada,
  bob,
  dismissed,
  eve,
  event,
  group,
  groupClosed,
  groupCreated,
  groupId,
  hired,
  joined,
  left,
  moved,
  recruiter,
  removed,
  rival,
  uuid,
  viewer,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const without = ({ userId }: typeof ada) => ({ groupId, userId });

describe('removing a member', () => {
  test('an admin removes a member', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(ada))
      .then([removed(ada)]));

  test('the system removes a member', () =>
    given(...group)
      .as('system')
      .when(removeMember, without(ada))
      .then([removed(ada)]));

  test('an admin removes another admin', () =>
    given(...group, joined(ada, 'admin'))
      .as(acme)
      .when(removeMember, without(ada))
      .then([removed(ada)]));

  test('a member that removes itself leaves', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('an admin among admins may leave', () =>
    given(...group, joined(ada, 'admin'))
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('an admin may be the last to leave a closed group', () =>
    given(groupCreated, groupClosed)
      .as(acme)
      .when(removeMember, without(acme))
      .then([left(acme)]));

  test('rejects the leaving of the only member of an open group, since others may join', () =>
    given(groupCreated).as(acme).when(removeMember, without(acme)).thenRejects('LAST_ADMIN'));

  test('a closed group may be left', () =>
    given(...group, groupClosed)
      .as(ada)
      .when(removeMember, without(ada))
      .then([left(ada)]));

  test('rejects the leaving of the last admin', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test('rejects the removal of the last admin, even by the system', () =>
    given(...group)
      .as('system')
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test.each([
    ['by itself', acme],
    ['through another admin', ada],
    ['through the system', 'system' as const],
  ])('rejects the departure of the company that posted the job %s, even with another admin', (_, actor) =>
    given(...group, joined(ada, 'admin'))
      .as(actor)
      .when(removeMember, without(acme))
      .thenRejects('JOB_OWNER_STAYS'),
  );

  test('rejects the departure of the company from its closed group while others are in it', () =>
    given(...group, joined(ada, 'admin'), groupClosed)
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('JOB_OWNER_STAYS'));

  test.each([
    ['left', left(acme)],
    ['was removed', removed(acme)],
    ['became a member', joined(acme)],
  ])('the company, which %s before, replaces the last admin who leaves', (_, going) =>
    given(...group, joined(ada, 'admin'), going)
      .as(ada)
      .when(removeMember, without(ada))
      .then([joined(acme, 'admin'), left(ada)]),
  );

  test('the company replaces the last admin whom the system removes', () =>
    given(...group, joined(ada, 'admin'), removed(acme))
      .as('system')
      .when(removeMember, without(ada))
      .then([joined(acme, 'admin'), removed(ada)]));

  test('rejects the leaving of the last admin in a group without a job', () =>
    given({ ...groupCreated, data: { ...groupCreated.data, jobId: null } }, joined(ada))
      .as(acme)
      .when(removeMember, without(acme))
      .thenRejects('LAST_ADMIN'));

  test('rejects a removal by a member', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(bob))
      .thenRejects('NOT_GROUP_ADMIN'));

  test('hides the group from a stranger', () =>
    given(...group)
      .as(eve)
      .when(removeMember, without(ada))
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects a removal from a group that does not exist', () =>
    given().as(acme).when(removeMember, without(ada)).thenRejects('GROUP_NOT_FOUND'));

  test('rejects the removal of a user who is not a member', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(eve))
      .thenRejects('MEMBER_NOT_FOUND'));

  test('changes nothing when the system removes a former member', () =>
    given(...group, removed(ada))
      .as('system')
      .when(removeMember, without(ada))
      .thenNothing());

  test('rejects the leaving of a former member', () =>
    given(...group, left(ada))
      .as(ada)
      .when(removeMember, without(ada))
      .thenRejects('GROUP_NOT_FOUND'));

  test('a repetition is the same removal', () =>
    given(...group)
      .as(acme)
      .when(removeMember, without(ada))
      .thenIdempotent());

  test('a repetition is the same leaving, although the caller is no longer a member', () =>
    given(...group)
      .as(ada)
      .when(removeMember, without(ada))
      .thenIdempotent());
});

describe('the admin of a job’s group that one of the company’s people leaves, who posted the job', () => {
  const posted = event('ChatGroupCreated', {
    ...{ ...groupCreated.data, adminId: recruiter.userId, companyId: acme.userId },
  });
  const history = [posted, joined(ada), hired(recruiter, 'recruiter')];
  const leaves = (...since: DomainEvent[]) =>
    given(...history, ...since)
      .as(recruiter)
      .when(removeMember, without(recruiter));

  test('is the first owner', () => leaves().then([joined(acme, 'admin'), left(recruiter)]));

  test.each([
    ['has left the company', dismissed(acme)],
    ['owns it no longer', moved(acme, 'viewer')],
  ])('is another owner where the first one %s', (_, change) =>
    leaves(hired(viewer, 'viewer'), hired(rival, 'owner'), change).then([
      ...[joined(rival, 'admin'), left(recruiter)],
    ]),
  );

  test('is nobody new while there is another admin', () =>
    leaves(hired(rival, 'owner'), joined(ada, 'admin')).then([left(recruiter)]));

  test('is found for automations and applicants as well', () => {
    const since = [hired(rival, 'owner'), dismissed(acme), joined(ada, 'admin'), left(recruiter)];
    given(...history, ...since)
      .as('system')
      .when(removeMember, without(ada))
      .then([joined(rival, 'admin'), removed(ada)]);
    given(...history, ...since)
      .as(ada)
      .when(removeMember, without(ada))
      .then([joined(rival, 'admin'), left(ada)]);
  });

  test('is nobody who leaves the company meanwhile', async () => {
    const log = createInMemoryEventStore();
    await happened(log, ...history, hired(rival, 'owner'));
    let isDue = true;
    const store: EventStore = {
      ...log,
      append: async (append) => {
        if (isDue) await happened(log, dismissed(acme));
        isDue = false;
        return log.append(append);
      },
    };
    const { handle } = await commands({ store });
    const request = { actor: recruiter, correlationId: uuid(0xc0) };
    const { events } = await handle(removeMember, without(recruiter), request);
    expect(events.map(({ type, data }) => ({ type, data }))).toEqual([
      joined(rival, 'admin'),
      left(recruiter),
    ]);
  });
});
