import { ReviewStatus } from '../../src/events/application.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import type { Recorded } from '../../src/events/event-store.ts';
import { automations } from '../../src/automations/automations.ts';
import {
  acme,
  ada,
  adaApplied,
  adaAppliedPrivately,
  adaIs,
  adaReconsidered,
  adaReturned,
  adaWithdrew,
  event,
  groupClosed,
  groupCreated,
  groupId,
  helloSent,
  jobClosed,
  jobId,
  jobPosted,
  joined,
  left,
  privateJobPosted,
  privately,
  recruiter,
  registered,
  removed,
  subject,
  threadId,
} from '../support/language/example-events.ts';

/** Returns the commands that follow from an event: name, input and actor. */
const following = (event: DomainEvent) =>
  automations
    .filter(({ on }) => on === event.type)
    .flatMap(({ follows }) => follows(event as Recorded) ?? [])
    .map(({ command, input, actor }) => [(command as { name: string }).name, input, actor]);

const hers = { groupId, userId: ada.userId };

describe('the automations', () => {
  test('create the chat group of a posted job, with the company as admin', () =>
    expect(following(jobPosted)).toStrictEqual([
      ['CreateChatGroup', { groupId, jobId, name: 'Engineer', adminId: acme.userId }, 'system'],
    ]));

  test('create that of a job that one of the company’s people posted, with that person as admin', () =>
    expect(following(event('JobPosted', { ...jobPosted.data, postedBy: recruiter.userId }))).toStrictEqual([
      [
        'CreateChatGroup',
        { groupId, jobId, name: 'Engineer', adminId: recruiter.userId, companyId: acme.userId },
        'system',
      ],
    ]));

  test('assign the thread of a private application that is assigned, and do nothing for another', () => {
    const assigneeId = recruiter.userId;
    const about = { groupId: threadId, jobId, applicantId: ada.userId };
    for (const to of [assigneeId, null])
      expect(following(event('ApplicationAssigned', { ...privately, assigneeId: to }))).toStrictEqual([
        ['AssignThread', about, 'system'],
      ]);
    expect(following(event('ApplicationAssigned', { ...subject, assigneeId }))).toStrictEqual([]);
  });

  test('add the applicant on submission', () =>
    expect(following(adaApplied)).toStrictEqual([['AddMember', hers, 'system']]));

  test('add the applicant on resubmission and reconsideration', () => {
    expect(following(adaReturned)).toStrictEqual([['AddMember', hers, 'system']]);
    expect(following(adaReconsidered('offer'))).toStrictEqual([['AddMember', hers, 'system']]);
  });

  test('let the applicant leave in its own name on withdrawal', () =>
    expect(following(adaWithdrew)).toStrictEqual([['RemoveMember', hers, ada]]));

  test('remove the applicant on rejection', () =>
    expect(following(adaIs('rejected'))).toStrictEqual([['RemoveMember', hers, 'system']]));

  test.each(ReviewStatus.exclude(['rejected']).options)('do nothing for an application in %s', (status) =>
    expect(following(adaIs(status))).toStrictEqual([]),
  );

  test('close the group of a closed job', () =>
    expect(following(jobClosed)).toStrictEqual([['CloseGroup', { groupId }, 'system']]));

  test('make the group of a job with private conversations the room of its team', () => {
    const group = { groupId, jobId, name: 'Engineer', adminId: acme.userId };
    expect(following(privateJobPosted)).toStrictEqual([
      ['CreateChatGroup', { ...group, kind: 'team' }, 'system'],
    ]);
    const changed = { jobId, groupId, historyFrom: 'start' } as const;
    expect(
      (['private', 'group'] as const).flatMap((conversations) =>
        following(event('JobConversationsChanged', { ...changed, conversations })),
      ),
    ).toStrictEqual([
      ['ChangeKind', { groupId, kind: 'team', historyFrom: 'start' }, 'system'],
      ['ChangeKind', { groupId, kind: 'job', historyFrom: 'start' }, 'system'],
    ]);
  });

  test('say from where members of the group see its history', () =>
    expect(following(event('JobPosted', { ...jobPosted.data, historyFrom: 'joined' }))).toStrictEqual([
      [
        'CreateChatGroup',
        { groupId, jobId, name: 'Engineer', adminId: acme.userId, historyFrom: 'joined' },
        'system',
      ],
    ]));

  test('keep the thread of a private application open while it is active', () => {
    const { isPrivate: _, ...thread } = privately;
    const active = [
      adaAppliedPrivately,
      event('ApplicationResubmitted', { ...privately, coverLetter: null }),
      event('ApplicationReconsidered', { ...privately, status: 'offer', reason: null }),
      event('ApplicationStatusChanged', { ...privately, status: 'interview', reason: null }),
    ];
    for (const each of active) expect(following(each)).toStrictEqual([['OpenThread', thread, 'system']]);
  });

  test('leave the applicant in its thread after a decision', () =>
    expect(
      following(
        event('ApplicationStatusChanged', {
          ...{ ...privately, status: 'rejected', reason: null },
          threadClosesAt: '2026-01-16T03:04:05.678Z',
        }),
      ),
    ).toStrictEqual([]));

  test('close the thread of a withdrawn application', () =>
    expect(following(event('ApplicationWithdrawn', privately))).toStrictEqual([
      ['CloseGroup', { groupId: threadId }, 'system'],
    ]));

  test('leave the rooms of a closed job open for a while', () =>
    expect(
      following(event('JobClosed', { jobId, groupId, roomsCloseAt: '2026-01-16T03:04:05.678Z' })),
    ).toStrictEqual([]));

  test.each([registered(ada), groupCreated, joined(ada), left(ada), removed(ada), groupClosed, helloSent])(
    'do nothing for $type',
    (event) => expect(following(event)).toStrictEqual([]),
  );

  test('have unique names', () =>
    expect(new Set(automations.map(({ name }) => name)).size).toBe(automations.length));
});
