import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { npmGone } from '../src/adapters/os/npm-gone.ts';
import { type ConversationEvent, Listener, type Sent, textOf } from '../tools/listener.ts';
import { type ChatProblem, type Session, call, logIn, signUp } from '../tools/rest.ts';

/**
 * Two real clients, a company and an applicant, talk over REST and Socket.IO. One disconnects and misses
 * nothing. Then a team of two hires in private: each applicant has a thread of its own, which the other cannot see.
 */

// A server started by the demo stops with the demo.
void npmGone(process.env).then(() => process.exit(143));

const port = process.env['PORT'] ?? '3000';
const url = `http://127.0.0.1:${port}`;
const START_MS = 60_000;

const paint = (code: number) => (text: string) =>
  process.stdout.isTTY && !process.env['NO_COLOR'] ? `\x1b[${code}m${text}\x1b[0m` : text;
const bold = paint(1);
const dim = paint(2);
const colours = { company: paint(36), applicant: paint(33) };
const tell = (line = '') => void process.stdout.write(`${line}\n`);
const chapter = (title: string) => tell(`\n${bold(title)}`);

const isReady = () =>
  fetch(`${url}/health/ready`).then(
    (response) => response.ok,
    () => false,
  );

/** The links in the letters that a server without a mail server writes to its log. */
const links: string[] = [];
/** False for a server whose letters go elsewhere. */
let readsLetters = false;

/** Starts the server unless one runs. Returns a function that stops it if it was started here. */
async function ensureServer(): Promise<() => Promise<void>> {
  if (await isReady()) {
    tell(dim(`A server runs at ${url}: using it.`));
    return async () => undefined;
  }
  readsLetters = true;
  tell(dim(`No server at ${url}: starting one …`));
  const server = spawn(process.execPath, ['src/main.ts'], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, LOG_LEVEL: 'info', SMTP_URL: '', PORT: port },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: server.stdout }).on('line', (line) => {
    const { link } = (line.startsWith('{') ? JSON.parse(line) : {}) as { link?: string };
    if (link !== undefined) links.push(link);
  });
  const started = Date.now();
  while (!(await isReady())) {
    if (server.exitCode !== null) throw new Error(`The server stopped with exit code ${server.exitCode}.`);
    if (Date.now() - started > START_MS) throw new Error('The server is not ready.');
    await pause(50);
  }
  tell(dim(`Ready after ${((Date.now() - started) / 1_000).toFixed(1)} s.`));
  return async () => {
    const stopped = once(server, 'exit');
    server.kill('SIGTERM');
    await stopped;
    tell(dim('The server that the demo started has stopped.'));
  };
}

interface Speaker {
  name: string;
  paint: (text: string) => string;
  session: Session;
  client: Listener;
}

const asSpeaker = (role: 'company' | 'applicant', name: string, session: Session): Speaker => ({
  ...{ name, paint: colours[role], session, client: new Listener(session) },
});
const introduce = async (role: 'company' | 'applicant', name: string): Promise<Speaker> =>
  asSpeaker(role, name, await signUp(url, { role, displayName: name }));

async function say(speaker: Speaker, groupId: string, text: string): Promise<Sent> {
  const sent = await speaker.client.send({ groupId, text });
  const { seq } = sent;
  tell(`  ${dim(`seq ${String(seq).padStart(2)}`)}  ${speaker.paint(speaker.name)}: ${text}`);
  return sent;
}

