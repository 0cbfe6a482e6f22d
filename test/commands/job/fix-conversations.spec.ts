import { changeJob } from '../../../src/commands/job/change-job.ts';
import { closeJob } from '../../../src/commands/job/close-job.ts';
import { fixConversations } from '../../../src/commands/job/fix-conversations.ts';
import { postJob } from '../../../src/commands/job/post-job.ts';
import {
  acme,
  event,
  groupId,
  jobClosed,
  jobId,
  jobPosted,
  posting,
  privateJobPosted,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const fixed = event('JobConversationsFixed', { jobId });
const changed = (conversations: 'group' | 'private', historyFrom: 'start' | 'joined' = 'start') =>
  event('JobConversationsChanged', { jobId, groupId, conversations, historyFrom });

describe('how conversations about a job are held', () => {
  test('a company posts a job with private conversations', () =>
    given()
      .as(acme)
      .when(postJob, { jobId, groupId, ...posting, conversations: 'private' })
      .then([privateJobPosted]));

  test('a posting for a group is recorded as before there was a choice', () =>
    given()
      .as(acme)
      .when(postJob, { jobId, groupId, ...posting, conversations: 'group', historyFrom: 'start' })
      .then([jobPosted]));

  test('a company posts a job whose members see what is said after they joined', () =>
    given()
      .as(acme)
      .when(postJob, { jobId, groupId, ...posting, historyFrom: 'joined' })
      .then([event('JobPosted', { ...jobPosted.data, historyFrom: 'joined' })]));

  test('it can be changed until somebody applies', () =>
    given(jobPosted)
      .as(acme)
      .when(changeJob, { jobId, conversations: 'private' })
      .then([changed('private')]));

  test('it can be changed back, together with other details', () =>
    given(jobPosted, changed('private'))
      .as(acme)
      .when(changeJob, { jobId, title: 'Builder', conversations: 'group', historyFrom: 'joined' })
      .then([
        event('JobDetailsChanged', { jobId, ...posting, title: 'Builder' }),
        changed('group', 'joined'),
      ]));

  test('what it is already may be said again at any time', () =>
    given(privateJobPosted, fixed)
      .as(acme)
      .when(changeJob, { jobId, conversations: 'private', historyFrom: 'start' })
      .thenNothing());

  test.each([{ conversations: 'private' as const }, { historyFrom: 'joined' as const }])(
    'rejects %j once somebody has applied',
    (change) =>
      given(jobPosted, fixed)
        .as(acme)
        .when(changeJob, { jobId, ...change })
        .thenRejects('CONVERSATIONS_FIXED'),
  );

  test('other details can be changed once somebody has applied', () =>
    given(jobPosted, fixed)
      .as(acme)
      .when(changeJob, { jobId, title: 'Builder' })
      .then([event('JobDetailsChanged', { jobId, ...posting, title: 'Builder' })]));

  test('the first application fixes it', () =>
    given(jobPosted).as('system').when(fixConversations, { jobId }).then([fixed]));

  test('later applications change nothing', () =>
    given(jobPosted, fixed).as('system').when(fixConversations, { jobId }).thenNothing());

  test('a closed job is not fixed, because nobody can apply', () =>
    given(jobPosted, jobClosed).as('system').when(fixConversations, { jobId }).thenNothing());

  test('rejects to fix a job that does not exist', () =>
    given().as('system').when(fixConversations, { jobId }).thenRejects('JOB_NOT_FOUND'));

  test('rooms close some days after a job with private conversations', () =>
    given(privateJobPosted)
      .as(acme)
      .when(closeJob, { jobId, replyDays: 2 })
      .then([event('JobClosed', { ...jobClosed.data, roomsCloseAt: '2026-01-04T03:04:05.678Z' })]));
});
