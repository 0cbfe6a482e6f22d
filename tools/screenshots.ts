import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { keepLoggedIn, openBrowser } from './browser.ts';
import { type Session, call, logIn } from './rest.ts';
import { type ServerProcess, startServer } from './server-process.ts';
import { until } from './until.ts';

/** Makes the pictures of the pages in `docs/screenshots`, on a server of its own with people who are invented. */

const ROOT = join(import.meta.dirname, '..');
const FOLDER = join(ROOT, 'docs/screenshots');
/** When everything on the pictures happens, so that they change with the pages alone. */
const NOW = Date.parse('2026-11-30T10:24:00Z');
const HOUR_MS = 3_600_000;
/** By which the edges of letters differ from run to run, of 256. */
const SHADES = 8;

const PEOPLE = {
  harbour: { role: 'company', displayName: 'Harbour Robotics' },
  grace: { role: 'company', displayName: 'Grace Hopper' },
  ada: { role: 'applicant', displayName: 'Ada Lovelace' },
  bob: { role: 'applicant', displayName: 'Bob Noyce' },
  auditor: { role: 'auditor', displayName: 'Katherine Johnson' },
  admin: { role: 'admin', displayName: 'Margaret Hamilton' },
} as const;

type Name = keyof typeof PEOPLE;
type People = Record<Name, Session>;

/** What was said and done before the pictures are taken. */
interface World {
  people: People;
  /** The paths of a job with private threads, and of Ada's thread. */
  job: string;
  thread: string;
  /** The stream of Ada's thread, and an event of it. */
  stream: string;
  event: string;
  /** The path of Ada's account. */
  account: string;
}

interface Shot {
  /** Of the file, without its ending. */
  name: string;
  /** Whose page it is; nobody's without it. */
  as?: Name;
  path: string | ((world: World) => string);
  /** A text that is there once the page is. */
  shows: string;
  /** Shows proofs, which only hold at the times that were signed. Its picture changes each time. */
  isProven?: true;
  /** The whole page, where it is longer than the window. */
  isWhole?: true;
  look?: Pick<BrowserContextOptions, 'colorScheme' | 'viewport'>;
}

const NARROW = { viewport: { width: 390, height: 780 } };

const SHOTS: readonly Shot[] = [
  { name: 'start', path: '/', shows: 'Talk about the job' },
  { name: 'sign-up', path: '/sign-up', shows: 'You have an account?' },
  { name: 'jobs', as: 'ada', path: '/jobs', shows: 'Crane dancer' },
  { name: 'new-job', as: 'harbour', path: '/jobs/new', shows: 'A private thread with each applicant' },
  { name: 'job', as: 'harbour', path: ({ job }) => job, shows: 'Waits for your answer', isWhole: true },
  { name: 'applications', as: 'ada', path: '/applications', shows: 'Interview' },
  { name: 'inbox', as: 'ada', path: '/', shows: 'Robot whisperer' },
  { name: 'conversation', as: 'harbour', path: ({ thread }) => thread, shows: 'Monday it is' },
  {
    ...{ name: 'conversation-dark', as: 'harbour', path: ({ thread }) => thread, shows: 'Monday it is' },
    look: { colorScheme: 'dark' },
  },
  {
    ...{ name: 'conversation-narrow', as: 'ada', path: ({ thread }) => thread, shows: 'Monday it is' },
    look: NARROW,
  },
  { name: 'search', as: 'harbour', path: '/search?q=cranes', shows: '3 messages found' },
  { name: 'team', as: 'harbour', path: '/company', shows: 'linus@example.org', isWhole: true },
  { name: 'settings', as: 'ada', path: '/settings', shows: 'This browser', isWhole: true },
  {
    name: 'audit-find',
    as: 'auditor',
    path: '/audit?category=application',
    shows: 'ApplicationStatusChanged',
  },
  { name: 'audit-stream', as: 'auditor', path: ({ stream }) => stream, shows: 'MessageSent' },
  {
    name: 'audit-event',
    as: 'auditor',
    path: ({ event }) => event,
    shows: 'ChatGroupCreated',
    isProven: true,
  },
  { name: 'audit-group', as: 'auditor', path: ({ stream }) => groupIn(stream), shows: 'could read' },
  { name: 'audit-verification', as: 'auditor', path: '/audit/checkpoints', shows: 'Holds', isProven: true },
  { name: 'audit-access', as: 'auditor', path: '/audit/access', shows: 'Grants of all auditors' },
  { name: 'audit-privacy', as: 'auditor', path: '/audit/privacy', shows: 'Holds', isWhole: true },
  { name: 'admin-system', as: 'admin', path: '/admin', shows: 'This deployment is ready.', isWhole: true },
  { name: 'admin-users', as: 'admin', path: '/admin/users', shows: 'Bob Noyce' },
  { name: 'admin-user', as: 'admin', path: ({ account }) => account, shows: 'Sessions' },
  { name: 'admin-jobs', as: 'admin', path: '/admin/jobs', shows: 'Crane dancer' },
  {
    name: 'admin-notifications',
    as: 'admin',
    path: '/admin/notifications',
    shows: 'Everything could be sent.',
  },
  { name: 'admin-read-models', as: 'admin', path: '/admin/read-models', shows: 'Up to date', isWhole: true },
];