async function converse(): Promise<Speaker> {
  chapter('1. Two people register, over REST');
  const company = await introduce('company', 'Harbour Robotics');
  const applicant = await introduce('applicant', 'Ada');
  tell(
    `  ${company.paint(company.name)} is a company, ${applicant.paint(applicant.name)} is looking for a job.`,
  );

  chapter('2. A job is posted: its chat group exists');
  const job = await call<{ jobId: string; groupId: string }>(url, 'POST', '/v1/jobs', {
    token: company.session.accessToken,
    body: { title: 'Robot whisperer', description: 'Talk to cranes, and listen.', location: 'Hamburg' },
  });
  const { jobId, groupId } = job;
  tell(`  job ${jobId}\n  group ${groupId}`);

  chapter('3. Ada applies: she is in the group');
  await applicant.client.connect();
  await company.client.connect();
  await call(url, 'POST', `/v1/jobs/${jobId}/applications`, {
    token: applicant.session.accessToken,
    body: { coverLetter: 'I have listened to cranes for years.' },
  });
  tell(`  The server has put her open socket into the room.`);

  chapter('4. They talk, over Socket.IO');
  await say(company, groupId, 'Hello Ada, thank you for applying!');
  await applicant.client.reached(groupId, 1);
  await say(applicant, groupId, 'Happy to be here. Which cranes?');
  const third = await say(company, groupId, 'All of them. 🏗️');
  await applicant.client.reached(groupId, third.seq);
  const [first] = applicant.client.view(groupId);
  const reaction = await applicant.client.ask('addReaction', {
    groupId,
    messageId: first!.data.messageId,
    emoji: '👍',
  });
  tell(
    `  ${dim(`seq ${String(reaction.seq).padStart(2)}`)}  ${applicant.paint('Ada')} reacts with 👍 to the first message`,
  );

  chapter('5. Ada loses her connection in a tunnel');
  await applicant.client.reached(groupId, reaction.seq);
  applicant.client.close();
  const before = applicant.client.seq(groupId);
  tell(dim(`  The last event she has is seq ${before}.`));
  await say(company, groupId, 'Can you start on Monday?');
  await say(company, groupId, 'We also have a dog.');
  const last = await say(company, groupId, 'Ada? Are you still there?');

  chapter('6. She reconnects: one `sync` returns the events she missed, in order');
  await applicant.client.connect();
  await applicant.client.reached(groupId, last.seq);
  for (const event of applicant.client.view(groupId).filter(({ seq }) => seq > before)) retell(event);
  const { seq: end, position } = await say(
    applicant,
    groupId,
    'Sorry, a tunnel. Monday it is, and hello to the dog!',
  );

  chapter('7. Both have the same history, and so has REST');
  await Promise.all([company, applicant].map(({ client }) => client.reached(groupId, end)));
  const same =
    JSON.stringify(company.client.view(groupId)) === JSON.stringify(applicant.client.view(groupId));
  const seqs = applicant.client.view(groupId).map(({ seq }) => seq);
  const complete = seqs.every((seq, index) => seq === index + 1);
  const { data } = await call<{ data: unknown[] }>(url, 'GET', `/v1/groups/${groupId}/messages?limit=100`, {
    token: applicant.session.accessToken,
    headers: { 'x-min-position': position },
  });
  tell(`  seqs ${seqs.join(' ')}: ${complete ? 'no hole' : 'A HOLE'}; views ${same ? 'equal' : 'DIFFER'}`);
  tell(`  GET /v1/groups/${groupId}/messages has ${data.length} messages`);
  applicant.client.close();
  if (!same || !complete || data.length !== 7) throw new Error('The two views differ.');
  return company;
}

interface Named {
  jobId: string;
  groupId: string;
  applicationId: string;
  position: string;
}

