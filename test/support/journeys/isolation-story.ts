import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { Listener } from '../../../tools/listener.ts';
import { type Session, call, logIn } from '../../../tools/rest.ts';
import type { PushSubscription } from '../../../src/notifications/deliver/pusher.ts';
import { createSemaphore } from '../../../src/kit/semaphore.ts';
import { until } from '../../../tools/until.ts';
import { pdf } from '../files/corpus.ts';
import type { MailServer } from '../servers/mail-server.ts';
import type { PushService } from '../servers/push-service.ts';
import { confirmAddress } from './account-letters.ts';
import type { Canaries } from './canaries.ts';
import { type Watched, watch } from './watched.ts';

const APPLICANTS = 30;
const JOBS = 3;
/** Each applicant applies for two of the three jobs, so that each job has twenty applicants. */
const JOBS_OF_ONE = 2;
const ONE_AWAY_IN = 5;
/** People who act at the same time. */
const WORKERS = 6;
/** A word of every message. */
export const COMMON_WORD = 'greetings';

/** What applicants leave behind, and the ids that go with it. */
export type Kind =
  | 'display name'
  | 'user id'
  | 'e-mail address'
  | 'session id'
  | 'cover letter'
  | 'application id'
  | 'thread id'
  | 'message'
  | 'edited text'
  /** It was changed or deleted soon. */
  | 'replaced text'
  | 'message id'
  | 'file name'
  | 'file content'
  | 'file id'
  | 'reason'
  /** Of the company, about an applicant. */
  | 'note'
  | 'note id'
  | 'team message'
  | 'team message id'
  | 'team file id';

/** What is said in a group, as others in it see it. */
const SAID: readonly Kind[] = [
  'message',
  'edited text',
  'replaced text',
  'message id',
  'file name',
  'file content',
  'file id',
];

export interface Mode {
  /** One in this many applicants asks for everything. */
  oneAsksIn: number;
  posting: { conversations: 'private' } | { conversations: 'group'; historyFrom: 'joined' };
  /** What an applicant sees of those who are in the job’s group at the same time. */
  shows: readonly Kind[];
}

/**
 * How conversations are held about a job, with all that an applicant sees of others. What it sees of the companies is what
 * they say to it or, in a group, to all who are there.
 */
export const modes: Record<string, Mode> = {
  'private conversations': { oneAsksIn: 1, posting: { conversations: 'private' }, shows: [] },
  'a group that shows what is said after they joined': {
    oneAsksIn: 2,
    posting: { conversations: 'group', historyFrom: 'joined' },
    shows: ['display name', 'user id', ...SAID],
  },
};

interface Company {
  name: string;
  session: Session;
  client: Listener;
}

export interface Job {
  jobId: string;
  /** The room of the team, or the group of all. */
  groupId: string;
  company: Company;
  /** The applicants who are in the group, or would be if there were one; and all who have been. */
  present: Set<string>;
  everPresent: Set<string>;
  places: Place[];
  /** A message and a file that are for the team alone. */
  team: { messageId: string; fileId: string; words: string[] };
  /** Cursors of the company’s lists, by path. */
  cursors: Record<string, string>;
}

/** What an applicant has in one job. */
export interface Place {
  job: Job;
  owner: Applicant;
  applicationId: string;
  groupId: string;
  messageId: string;
  /** A message that may be changed. */
  spareId: string;
  clientMsgId: string;
  fileId: string;
  /** Of the company, for the owner. */
  answerFileId: string | undefined;
  /** A note of the company about the owner. */
  noteId: string;
  /** Words of the owner, and of that note, that nobody else should find. */
  words: string[];
  isOver: boolean;
}

export interface Applicant {
  name: string;
  email: string;
  password: string;
  session: Session;
  sessionId: string;
  watched: Watched;
  /** Those who may know its name, itself included. */
  known: Set<string>;
  places: Place[];
  /** Reads letters and pushes, and has no socket until the end. */
  isAway: boolean;
  subscription: PushSubscription;
  /** Cursors of its lists, by path. */
  cursors: Record<string, string>;
  /** Of its own file. */
  downloadToken: string;
}

