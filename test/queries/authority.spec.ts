import { readdir } from 'node:fs/promises';
import fc from 'fast-check';
import type { Actor } from '../../src/commands/command.ts';
import { GroupId, UserId } from '../../src/events/ids.ts';
import { getApplication, listApplications } from '../../src/queries/applications.ts';
import { getGroup, headsOfThreads, listGroups, roomsOfUsers } from '../../src/queries/groups.ts';
import { sharedFiles } from '../../src/queries/files.ts';
import { getJob, listJobs } from '../../src/queries/jobs.ts';
import { firstSeqs, listMembers, reachOfMember } from '../../src/queries/members.ts';
import { getMessage, messageHistory } from '../../src/queries/message-history.ts';
import { listNotes } from '../../src/queries/notes.ts';
import { personExport } from '../../src/queries/person-export.ts';
import { searchMessages } from '../../src/queries/search-messages.ts';
import { listThreads } from '../../src/queries/threads.ts';
import { unreadOf, unreadTotal, unreadWithout } from '../../src/queries/unread.ts';
import { listUsers } from '../../src/queries/users.ts';
import { edited, messageNumber, said } from '../support/language/conversation.ts';
import {
  acme,
  aboutFile,
  ada,
  adaApplied,
  applicationId,
  bob,
  dismissed,
  eve,
  event,
  group,
  groupId,
  hired,
  jobId,
  jobPosted,
  joined,
  noteAdded,
  left,
  registered,
  removed,
  rival,
  subject,
  upload,
  uuid,
} from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

const QUERIES = new URL('../../src/queries/', import.meta.url);

/** Carol left the group and Dan was removed from it; all outsiders have groups of their own, like Eve. */
const carol = { ...eve, userId: UserId.parse(uuid(0xc4)) };
const dan = { ...eve, userId: UserId.parse(uuid(0xd4)) };
/** A text parser treats such an id as one word. */
const ownGroupOf = ({ userId }: Actor) =>
  GroupId.parse(`c9b1c2d3-a4f5-4c6d-8e7f-a1b2c3d4e5${userId.slice(-2)}`);
/** Was an owner of the company and an admin of the group, and sees to Ada's application. */
const former = { ...rival, userId: UserId.parse(uuid(0xf4)) };
const outsiders = [eve, carol, dan, rival, former];
const members = [acme, ada, bob];
const everybody = [...outsiders, ...members].map(({ userId }) => userId);

/** What only members of the group may see, and what only Eve may see. */
const SECRETS = [
  ...[1, 2, 3, 4, 5, 6].map((n) => messageNumber(n)),
  'classified',
  'builds engines by night',
  applicationId,
  ...['Name of Ada', 'Name of Bob'],
];
const EVES = [messageNumber(7), 'planted'];

const ownMessageOf = new Map<UserId, string>([
  [carol.userId, messageNumber(5)],
  [eve.userId, messageNumber(7)],
]);

type Asked = Record<string, (who: Actor, text: string) => Promise<unknown>>;