/** A team of two hires in private. */
async function hire(owner: Speaker): Promise<void> {
  const as = ({ session }: Speaker, method: string, path: string, body?: object, after?: string) =>
    call<Named & { data: { groupId: string; kind: string; applicant?: { displayName: string } }[] }>(
      ...([url, method, path] as const),
      {
        token: session.accessToken,
        ...(body && { body }),
        ...(after !== undefined && { headers: { 'x-min-position': after } }),
      },
    );
  const people: Speaker[] = [];

  chapter('8. The next job is held in private: each applicant has a thread of its own');
  const job = await as(owner, 'POST', '/v1/jobs', {
    ...{ title: 'Crane dancer', description: 'Dance with cranes.', conversations: 'private' },
  });
  const [ada, bob] = [await introduce('applicant', 'Ada'), await introduce('applicant', 'Bob')];
  people.push(ada, bob);
  const path = `/v1/jobs/${job.jobId}/applications`;
  const [hers, his] = [await as(ada, 'POST', path, {}), await as(bob, 'POST', path, {})];
  await Promise.all(people.map(({ client }) => client.connect()));
  await say(ada, hers.groupId, 'Hello! I can dance, and I was a crane once.');
  const asked = await say(bob, his.groupId, 'Hello! What does it pay?');
  for (const person of people) {
    const { data } = await as(person, 'GET', '/v1/groups', undefined, asked.position);
    tell(`  ${person.paint(person.name)} sees ${data.length} conversation, and nothing of anybody else`);
    if (data.length !== 1) throw new Error(`${person.name} sees ${data.length} conversations.`);
  }

  chapter('9. A colleague is invited, by a letter, as an interviewer');
  if (!readsLetters)
    return tell(dim('  The letter went out, so this part needs a server that the demo starts.'));
  const colleague = {
    displayName: 'Grace',
    email: `grace-${randomUUID()}@example.test`,
    password: randomUUID(),
  };
  const known = links.length;
  await as(owner, 'POST', '/v1/company/invitations', { email: colleague.email, role: 'interviewer' });
  await waitUntil(() => links.slice(known).some((link) => link.includes('/invitations')), 'the letter');
  const letter = links.slice(known).find((link) => link.includes('/invitations'))!;
  const invitation = new URL(letter).searchParams.get('token');
  await call(url, 'POST', '/v1/auth/register', { body: { role: 'company', ...colleague, invitation } });
  const session = await logIn(url, colleague.email, colleague.password);
  const grace = asSpeaker('company', 'Grace', session);
  people.push(grace);
  await grace.client.connect();
  const { position } = await as(owner, 'PUT', `/v1/applications/${his.applicationId}/assignee`, {
    userId: session.userId,
  });
  const { data: mine } = await as(grace, 'GET', `/v1/jobs/${job.jobId}/threads`, undefined, position);
  const names = mine.map(({ applicant }) => applicant?.displayName);
  tell(`  Bob’s application is assigned to her. She sees the threads of: ${names.join(', ')}`);
  if (names.join() !== 'Bob') throw new Error('An interviewer sees the threads of others.');
  await grace.client.reached(his.groupId, 1);
  const answer = await say(grace, his.groupId, 'Hello Bob! As much as a crane can carry.');
  await bob.client.reached(his.groupId, answer.seq);

  chapter('10. They talk about Bob where he cannot hear it');
  const note = { clientMsgId: randomUUID(), text: 'He asks about money first. I like that.' };
  await as(grace, 'POST', `/v1/applications/${his.applicationId}/notes`, note);
  tell(`  ${dim('note')}   ${grace.paint(grace.name)}: ${note.text}`);
  const refusal = await as(bob, 'GET', `/v1/applications/${his.applicationId}/notes`).then(
    () => {
      throw new Error('Bob reads the notes about himself.');
    },
    ({ message }: ChatProblem) => message,
  );
  tell(`  ${bob.paint(bob.name)} asks for the notes: ${dim(refusal)}`);

  chapter('11. Grace leaves the company: at once, on her open socket too');
  await as(owner, 'DELETE', `/v1/company/members/${session.userId}`);
  await waitUntil(() => !grace.client.rooms.has(his.groupId), 'her socket to leave the room');
  const last = await say(owner, his.groupId, 'Bob, you start on Monday.');
  await bob.client.reached(his.groupId, last.seq);
  tell('  Bob has it. Her socket is out of the room, and hears nothing.');
  if (grace.client.seq(his.groupId) >= last.seq) throw new Error('Grace hears a company that she has left.');
  for (const { client } of people) client.close();
}

async function waitUntil(condition: () => boolean, what: string): Promise<void> {
  const began = Date.now();
  while (!condition()) {
    if (Date.now() - began > START_MS) throw new Error(`Waited for ${what} in vain.`);
    await pause(20);
  }
}

function retell(event: ConversationEvent): void {
  const seq = String(event.seq).padStart(2);
  tell(`  ${dim(`seq ${seq}`)}  ${dim('missed, now received:')} ${textOf(event)}`);
}

const stop = await ensureServer();
try {
  const company = await converse();
  await hire(company);
  company.client.close();
  tell(`\n${bold('Nothing was lost, and nobody was in who should not be.')}`);
} catch (error) {
  tell(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await stop();
}
