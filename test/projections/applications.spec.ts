import { applications } from '../../src/projections/applications.ts';
import { NoteId } from '../../src/events/ids.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaWithdrew,
  applicationId,
  event,
  groupId,
  jobId,
  noteAdded,
  noteDeleted,
  noteId,
  subject,
  uuid,
} from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(applications);
beforeAll(open);
afterAll(close);

describe('the applications read model', () => {
  test('shows an application as submitted', () =>
    given(adaApplied).then(
      'applications',
      'application_id, job_id, group_id, applicant_id, status, reason, cover_letter, submitted_at, position',
      [
        {
          application_id: applicationId,
          job_id: jobId,
          group_id: groupId,
          applicant_id: ada.userId,
          status: 'submitted',
          reason: null,
          cover_letter: 'I build engines',
          submitted_at: new Date(at(1)),
          position: 1,
        },
      ],
    ));

  test('shows the latest status and its reason', () =>
    given(adaApplied, adaIs('interview', 'Tuesday'), adaIs('rejected', 'No')).then(
      'applications',
      'status, reason',
      [{ status: 'rejected', reason: 'No' }],
    ));

  test('shows a resubmitted application with its latest letter', () =>
    given(
      adaApplied,
      adaWithdrew,
      event('ApplicationResubmitted', { ...subject, coverLetter: 'Still here' }),
    ).then('applications', 'status, reason, cover_letter, submitted_at', [
      { status: 'submitted', reason: null, cover_letter: 'Still here', submitted_at: new Date(at(1)) },
    ]));

  test('shows a reversed rejection', () =>
    given(adaApplied, adaIs('rejected', 'No'), adaReconsidered('offer', 'Yes')).then(
      'applications',
      'status, reason',
      [{ status: 'offer', reason: 'Yes' }],
    ));

  test('shows a withdrawal without a reason', () =>
    given(adaApplied, adaIs('interview', 'Tuesday'), adaWithdrew).then('applications', 'status, reason', [
      { status: 'withdrawn', reason: null },
    ]));

  const columns =
    'note_id, application_id, applicant_id, author_id, seq, text, added_at, deleted_at, changed_seq';
  const shown = {
    ...{ note_id: noteId, application_id: applicationId, applicant_id: ada.userId, author_id: acme.userId },
    ...{ seq: 1, text: 'Knows engines', added_at: new Date(at(2)), deleted_at: null, changed_seq: 1 },
  };
  const second = NoteId.parse(uuid(0x42));
  const text = 'Сказала: "מנוע", {二, \\ \u202E}\n👩🏽‍🔧';

  test('shows notes in their order, with their text as it is', () =>
    given(adaApplied, noteAdded, event('NoteAdded', { ...noteAdded.data, noteId: second, text })).then(
      'notes',
      columns,
      [shown, { ...shown, note_id: second, seq: 2, text, added_at: new Date(at(3)), changed_seq: 2 }],
    ));

  test('shows a deleted note without its text', () =>
    given(adaApplied, noteAdded, noteDeleted).then('notes', columns, [
      { ...shown, text: null, deleted_at: new Date(at(3)), changed_seq: 2 },
    ]));

  test('shows a note of somebody erased without a text', () =>
    given(adaApplied, event('NoteAdded', { ...noteAdded.data, text: null })).then('notes', 'seq, text', [
      { seq: 1, text: null },
    ]));
});