/** Every query that answers a client, with its text parameter. */
const asked = ({ db }: ReadSide): Asked => ({
  listJobs: (actor, q) => listJobs(db, { actor, q, limit: 50 }),
  'listJobs of one’s own': (actor, q) => listJobs(db, { actor, q, mine: true, limit: 50 }),
  getJob: (actor) => getJob(db, { actor, jobId }),
  listUsers: ({ userId }) => listUsers(db, { userId, ids: everybody }),
  listApplications: (actor) => listApplications(db, { actor, limit: 50 }),
  'listApplications of a job': (actor) => listApplications(db, { actor, jobId, limit: 50 }),
  getApplication: (actor) => getApplication(db, { actor, applicationId }),
  listNotes: ({ userId }) => listNotes(db, { userId, applicationId, limit: 50 }),
  listGroups: ({ userId }) => listGroups(db, { userId, limit: 50 }),
  listThreads: (actor) => listThreads(db, { actor, jobId, limit: 50 }),
  getGroup: ({ userId }) => getGroup(db, { userId, groupId }),
  roomsOfUsers: async ({ userId }) => [...(await roomsOfUsers(db, [userId]))],
  headsOfThreads: ({ userId }) => headsOfThreads(db, { userId, after: -1 }),
  reachOfMember: ({ userId }) => reachOfMember(db, { userId, groupId }),
  firstSeqs: ({ userId }) => firstSeqs(db, { userId, groupIds: [groupId] }),
  listMembers: ({ userId }) => listMembers(db, { userId, groupId, limit: 50 }),
  sharedFiles: ({ userId }) => sharedFiles(db, { userId, fileIds: [aboutFile.fileId] }),
  unreadOf: ({ userId }) => unreadOf(db, { userId, groupIds: [groupId] }),
  unreadWithout: ({ userId }) => unreadWithout(db, { userIds: [userId], messageIds: [messageNumber(1)] }),
  unreadTotal: ({ userId }) => unreadTotal(db, userId),
  messageHistory: ({ userId }) => messageHistory(db, { userId, groupId, limit: 50 }),
  getMessage: ({ userId }) => getMessage(db, { userId, groupId, messageId: messageNumber(2) }),
  searchMessages: ({ userId }, q) => searchMessages(db, { userId, q, limit: 50 }),
  // One's own message is no secret, also after leaving.
  personExport: async ({ userId }) =>
    (await Array.fromAsync(personExport(db, userId))).filter(
      ({ messageId }) => messageId === undefined || messageId !== ownMessageOf.get(userId),
    ),
  'searchMessages of a group': ({ userId }, q) => searchMessages(db, { userId, q, groupId, limit: 50 }),
});

/** Queries for the server itself, whose answers no client sees. */
const OF_THE_SERVER = [
  ...[
    'hasApplications',
    'filesToInspect',
    'orphans',
    'isNamed',
    'memberIds',
    'namedFiles',
    'profileOf',
    'isListed',
  ],
  ...['unseenBy', 'companyOfUser', 'hasJobs', 'subjectOf', 'namesOfUsers'],
];
/** Queries for operators, whom the route lets in. */
const FOR_OPERATORS = ['listAccounts', 'getAccount', 'listPostings'];
/** Queries for auditors. An erasure is shown to its person as well, by id. */
const FOR_AUDITORS = ['listGrants', 'listHolds', 'getErasure'];
/** Helpers of queries. */
const PARTS = [
  'bindQueries',
  'cursorOf',
  'newestFirst',
  'latestFirst',
  'groupsOf',
  'messageFor',
  'reach',
  'isInThread',
  'isStaffWith',
  'companyIdOf',
  'hasFewThreads',
  'byNumberOfThreads',
  'isOneOfFew',
];

const answered = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    (value) => JSON.stringify(value),
    (error: unknown) => String(error),
  );

/** Ids: plain, quoted, as a prefix, without dashes; operators, quotes, markup and lexemes. */
const PIECES = [
  'classified',
  "'classified':1A",
  'classified:*',
  '"classified salary"',
  'class<b>ified</b>',
  'clássified',
  groupId,
  groupId.replaceAll('-', ''),
  `'${groupId}':*`,
  `"${groupId}"`,
  ...[...outsiders, ada].flatMap((person) => [ownGroupOf(person), person.userId]),
  jobId,
  applicationId,
  messageNumber(1),
  '-absent',
  '!absent',
  '|',
  '&',
  '<->',
  'or',
  '(',
  ')',
  '"',
  "'",
  '\\',
  ':*',
  '%',
  '--',
  '{}',
  'null',
];

