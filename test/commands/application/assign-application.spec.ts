import { assignApplication } from '../../../src/commands/application/assign-application.ts';
import type { Actor } from '../../../src/commands/command.ts';
import {
  acme,
  ada,
  adaApplied,
  adaAppliedPrivately,
  adaWithdrew,
  bob,
  dismissed,
  event,
  hired,
  interviewer,
  jobId,
  jobPosted,
  moved,
  otherJobId,
  privateJobPosted,
  privately,
  recruiter,
  rival,
  subject,
  viewer,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const to = (who: Actor | null) => ({ jobId, applicantId: ada.userId, assigneeId: who && who.userId });
const assigned = (who: Actor | null) =>
  event('ApplicationAssigned', { ...subject, assigneeId: who && who.userId });
const team = [
  hired(recruiter, 'recruiter', [jobId]),
  hired(interviewer, 'interviewer'),
  hired(viewer, 'viewer'),
];
const applied = [jobPosted, adaApplied, ...team];

describe('assigning an application', () => {
  test.each([
    ['an owner', acme],
    ['a recruiter of the job', recruiter],
  ])('%s assigns it to one of the company’s people', (_, actor) => {
    for (const assignee of [interviewer, viewer, recruiter, acme])
      given(...applied)
        .as(actor)
        .when(assignApplication, to(assignee))
        .then([assigned(assignee)]);
  });

  test('says that the application is private, if it is', () =>
    given(privateJobPosted, adaAppliedPrivately, ...team)
      .as(acme)
      .when(assignApplication, to(interviewer))
      .then([event('ApplicationAssigned', { ...privately, assigneeId: interviewer.userId })]));

  test('goes to somebody else, or to nobody', () => {
    for (const next of [viewer, null])
      given(...applied, assigned(interviewer))
        .as(recruiter)
        .when(assignApplication, to(next))
        .then([assigned(next)]);
  });

  test('to the same person, or to nobody again, changes nothing', () => {
    given(...applied, assigned(interviewer))
      .as(acme)
      .when(assignApplication, to(interviewer))
      .thenNothing();
    given(...applied)
      .as(acme)
      .when(assignApplication, to(null))
      .thenNothing();
  });

  test('is possible after a withdrawal, which may be taken back', () =>
    given(...applied, adaWithdrew)
      .as(acme)
      .when(assignApplication, to(interviewer))
      .then([assigned(interviewer)]));

  test.each([
    ['an applicant', bob, []],
    ['another company', rival, []],
    ['a former teammate', viewer, [dismissed(viewer)]],
  ])('refuses %s as its assignee', (_, assignee, since) =>
    given(...applied, ...since)
      .as(acme)
      .when(assignApplication, to(assignee))
      .thenRejects('USER_NOT_FOUND'),
  );

  test.each([
    ['another company', rival, []],
    ['the applicant', ada, []],
    ['the system', 'system' as const, []],
    ['an interviewer, even if it is assigned to them', interviewer, [assigned(interviewer)]],
    ['a viewer', viewer, []],
    ['a recruiter of another job', recruiter, [moved(recruiter, 'recruiter', [otherJobId])]],
    ['a former recruiter', recruiter, [dismissed(recruiter)]],
    ['the first owner, now a viewer', acme, [moved(acme, 'viewer')]],
  ])('is not done by %s', (_, actor, since) =>
    given(...applied, ...since)
      .as(actor)
      .when(assignApplication, to(viewer))
      .thenRejects('NOT_JOB_OWNER'),
  );

  test('rejects an application that does not exist', () =>
    given(jobPosted, ...team)
      .as(acme)
      .when(assignApplication, to(viewer))
      .thenRejects('APPLICATION_NOT_FOUND'));

  test('a repetition is the same assignment', () =>
    given(...applied)
      .as(acme)
      .when(assignApplication, to(viewer))
      .thenIdempotent());
});