export interface Stage {
  url: string;
  mode: Mode;
  canaries: Canaries;
  mail: MailServer;
  push: PushService;
}

export interface World {
  companies: Company[];
  jobs: Job[];
  applicants: Applicant[];
}

/** Runs the work for all of them, a few at once. */
export async function forAll<T>(
  all: readonly T[],
  work: (each: T, index: number) => Promise<unknown>,
): Promise<void> {
  const { run } = createSemaphore(WORKERS);
  await Promise.all(all.map((each, index) => run(() => work(each, index))));
}

/** Returns the acts of the people in a story about conversations of one kind. */
export function createStory({ url, mode, canaries, mail, push }: Stage) {
  const isPrivate = mode.posting.conversations === 'private';
  const as = <T>({ accessToken: token }: Session, method: string, path: string, body?: unknown) =>
    call<T>(url, method, path, { token, body });
  const release = (kind: Kind, owner: string, seenBy: ReadonlySet<string>, expectedBy: readonly string[]) =>
    canaries.release({ kind, owner, seenBy, expectedBy });
  const watchId = (id: string, kind: Kind, owner: string, seenBy: ReadonlySet<string>) =>
    canaries.watch(id, { kind, owner, seenBy, expectedBy: [] });

  /** Those who see what an applicant says now, or what is said to it. */
  const audienceOf = ({ job, owner }: Place, kind: Kind): ReadonlySet<string> =>
    new Set(mode.shows.includes(kind) ? [...job.present, owner.name] : [owner.name]);
  /** Replies, reactions and changes name messages also to those who came later. */
  const watchMessage = (messageId: string, owner: string, { job, owner: { name } }: Place) =>
    watchId(
      messageId,
      'message id',
      owner,
      mode.shows.includes('message id') ? job.everPresent : new Set([name]),
    );
  const wordOf = (place: Place, kind: Kind) =>
    release(
      kind,
      place.owner.name,
      audienceOf(place, kind),
      kind === 'replaced text' ? [] : [place.owner.name],
    );
  const wordTo = (place: Place, kind: Kind) =>
    release(
      kind,
      place.job.company.name,
      audienceOf(place, kind),
      kind === 'replaced text' || place.isOver ? [] : [place.owner.name],
    );

  async function openCompany(index: number): Promise<Company> {
    const name = `company ${index}`;
    const person = { email: `${randomUUID()}@example.org`, password: randomUUID() };
    const displayName = `Company ${index}`;
    await call(url, 'POST', '/v1/auth/register', { body: { ...person, role: 'company', displayName } });
    const session = await logIn(url, person.email, person.password);
    return { name, session, client: await new Listener(session).connect() };
  }

  async function signUp(index: number): Promise<Applicant> {
    const name = `applicant ${index}`;
    const alone = new Set([name]);
    const known = new Set([name]);
    const email = `${release('e-mail address', name, alone, [name])}@example.org`;
    const displayName = release('display name', name, known, [name]);
    const password = randomUUID();
    await call(url, 'POST', '/v1/auth/register', {
      body: { role: 'applicant', email, password, displayName },
    });
    await confirmAddress(mail, email);
    const session = await logIn(url, email, password);
    watchId(session.userId, 'user id', name, known);
    const watched = watch(name, session, canaries);
    const { body } = await watched.ask('GET', '/v1/me/sessions');
    const [{ sessionId }] = body['data'] as [{ sessionId: string }];
    watchId(sessionId, 'session id', name, alone);
    const subscription = push.subscribe();
    await watched.ask('POST', '/v1/me/push-subscriptions', { body: subscription });
    await watched.ask('PUT', '/v1/me/notification-preferences', { body: { digestMinutes: 0 } });
    return {
      ...{ name, email, password, session, sessionId, watched, known, subscription },
      ...{ places: [], cursors: {}, downloadToken: '', isAway: index % ONE_AWAY_IN === 0 },
    };
  }

  /** Uploads a file that has its word in its name and its content. Resolves with the id. */
  async function upload(
    session: Session,
    groupId: string,
    { name, content, index }: { name: string; content: string; index: number },
  ): Promise<string> {
    const drawn = sharp({ create: { width: 400, height: 300, channels: 3, background: 'teal' } });
    const [extension, contentType, bytes] = (
      [
        ['txt', 'text/plain', Buffer.from(`${content} ${COMMON_WORD}`)],
        ['pdf', 'application/pdf', Buffer.concat([pdf(), Buffer.from(`% ${content}\n`)])],
        [
          'png',
          'image/png',
          await drawn
            .withExif({ IFD0: { ImageDescription: content } })
            .png()
            .toBuffer(),
        ],
      ] as const
    )[index % 3]!;
    const asked = { groupId, name: `${name}.${extension}`, contentType, size: bytes.length };
    const file = await as<{
      fileId: string;
      upload: { method: string; url: string; headers: Record<string, string> };
    }>(session, 'POST', '/v1/files', asked);
    const { method, url: to, headers } = file.upload;
    const answer = await fetch(to, { method, headers, body: new Uint8Array(bytes) });
    if (!answer.ok) throw new Error(`the upload was answered ${answer.status}: ${await answer.text()}`);
    await as(session, 'POST', `/v1/files/${file.fileId}/complete`);
    return file.fileId;
  }

  const say = (session: Session, groupId: string, message: Record<string, unknown>) =>
    as<{ messageId: string; seq: number }>(session, 'POST', `/v1/groups/${groupId}/messages`, {
      clientMsgId: randomUUID(),
      ...message,
    });

  async function postJob(company: Company, index: number): Promise<Job> {
    const posted = await as<{ jobId: string; groupId: string }>(company.session, 'POST', '/v1/jobs', {
      title: `Job ${index}`,
      description: `All ${COMMON_WORD}`,
      ...mode.posting,
    });
    const nobody = new Set<string>();
    const [text, name, content] = ['x', 'x', 'x'].map(() =>
      release('team message', company.name, nobody, []),
    );
    const fileId = await upload(company.session, posted.groupId, { name: name!, content: content!, index });
    const said = { text: `${text} ${COMMON_WORD}`, fileIds: [fileId] };
    const { messageId } = await say(company.session, posted.groupId, said);
    watchId(messageId, 'team message id', company.name, nobody);
    watchId(fileId, 'team file id', company.name, nobody);
    const team = { messageId, fileId, words: [text!, name!] };
    return { ...posted, company, present: new Set(), everPresent: new Set(), places: [], team, cursors: {} };
  }

  /** Lets an applicant and those who are in the group know of each other, where the mode shows names. */
  function enter(job: Job, { name, known }: Applicant, applicants: readonly Applicant[]): void {
    if (mode.shows.includes('display name'))
      for (const other of applicants.filter((each) => job.present.has(each.name))) {
        known.add(other.name);
        other.known.add(name);
      }
    job.present.add(name);
    job.everPresent.add(name);
  }

  const coverLetterOf = ({ name }: Applicant) => release('cover letter', name, new Set([name]), [name]);

  async function apply(job: Job, owner: Applicant, { applicants }: World): Promise<Place> {
    enter(job, owner, applicants);
    const coverLetter = coverLetterOf(owner);
    const { body } = await owner.watched.ask('POST', `/v1/jobs/${job.jobId}/applications`, {
      body: { coverLetter },
    });
    const { applicationId, groupId } = body as { applicationId: string; groupId: string };
    watchId(applicationId, 'application id', owner.name, new Set([owner.name]));
    if (isPrivate) watchId(groupId, 'thread id', owner.name, new Set([owner.name]));
    const place = {
      ...{ job, owner, applicationId, groupId, words: [coverLetter], isOver: false },
      ...{
        messageId: '',
        spareId: '',
        clientMsgId: randomUUID(),
        fileId: '',
        answerFileId: undefined,
        noteId: '',
      },
    };
    owner.places.push(place);
    job.places.push(place);
    if (!owner.isAway) await owner.watched.hears(`"${groupId}"`);
    return place;
  }

  /** The company notes something about an applicant, for its own people. */
  async function note(place: Place): Promise<void> {
    const { name, session } = place.job.company;
    const nobody = new Set<string>();
    const word = release('note', name, nobody, []);
    const path = `/v1/applications/${place.applicationId}/notes`;
    const body = { clientMsgId: randomUUID(), text: `${word} ${COMMON_WORD}` };
    const { noteId } = await as<{ noteId: string }>(session, 'POST', path, body);
    watchId(noteId, 'note id', name, nobody);
    place.words.push(word);
    place.noteId = noteId;
  }

  /** An applicant and the company write, answer, attach, change, delete and react. */
  async function converse(place: Place, index: number): Promise<void> {
    const { job, owner, groupId } = place;
    const { company } = job;
    const path = `/v1/groups/${groupId}/messages`;
    const { ask } = owner.watched;
    const said = async (kind: Kind, more: object = {}) => {
      const word = wordOf(place, kind);
      const message = { clientMsgId: randomUUID(), text: `${word} ${COMMON_WORD}`, ...more };
      const { body, text } = await ask('POST', path, { body: message });
      if (body['messageId'] === undefined) throw new Error(`a message of ${owner.name}: ${text}`);
      const { messageId, seq } = body as { messageId: string; seq: number };
      watchMessage(messageId, owner.name, place);
      place.words.push(word);
      return { messageId, seq };
    };
    const attachOwn = async () => {
      const named = { name: wordOf(place, 'file name'), content: wordOf(place, 'file content'), index };
      const fileId = await upload(owner.session, groupId, named);
      watchId(fileId, 'file id', owner.name, audienceOf(place, 'file id'));
      return fileId;
    };
    const [{ fileId: shared }] = owner.places as [Place];
    place.fileId = shared === '' ? await attachOwn() : shared;
    const first = await said('message', {
      clientMsgId: place.clientMsgId,
      ...(shared === '' && { fileIds: [place.fileId] }),
    });
    const attach = () =>
      upload(company.session, groupId, {
        name: wordTo(place, 'file name'),
        content: wordTo(place, 'file content'),
        index: index + 1,
      });
    if (index % JOBS === 1) place.answerFileId = await attach();
    const answer = await say(company.session, groupId, {
      text: `${wordTo(place, 'replaced text')} ${COMMON_WORD}`,
      replyTo: first.messageId,
      ...(place.answerFileId !== undefined && { fileIds: [place.answerFileId] }),
    });
    watchMessage(answer.messageId, company.name, place);
    await note(place);
    const spare = await said('replaced text', { replyTo: answer.messageId });
    const slip = await said('replaced text');
    Object.assign(place, { messageId: first.messageId, spareId: spare.messageId });
    const edited = wordOf(place, 'edited text');
    place.words.push(edited);
    await ask('PATCH', `${path}/${spare.messageId}`, { body: { text: `${edited} ${COMMON_WORD}` } });
    await ask('DELETE', `${path}/${slip.messageId}`);
    await ask('PUT', `${path}/${answer.messageId}/reactions/${encodeURIComponent('👍')}`);
    const theirs = wordTo(place, 'edited text');
    await as(company.session, 'PATCH', `${path}/${answer.messageId}`, { text: `${theirs} ${COMMON_WORD}` });
    await as(company.session, 'PUT', `${path}/${first.messageId}/reactions/${encodeURIComponent('🎉')}`);
    await as(company.session, 'PUT', `/v1/groups/${groupId}/read`, { seq: slip.seq });
    await company.client.ask('typing', { groupId, isTyping: true });
    if (owner.isAway) return;
    await owner.watched.emit('typing', { groupId, isTyping: true });
    await owner.watched.emit('markRead', { groupId, seq: answer.seq });
  }

  /** Changes a message that others came too late for. They hear the change. */
  async function correct(place: Place): Promise<void> {
    const { owner, groupId, spareId } = place;
    const path = `/v1/groups/${groupId}/messages`;
    const edited = wordOf(place, 'edited text');
    await owner.watched.ask('PATCH', `${path}/${spareId}`, { body: { text: `${edited} ${COMMON_WORD}` } });
    const isShown = async () => (await owner.watched.ask('GET', `${path}?limit=100`)).text.includes(edited);
    await until(isShown, `${owner.name} to read its change`);
  }

  async function decide(place: Place, status: string): Promise<void> {
    const { owner, job, applicationId } = place;
    const reason = release('reason', job.company.name, new Set([owner.name]), [owner.name]);
    await as(job.company.session, 'PATCH', `/v1/applications/${applicationId}`, { status, reason });
    await until(async () => {
      const { text } = await owner.watched.ask('GET', '/v1/applications');
      return text.includes(reason);
    }, `${owner.name} to read a decision`);
  }

  /** Decides about some of a job’s applications. Others are withdrawn, one of them for good. */
  async function decideAll(job: Job, world: World): Promise<void> {
    const [screened, rejected, hired, corrected, returned, gone] = job.places as Required<Place[]>;
    await decide(screened!, 'screening');
    for (const place of [rejected!, corrected!]) {
      await decide(place, 'rejected');
      job.present.delete(place.owner.name);
    }
    await decide(hired!, 'hired');
    await greet(screened!);
    enter(job, corrected!.owner, world.applicants);
    await decide(corrected!, 'interview');
    for (const place of [returned!, gone!]) {
      await place.owner.watched.ask('DELETE', `/v1/applications/${place.applicationId}`);
      job.present.delete(place.owner.name);
      place.isOver = true;
    }
    await greet(screened!);
    enter(job, returned!.owner, world.applicants);
    const coverLetter = coverLetterOf(returned!.owner);
    await returned!.owner.watched.ask('POST', '/apply', { body: { jobId: job.jobId, coverLetter } });
    returned!.isOver = false;
    if (isPrivate) return;
    rejected!.isOver = true;
    // Whoever comes back to the group begins anew.
    for (const place of [corrected!, returned!]) place.answerFileId = undefined;
  }

  /** The company writes to an applicant, and looks at its lists. */
  async function greet(place: Place): Promise<string> {
    const { job, groupId } = place;
    const { session, client } = job.company;
    await client.ask('typing', { groupId, isTyping: true });
    const word = wordTo(place, 'message');
    const { messageId, seq } = await say(session, groupId, { text: `${word} ${COMMON_WORD}` });
    watchMessage(messageId, job.company.name, place);
    await as(session, 'PUT', `/v1/groups/${groupId}/read`, { seq });
    await as(session, 'GET', `/v1/jobs/${job.jobId}/threads?unread=true`);
    for (const path of [`/v1/jobs/${job.jobId}/threads`, '/v1/applications', '/v1/groups']) {
      const { nextCursor } = await as<{ nextCursor: string | null }>(session, 'GET', `${path}?limit=1`);
      if (nextCursor !== null) job.cursors[path] = nextCursor;
    }
    await as(session, 'GET', `/v1/applications?jobId=${job.jobId}`);
    return word;
  }

  /** Reads everything of one’s own, and remembers the cursors. */
  async function look(applicant: Applicant): Promise<void> {
    const { watched, places, cursors } = applicant;
    const { ask } = watched;
    const list = async (path: string) => {
      const { body } = await ask('GET', `${path}?limit=1`);
      if (typeof body['nextCursor'] === 'string') cursors[path] = body['nextCursor'];
      await ask('GET', path);
    };
    for (const path of ['/v1/groups', '/v1/applications', '/v1/jobs']) await list(path);
    await ask('GET', '/v1/me');
    const found = await ask('GET', `/v1/search/messages?q=${COMMON_WORD}&limit=1`);
    if (typeof found.body['nextCursor'] === 'string')
      cursors['/v1/search/messages'] = found.body['nextCursor'];
    for (const { groupId, fileId, answerFileId, isOver } of places) {
      if (isOver) continue;
      await list(`/v1/groups/${groupId}/members`);
      await ask('GET', `/v1/groups/${groupId}/messages`);
      for (const id of [fileId, answerFileId]) if (id !== undefined) await download(applicant, id);
    }
  }

  async function download(applicant: Applicant, fileId: string): Promise<void> {
    const { watched } = applicant;
    let file: { status?: string; url?: string; thumbnail?: { url: string } } = {};
    await until(async () => {
      file = (await watched.ask('GET', `/v1/files/${fileId}`)).body;
      return file.status === 'clean';
    }, `${applicant.name} to see a clean file`);
    await watched.follow(file.url!, 'a download');
    if (file.thumbnail) await watched.follow(file.thumbnail.url, 'a thumbnail');
    if (applicant.places.some((place) => place.fileId === fileId))
      applicant.downloadToken = new URL(file.url!).searchParams.get('token')!;
  }

  const opened = { letters: 0, pushes: 0 };

  /** Records the letters and pushes that have arrived since the last time. */
  function openMail({ applicants }: World): void {
    for (const { to, raw, mail: letter } of mail.mails.slice(opened.letters)) {
      const { subject, text, html } = letter;
      for (const { name, email } of applicants)
        if (to.includes(email))
          canaries.record(
            name,
            'a letter',
            `“${subject}”`,
            `${raw}\n${JSON.stringify({ subject, text, html })}`,
          );
    }
    opened.letters = mail.mails.length;
    for (const { endpoint, payload } of push.pushes.slice(opened.pushes))
      for (const { name, subscription } of applicants)
        if (endpoint === subscription.endpoint)
          canaries.record(name, 'a push', `“${payload.title}”`, JSON.stringify(payload));
    opened.pushes = push.pushes.length;
  }

  return {
    async gather(): Promise<World> {
      const companies = [await openCompany(0), await openCompany(1)];
      const applicants: Applicant[] = [];
      await forAll(Array.from({ length: APPLICANTS }), async (_, index) => {
        applicants[index] = await signUp(index);
      });
      const jobs = await Promise.all(
        Array.from({ length: JOBS }, (_, index) => postJob(companies[index % companies.length]!, index)),
      );
      return { companies, jobs, applicants };
    },

    /** The applicants come in two waves, with conversations after each of them. */
    async live(world: World): Promise<void> {
      const { jobs, applicants } = world;
      await forAll(
        applicants.filter(({ isAway }) => !isAway),
        ({ watched }) => watched.connect(),
      );
      for (let round = 0; round < JOBS_OF_ONE; round += 1) {
        const come: Place[] = [];
        await forAll(applicants, async (applicant, index) => {
          come.push(await apply(jobs[(index + round) % JOBS]!, applicant, world));
        });
        await forAll(come, converse);
        await forAll(applicants, look);
      }
      const early = jobs.flatMap(({ places }) => places.slice(0, APPLICANTS / JOBS));
      await forAll(early, correct);
      await forAll(jobs, (job) => decideAll(job, world));
      await forAll(applicants, look);
    },

    /** Companies write and read until it is over. */
    async goOn({ jobs }: World, isOver: () => boolean): Promise<void> {
      for (let round = 0; !isOver(); round += 1) {
        const open = jobs[round % JOBS]!.places.filter((place) => !place.isOver);
        await greet(open[round % open.length]!);
      }
    },

    /** The company writes to those who are away. Resolves once they have the letters and pushes, and so those before. */
    async writeToThoseAway({ applicants }: World): Promise<void> {
      for (const { name, places, email, subscription } of applicants.filter(({ isAway }) => isAway)) {
        const word = await greet(places.find(({ isOver }) => !isOver)!);
        const hasLetter = () =>
          mail.mails.some(({ to, mail: letter }) => to.includes(email) && letter.text?.includes(word));
        const hasPush = () =>
          push.pushes.some(
            ({ endpoint, payload }) => endpoint === subscription.endpoint && payload.body.includes(word),
          );
        await until(() => hasLetter() && hasPush(), `${name} to get a letter and a push`);
      }
    },

    look,
    openMail,

    closeJob: ({ jobId, company }: Job) => as(company.session, 'POST', `/v1/jobs/${jobId}/close`),

    /** Returns a word that an applicant says in all its places. */
    probeWordOf: ({ name, known }: Applicant) =>
      release('message', name, isPrivate ? new Set([name]) : known, []),
    nameOf: ({ name, known }: Applicant) => release('display name', name, known, []),
  };
}

export type Story = ReturnType<typeof createStory>;