let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  await side.happened(
    ...[acme, rival, eve, carol, dan, former].map((person) => registered(person, 'A name')),
    ...[registered(ada, 'Name of Ada'), registered(bob, 'Name of Bob')],
    jobPosted,
    ...group,
    { ...adaApplied, data: { ...adaApplied.data, coverLetter: 'builds engines by night' } },
    ...[...outsiders, ada].map((person) =>
      event('ChatGroupCreated', {
        groupId: ownGroupOf(person),
        jobId: null,
        name: 'Own',
        adminId: person.userId,
      }),
    ),
    event('FileUploadRequested', { ...aboutFile, ...upload, name: 'classified.pdf' }),
    event('MessageSent', { ...said(8, ada, null).data, fileIds: [aboutFile.fileId] }),
    event('NoteAdded', { ...noteAdded.data, text: 'classified, of the company' }),
    joined(carol),
    joined(dan),
    ...[hired(former, 'owner'), joined(former, 'admin')],
    event('ApplicationAssigned', { ...subject, assigneeId: former.userId }),
    said(1, ada, 'classified salary 90000'),
    // The text contains the groups of all users who must not see it.
    said(2, ada, `classified ${outsiders.map(ownGroupOf).join(' ')}`),
    said(3, bob, `classified '${ownGroupOf(eve)}' | ${ownGroupOf(carol)}:* <b>${ownGroupOf(dan)}</b>`),
    said(4, bob, 'harmless'),
    edited(4, `classified ${outsiders.map(({ userId }) => userId).join(' ')}`),
    said(5, carol, `classified, said before leaving ${ownGroupOf(carol)}`),
    left(carol),
    removed(dan),
    dismissed(former),
    said(6, ada, `classified, said after they went ${ownGroupOf(carol)} ${ownGroupOf(dan)}`),
    said(7, eve, `planted classified ${ownGroupOf(ada)} ${groupId} ${ada.userId}`, ownGroupOf(eve)),
  );
});
afterAll(() => side.close());

/** Runs every query with the text. Returns the secrets in the answers, with the query. */
async function seenBy(who: Actor, text: string, secrets: readonly string[]): Promise<string[]> {
  const seen = await Promise.all(
    Object.entries(asked(side)).map(async ([name, query]) => {
      const answer = await answered(query(who, text));
      return secrets.filter((secret) => answer.includes(secret)).map((secret) => `${name}: ${secret}`);
    }),
  );
  return seen.flat();
}

describe('the queries with any text', () => {
  test('show a member the content of the group', async () => {
    const seen = await seenBy(ada, 'classified', SECRETS);
    expect(seen).toContain(`searchMessages: ${messageNumber(6)}`);
    expect(seen).toContain(`searchMessages of a group: ${messageNumber(2)}`);
    expect(seen).toContain(`messageHistory: ${messageNumber(1)}`);
  });

  test('show notes on an application to the company, and not to the applicant', async () => {
    const notes = (who: Actor) => answered(asked(side)['listNotes']!(who, ''));
    expect(await notes(acme)).toContain('classified, of the company');
    for (const other of [ada, bob, ...outsiders])
      expect(await notes(other)).toBe('CommandRejected: APPLICATION_NOT_FOUND');
  });

  test.each(PIECES)('show strangers and former members nothing for %s', async (piece) => {
    for (const text of [piece, `classified or ${piece}`])
      for (const outsider of outsiders)
        expect(await seenBy(outsider, text, outsider === eve ? SECRETS.slice(0, 6) : SECRETS)).toEqual([]);
  });

  test.each(PIECES)('show members nothing that a stranger plants for %s', async (piece) => {
    for (const text of [piece, `planted or ${piece}`])
      for (const member of members) expect(await seenBy(member, text, EVES)).toEqual([]);
  });

  test('show nothing for combinations of these texts either', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })), { maxLength: 6 }),
        fc.constantFrom(' ', '', '\n'),
        fc.constantFrom(...outsiders),
        async (pieces, glue, outsider) => {
          const text = pieces.join(glue).replaceAll('\0', '');
          expect(await seenBy(outsider, text, SECRETS.slice(0, 6))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    ));
});

test('All queries are covered', async () => {
  const files = (await readdir(QUERIES)).filter((name) => name.endsWith('.ts'));
  const modules: object[] = await Promise.all(files.map((name) => import(new URL(name, QUERIES).href)));
  const functions = modules.flatMap((module) =>
    Object.entries(module).flatMap(([name, value]) => (typeof value === 'function' ? [name] : [])),
  );
  const covered = Object.keys(asked(side)).map((name) => name.split(' ')[0]);
  expect([...functions].sort()).toEqual(
    [...new Set([...covered, ...OF_THE_SERVER, ...FOR_AUDITORS, ...FOR_OPERATORS, ...PARTS])].sort(),
  );
});
