import { addNote } from '../../../src/commands/application/add-note.ts';
import { deleteNote } from '../../../src/commands/application/delete-note.ts';
import type { CompanyRole } from '../../../src/events/company.ts';
import { ApplicationId, JobId, NoteId, type UserId } from '../../../src/events/ids.ts';
import { commands } from '../../support/language/command-stage.ts';
import {
  aboutNote,
  accountErased,
  acme,
  ada,
  adaApplied,
  adaWithdrew,
  applicationId,
  auditor,
  bob,
  clientMsgId,
  event,
  jobClosed,
  jobId,
  jobPosted,
  noteAdded,
  noteDeleted,
  noteId,
  registered,
  rival,
  subject,
  teammateJoined,
  uuid,
} from '../../support/language/example-events.ts';
import { given, newIdNumber } from '../../support/language/given.ts';
import { happened } from '../../support/language/history.ts';

const about = { applicationId, jobId, applicantId: ada.userId };
const note = { ...about, clientMsgId, text: 'Knows engines' };
const madeUp = NoteId.parse(newIdNumber(1));
const applied = [registered(acme, 'Acme'), registered(ada), jobPosted, adaApplied];
const otherJobId = JobId.parse(uuid(0x11));

const addedBy = ({ userId }: { userId: UserId }) =>
  event('NoteAdded', { ...noteAdded.data, noteId: madeUp, authorId: userId });
const rivalIs = (role: CompanyRole, jobIds: JobId[] | null = null) => [
  teammateJoined,
  event('TeammateChanged', { companyId: acme.userId, userId: rival.userId, role, jobIds }),
];
const assignedTo = ({ userId }: { userId: UserId }) =>
  event('ApplicationAssigned', { ...subject, assigneeId: userId });
const rivalLeft = event('TeammateRemoved', { companyId: acme.userId, userId: rival.userId });

/** Places in the company, and what they do with the notes on Ada’s application. */
const places = [
  ['an owner', 'writes', rivalIs('owner')],
  ['an owner with other jobs', 'writes', rivalIs('owner', [otherJobId])],
  ['a recruiter of all jobs', 'writes', rivalIs('recruiter')],
  ['a recruiter of the job', 'writes', rivalIs('recruiter', [jobId])],
  ['a recruiter of another job', 'learns nothing', rivalIs('recruiter', [otherJobId])],
  ['an interviewer to whom it is assigned', 'writes', [...rivalIs('interviewer'), assignedTo(rival)]],
  ['an interviewer to whom it is not assigned', 'learns nothing', rivalIs('interviewer')],
  [
    'an interviewer, where it is assigned to another,',
    'learns nothing',
    [...rivalIs('interviewer'), assignedTo(acme)],
  ],
  [
    'an interviewer of another job to whom it is assigned',
    'learns nothing',
    [...rivalIs('interviewer', [otherJobId]), assignedTo(rival)],
  ],
  ['a viewer of the job', 'reads', rivalIs('viewer', [jobId])],
  ['a viewer of another job', 'learns nothing', rivalIs('viewer', [otherJobId])],
  ['a former teammate', 'learns nothing', [...rivalIs('recruiter'), rivalLeft]],
  [
    'a former interviewer to whom it is assigned',
    'learns nothing',
    [...rivalIs('interviewer'), assignedTo(rival), rivalLeft],
  ],
] as const;

const outsiders = [
  ['the applicant', ada],
  ['another applicant', bob],
  ['another company', rival],
  ['an auditor', auditor],
  ['the system', 'system' as const],
] as const;

