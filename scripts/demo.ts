import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { npmGone } from '../src/adapters/os/npm-gone.ts';
import { type Applied, ChatClient, type Sent } from '../client/chat-client.ts';
import { type Session, call, signUp } from '../client/rest-client.ts';

/**
 * Two real clients, a company and an applicant, talk over REST and Socket.IO. One disconnects and misses
 * nothing.
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

/** Starts the server unless one runs. Returns a function that stops it if it was started here. */
async function ensureServer(): Promise<() => Promise<void>> {
  if (await isReady()) {
    tell(dim(`A server runs at ${url}: using it.`));
    return async () => undefined;
  }
  tell(dim(`No server at ${url}: starting one …`));
  const server = spawn(process.execPath, ['src/main.ts'], {
    cwd: join(import.meta.dirname, '..'),
    env: { LOG_LEVEL: 'warn', ...process.env, PORT: port },
    stdio: ['ignore', 'ignore', 'inherit'],
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
  client: ChatClient;
}

async function introduce(role: 'company' | 'applicant', name: string): Promise<Speaker> {
  const session = await signUp(url, { role, displayName: name });
  return { name, paint: colours[role], session, client: new ChatClient(session) };
}

async function say(speaker: Speaker, groupId: string, text: string): Promise<Sent> {
  const sent = await speaker.client.send({ groupId, text });
  const { seq } = sent;
  tell(`  ${dim(`seq ${String(seq).padStart(2)}`)}  ${speaker.paint(speaker.name)}: ${text}`);
  return sent;
}

async function converse(): Promise<void> {
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
  const reaction = await applicant.client.ask<{ seq: number }>('addReaction', {
    groupId,
    messageId: first?.data['messageId'],
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
  company.client.close();
  applicant.client.close();
  if (!same || !complete || data.length !== 7) throw new Error('The two views differ.');
}

function retell({ seq, data }: Applied): void {
  tell(`  ${dim(`seq ${String(seq).padStart(2)}`)}  ${dim('missed, now received:')} ${String(data['text'])}`);
}

const stop = await ensureServer();
try {
  await converse();
  tell(`\n${bold('Nothing was lost.')}`);
} catch (error) {
  tell(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await stop();
}