const groupIn = (stream: string): string => stream.replace('streams/conversation-', 'groups/');

/** Makes an account. Those that nobody can register are made by the operator's program. */
async function register(server: ServerProcess, name: Name, invitation?: string): Promise<Session> {
  const { role, displayName } = PEOPLE[name];
  const email = `${name}@example.org`;
  const password = randomUUID();
  if (role === 'company' || role === 'applicant') {
    const body = { role, displayName, email, password, ...(invitation !== undefined && { invitation }) };
    await call(server.url, 'POST', '/v1/auth/register', { body });
  } else {
    const { PATH = '', HOME = '' } = process.env;
    const asked = ['--email', email, '--role', role, '--display-name', displayName, '--password', password];
    await promisify(execFile)(process.execPath, ['scripts/admin.ts', 'create-user', ...asked], {
      cwd: ROOT,
      env: { PATH, HOME, DATA_DIR: server.dataDir },
    });
  }
  return logIn(server.url, email, password);
}

interface Answer {
  jobId: string;
  groupId: string;
  applicationId: string;
  messageId: string;
  seq: number;
}

async function makeWorld(server: ServerProcess): Promise<World> {
  const as = ({ accessToken: token }: Session, method: string, path: string, body: object) =>
    call<Answer>(server.url, method, path, { token, body });
  const say = (who: Session, groupId: string, text: string, more: object = {}) =>
    as(who, 'POST', `/v1/groups/${groupId}/messages`, { clientMsgId: randomUUID(), text, ...more });

  const [harbour, ada, bob, auditor, admin] = [
    await register(server, 'harbour'),
    await register(server, 'ada'),
    await register(server, 'bob'),
    await register(server, 'auditor'),
    await register(server, 'admin'),
  ];
  const inGroup = await as(harbour, 'POST', '/v1/jobs', {
    ...{ title: 'Robot whisperer', description: 'Talk to cranes, and listen.', location: 'Hamburg' },
  });
  const inPrivate = await as(harbour, 'POST', '/v1/jobs', {
    ...{ title: 'Crane dancer', description: 'Dance with cranes, in all weathers.', location: 'Hamburg' },
    conversations: 'private',
  });
  await as(ada, 'POST', `/v1/jobs/${inGroup.jobId}/applications`, {});
  await say(ada, inGroup.groupId, 'Good morning! Which cranes are there?');

  const path = `/v1/jobs/${inPrivate.jobId}/applications`;
  const hers = await as(ada, 'POST', path, { coverLetter: 'I can dance, and I was a crane once.' });
  const his = await as(bob, 'POST', path, { coverLetter: 'I have listened to cranes for years.' });
  await say(bob, his.groupId, 'Hello! What does it pay?');
  await say(ada, hers.groupId, 'Hello! I can dance, and I know how cranes move.');
  const asked = await say(harbour, hers.groupId, 'Wonderful. When could you start?');
  const { seq } = await say(
    ada,
    hers.groupId,
    'Monday it is. See https://example.org/ada for a film of me and two cranes.',
    {
      replyTo: asked.messageId,
    },
  );
  // What the pages mark as read, they mark at some time after they are drawn.
  for (const reader of [harbour, ada]) await as(reader, 'PUT', `/v1/groups/${hers.groupId}/read`, { seq });
  await as(harbour, 'POST', `/v1/applications/${hers.applicationId}/notes`, {
    ...{ clientMsgId: randomUUID(), text: 'Ask her about the film.' },
  });
  await as(harbour, 'PATCH', `/v1/applications/${hers.applicationId}`, { status: 'interview' });

  const token = await invite(server, harbour, 'grace@example.org', 'recruiter');
  const grace = await register(server, 'grace', token);
  await invite(server, harbour, 'linus@example.org', 'viewer');
  const events = await fetch(`${server.url}/v1/audit/events?category=chatGroup&type=ChatGroupCreated`, {
    headers: { authorization: `Bearer ${auditor.accessToken}` },
  });
  const made = (await events.text())
    .split('\n')
    .map((line) => JSON.parse(line || '{}') as { id?: string; stream?: string });
  const { id } = made.find(({ stream }) => stream === `chatGroup-${hers.groupId}`)!;
  return {
    people: { harbour, grace, ada, bob, auditor, admin },
    job: `/jobs/${inPrivate.jobId}`,
    thread: `/c/${hers.groupId}`,
    stream: `/audit/streams/conversation-${hers.groupId}`,
    event: `/audit/events/${id}`,
    account: `/admin/users/${ada.userId}`,
  };
}