describe('adding a note', () => {
  test('the founder of the company adds one', () =>
    given(...applied)
      .as(acme)
      .when(addNote, note)
      .then([addedBy(acme)]));

  test.each(places)('%s %s', (_, may, history) => {
    const scene = given(...applied, ...history)
      .as(rival)
      .when(addNote, note);
    if (may === 'writes') scene.then([addedBy(rival)]);
    else scene.thenRejects(may === 'reads' ? 'ROLE_NOT_ALLOWED' : 'APPLICATION_NOT_FOUND');
  });

  test.each(outsiders)('tells %s that there is no such application', (_, actor) =>
    given(...applied)
      .as(actor)
      .when(addNote, note)
      .thenRejects('APPLICATION_NOT_FOUND'),
  );

  test('rejects one on an application that does not exist, or has another id', () => {
    given(jobPosted).as(acme).when(addNote, note).thenRejects('APPLICATION_NOT_FOUND');
    given(...applied)
      .as(acme)
      .when(addNote, { ...note, applicationId: ApplicationId.parse(uuid(0x31)) })
      .thenRejects('APPLICATION_NOT_FOUND');
  });

  test.each([
    ['was withdrawn', [adaWithdrew]],
    ['is for a closed job', [jobClosed]],
  ])('is possible on an application that %s', (_, history) =>
    given(...applied, ...history)
      .as(acme)
      .when(addNote, note)
      .then([addedBy(acme)]),
  );

  test('rejects one about somebody who is erased', () =>
    given(...applied, accountErased)
      .as(acme)
      .when(addNote, note)
      .thenRejects('ERASURE_DONE'));

  test.each(['', ' \u200B', 'x'.repeat(4_001), 'a\u0000b', '\uD800'])(
    'rejects text that no message may have: %#',
    (text) => expect(addNote.input.safeParse({ ...note, text }).success).toBe(false),
  );

  test('a repetition is the same note', () =>
    given(...applied)
      .as(acme)
      .when(addNote, note)
      .thenIdempotent());

  test('rejects the same clientMsgId with another text, and for another application', async () => {
    const { handle } = await commands({
      history: [
        ...applied,
        registered(bob),
        event('ApplicationSubmitted', {
          ...{ ...subject, applicationId: ApplicationId.parse(uuid(0x31)), applicantId: bob.userId },
          coverLetter: null,
        }),
      ],
    });
    const request = { actor: acme, correlationId: uuid(0xc0) };
    const first = await handle(addNote, addNote.input.parse(note), request);
    const others = [{ text: 'Knows nothing' }, { applicationId: uuid(0x31), applicantId: bob.userId }];
    for (const other of others)
      await expect(
        handle(addNote, addNote.input.parse({ ...note, ...other }), request),
      ).rejects.toMatchObject({
        code: 'CLIENT_MSG_ID_REUSED',
      });
    expect(await handle(addNote, addNote.input.parse(note), request)).toMatchObject({
      ...{ duplicate: true, events: first.events },
    });
  });

  test('the same clientMsgId of another author is another note', async () => {
    const { handle } = await commands({ history: [...applied, ...rivalIs('recruiter')] });
    const add = (actor: typeof acme) =>
      handle(addNote, addNote.input.parse(note), { actor, correlationId: uuid(0xc0) });
    expect([(await add(acme)).duplicate, (await add(rival)).duplicate]).toEqual([false, false]);
  });

  test('fails when the author is removed meanwhile', async () => {
    const { handle, store } = await commands({ history: [...applied, ...rivalIs('recruiter')] });
    const request = { actor: rival, correlationId: uuid(0xc0) };
    await handle(addNote, addNote.input.parse(note), request);
    await happened(store, rivalLeft);
    const next = addNote.input.parse({ ...note, clientMsgId: uuid(0x51) });
    await expect(handle(addNote, next, request)).rejects.toMatchObject({ code: 'APPLICATION_NOT_FOUND' });
  });
});

describe('deleting a note', () => {
  const deletion = { ...about, noteId };
  const noted = [...applied, noteAdded];
  const notedByRival = event('NoteAdded', { ...noteAdded.data, authorId: rival.userId });

  test('its author deletes it', () =>
    given(...noted)
      .as(acme)
      .when(deleteNote, deletion)
      .then([noteDeleted]));

  test.each(places)('%s, who %s, deletes no others but as an owner', (_, may, history) => {
    const isOwner = history.some(({ data }) => 'role' in data && data.role === 'owner');
    const theirs = given(...noted, ...history)
      .as(rival)
      .when(deleteNote, deletion);
    const own = given(...applied, notedByRival, ...history)
      .as(rival)
      .when(deleteNote, deletion);
    if (isOwner) theirs.then([noteDeleted]);
    else theirs.thenRejects(may === 'learns nothing' ? 'APPLICATION_NOT_FOUND' : 'NOT_NOTE_AUTHOR');
    if (may === 'learns nothing') own.thenRejects('APPLICATION_NOT_FOUND');
    else own.then([noteDeleted]);
  });

  test.each(outsiders)('tells %s that there is no such application', (_, actor) =>
    given(...noted)
      .as(actor)
      .when(deleteNote, deletion)
      .thenRejects('APPLICATION_NOT_FOUND'),
  );

  test('rejects a note that does not exist', () =>
    given(...applied)
      .as(acme)
      .when(deleteNote, deletion)
      .thenRejects('NOTE_NOT_FOUND'));

  test('deleting again changes nothing', () =>
    given(...noted, noteDeleted)
      .as(acme)
      .when(deleteNote, deletion)
      .thenNothing());

  test('is possible after the applicant is erased', () =>
    given(...noted, accountErased)
      .as(acme)
      .when(deleteNote, deletion)
      .then([noteDeleted]));

  test('a repetition is the same deletion', () =>
    given(...noted)
      .as(acme)
      .when(deleteNote, deletion)
      .thenIdempotent());

  test('deletes a note that another process has added', async () => {
    const { handle, store } = await commands({ history: [...noted] });
    const request = { actor: acme, correlationId: uuid(0xc0) };
    await handle(deleteNote, deleteNote.input.parse(deletion), request);
    const second = NoteId.parse(uuid(0x42));
    await happened(store, event('NoteAdded', { ...noteAdded.data, noteId: second }));
    const outcome = await handle(
      deleteNote,
      deleteNote.input.parse({ ...deletion, noteId: second }),
      request,
    );
    expect(outcome.events).toMatchObject([{ type: 'NoteDeleted', data: { ...aboutNote, noteId: second } }]);
  });
});