/** Resolves with the token of the letter, which a server without a mail server writes to its log. */
async function invite(server: ServerProcess, by: Session, email: string, role: string): Promise<string> {
  const links = () => [...server.output().matchAll(/\/v1\/invitations\?token=([^"]+)/g)];
  const before = links().length;
  const { accessToken: token } = by;
  await call(server.url, 'POST', '/v1/company/invitations', { token, body: { email, role } });
  await until(() => links().length > before, 'the letter');
  return decodeURIComponent(links().at(-1)![1]!);
}

/** Moves all that has happened to one moment and one machine, and keeps what is to come in its distance. */
const moved = (text: string, began: number): string =>
  text
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (at) =>
      new Date(NOW + Math.round((Date.parse(at) - began) / HOUR_MS) * HOUR_MS).toISOString(),
    )
    .replace(/"host":"[^"]*"/g, '"host":"chat-1"');

async function take(browser: Browser, url: string, world: World, shot: Shot, began: number): Promise<Buffer> {
  const context = await browser.newContext({
    ...{
      baseURL: url,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      viewport: { width: 1_280, height: 800 },
    },
    ...{ colorScheme: 'light', reducedMotion: 'reduce', ...shot.look },
  });
  if (!shot.isProven) await context.clock.setFixedTime(NOW);
  if (shot.as) await keepLoggedIn(context, world.people[shot.as], PEOPLE[shot.as]);
  if (!shot.isProven)
    await context.route('**/v1/**', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: moved(await response.text(), began) });
    });
  const page = await context.newPage();
  await page.goto(typeof shot.path === 'string' ? shot.path : shot.path(world));
  await settle(page, shot.shows);
  const png = await stillOf(page, shot.isWhole ?? false);
  await context.close();
  return sharp(png).png({ palette: true, effort: 10 }).toBuffer();
}

/** Ids, and hashes and signatures in base64url. */
const RANDOM = /\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b|(?<![\w-])(?:[\w-]{43}|[\w-]{86})(?![\w-])/g
  .source;

/** Replaces what is random on the page by the same letters each time. */
const tame = (page: Page): Promise<void> =>
  page.evaluate((random) => {
    const known = new Map<string, string>();
    const tamed = (found: string): string => {
      const count = String(known.size + 1);
      const again = known.get(found) ?? found.replaceAll(/[^-]/g, '0').slice(0, -count.length) + count;
      known.set(found, again).set(again, again);
      return again;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const { currentNode: node } = texts;
      const text = node.textContent!.replaceAll(new RegExp(random, 'g'), tamed);
      if (text !== node.textContent) node.textContent = text;
    }
  }, RANDOM);

/** Resolves with what the page shows once nothing moves any more. */
async function stillOf(page: Page, fullPage: boolean): Promise<Buffer> {
  const look = async (): Promise<Buffer> => {
    await tame(page);
    return page.screenshot({ fullPage });
  };
  let last = await look();
  await until(async () => {
    const before = last;
    last = await look();
    return last.equals(before);
  }, 'a picture that does not change');
  return last;
}

/** Returns true for pictures between which nobody sees a difference. */
async function isSame(one: Buffer, other: Buffer): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((png) => sharp(png).removeAlpha().raw().toBuffer()));
  return a!.length === b!.length && a!.every((shade, at) => Math.abs(shade - b![at]!) <= SHADES);
}

/** Writes a picture, unless the one that is there is the same: the repository keeps every version. */
async function keep(name: string, png: Buffer): Promise<void> {
  const file = join(FOLDER, name);
  const before = await readFile(file).catch(() => undefined);
  const isKept = before !== undefined && (await isSame(before, png));
  if (!isKept) await writeFile(file, png);
  process.stdout.write(`${name} ${isKept ? 'is the same' : `has ${png.length} bytes`}\n`);
}

async function settle(page: Page, text: string): Promise<void> {
  await page.getByText(text).filter({ visible: true }).first().waitFor();
  await page.getByText('Loading…').first().waitFor({ state: 'detached' });
  await page.waitForLoadState('networkidle');
}

const began = Date.now();
const [server, browser] = await Promise.all([startServer(), openBrowser()]);
try {
  const world = await makeWorld(server);
  await mkdir(FOLDER, { recursive: true });
  for (const shot of SHOTS)
    await keep(`${shot.name}.png`, await take(browser, server.url, world, shot, began));
  const names = new Set(SHOTS.map(({ name }) => `${name}.png`));
  for (const name of await readdir(FOLDER)) if (!names.has(name)) await rm(join(FOLDER, name));
} finally {
  await browser.close();
  await server.stop();
  await rm(server.dataDir, { recursive: true, force: true });
}
