import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  VERIFICATION,
  invitationTo,
  lettersTo,
  linkIn,
  tokenOf,
} from '../support/journeys/account-letters.ts';
import { until } from '../../tools/until.ts';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';

let app: TestApp;
let mail: MailServer;
beforeAll(async () => {
  mail = await startMailServer();
  app = await startApp({
    SMTP_URL: mail.url,
    MAIL_FROM: 'Jobs <jobs@example.org>',
    SITE_URL: 'https://jobs.example.org/board',
    ERASURE_DELAY_HOURS: '0',
  });
}, 60_000);
afterAll(async () => {
  await app?.stop();
  await mail?.close();
});

const get = async (as: Person, path: string) => (await app.ask('GET', path, { as })).body;
const send = (method: string, path: string, as: Person | undefined, body?: unknown) =>
  app.ask(method, path, { as, body });
const codeOf = ({ status, body }: Answer) => [status, body['code']];
const done = { status: 200, body: { position: expect.any(String) } };
const newAddress = () => `${randomUUID()}@example.org`;

const invite = (owner: Person, email: string, role = 'recruiter', more = {}) =>
  send('POST', '/v1/company/invitations', owner, { email, role, ...more });
/** Invites an address; resolves with the token in its letter. */
async function invited(owner: Person, email = newAddress(), role?: string): Promise<string> {
  const answer = await invite(owner, email, role);
  if (answer.status !== 202) throw new Error(answer.text);
  const { name } = await get(owner, '/v1/company');
  return tokenOf(await linkIn(mail, email, invitationTo(String(name))));
}
const accept = (as: Person, token: string) => send('POST', '/v1/invitations/accept', as, { token });
/** A company with an owner and a teammate. */
async function team(role?: string) {
  const [owner, mate] = [await app.register('company', 'Acme'), await app.register('company', 'Grace')];
  const accepted = await accept(mate, await invited(owner, undefined, role));
  if (accepted.status !== 200) throw new Error(accepted.text);
  return { owner, mate };
}
const NOT_FOUND = [404, 'INVITATION_NOT_FOUND'];

describe('a company', () => {
  test('is there with the account, under its name, until it is renamed', async () => {
    const owner = await app.register('company', 'Acme');
    const { userId } = owner;
    const own = { companyId: userId, name: 'Acme', myRole: 'owner' };
    expect(await get(owner, '/v1/company')).toEqual(own);
    await send('PATCH', '/v1/me', owner, { displayName: 'Acme Ltd' });
    expect(await get(owner, '/v1/company')).toEqual({ ...own, name: 'Acme Ltd' });
    const renamed = await send('PATCH', '/v1/company', owner, { name: 'Acme Robotics' });
    expect(renamed).toMatchObject({ status: 200, body: { ...own, name: 'Acme Robotics' } });
    expect(renamed.body['position']).toEqual(expect.any(String));
    expect((await send('PATCH', '/v1/company', owner, {})).body['name']).toBe('Acme Robotics');
    expect(await get(owner, '/v1/company/members')).toEqual({
      data: [{ userId, displayName: 'Acme Ltd', role: 'owner', jobIds: null }],
      nextCursor: null,
    });
    for (const name of ['', ' ', null, 'x'.repeat(201)])
      expect((await send('PATCH', '/v1/company', owner, { name })).status).toBe(400);
  });

  test('is the same for all of its people, whom its owners alone change', async () => {
    const { owner, mate } = await team();
    expect(await get(mate, '/v1/company')).toEqual({
      companyId: owner.userId,
      name: 'Acme',
      myRole: 'recruiter',
    });
    const people = (await get(mate, '/v1/company/members'))['data'];
    expect(people).toEqual(
      [
        { userId: owner.userId, displayName: 'Acme', role: 'owner', jobIds: null },
        { userId: mate.userId, displayName: 'Grace', role: 'recruiter', jobIds: null },
      ].toSorted((a, b) => (a.userId < b.userId ? -1 : 1)),
    );
    const place = `/v1/company/members/${mate.userId}`;
    for (const [method, path, body] of [
      ['PATCH', '/v1/company', { name: 'Mine' }],
      ['PATCH', place, { role: 'owner' }],
      ['DELETE', `/v1/company/members/${owner.userId}`, undefined],
      ['POST', '/v1/company/invitations', { email: newAddress(), role: 'owner' }],
      ['GET', '/v1/company/invitations', undefined],
      ['DELETE', `/v1/company/invitations/${randomUUID()}`, undefined],
    ] as const)
      expect([path, ...codeOf(await send(method, path, mate, body))]).toEqual([
        path,
        403,
        'NOT_COMPANY_OWNER',
      ]);
    const jobIds = [randomUUID()];
    expect(await send('PATCH', place, owner, { role: 'viewer', jobIds })).toMatchObject(done);
    expect(await get(mate, '/v1/company')).toMatchObject({ myRole: 'viewer' });
    expect(await send('PATCH', place, owner, { jobIds: null })).toMatchObject(done);
    const [changed] = ((await get(owner, '/v1/company/members'))['data'] as { userId: string }[]).filter(
      ({ userId }) => userId === mate.userId,
    );
    expect(changed).toMatchObject({ role: 'viewer', jobIds: null });
  });

  test('pages its people', async () => {
    const { owner, mate } = await team();
    const first = await get(owner, '/v1/company/members?limit=1');
    expect(first['nextCursor']).toEqual(expect.any(String));
    const second = await get(owner, `/v1/company/members?limit=1&cursor=${String(first['nextCursor'])}`);
    expect(second['nextCursor']).toBeNull();
    const seen = [first, second].flatMap(({ data }) => data as { userId: string }[]);
    expect(seen.map(({ userId }) => userId)).toEqual([owner.userId, mate.userId].toSorted());
    expect((await app.ask('GET', '/v1/company/members?cursor=x', { as: owner })).status).toBe(400);
  });

  test('keeps an owner, and lets people go', async () => {
    const { owner, mate } = await team();
    const [its, mates] = [owner, mate].map(({ userId }) => `/v1/company/members/${userId}`) as [
      string,
      string,
    ];
    expect(codeOf(await send('DELETE', its, owner))).toEqual([409, 'LAST_OWNER']);
    expect(codeOf(await send('PATCH', its, owner, { role: 'viewer' }))).toEqual([409, 'LAST_OWNER']);
    expect(await send('PATCH', mates, owner, { role: 'owner' })).toMatchObject(done);
    expect(await send('DELETE', its, owner)).toMatchObject(done);
    expect(codeOf(await send('GET', '/v1/company', owner))).toEqual([404, 'COMPANY_NOT_FOUND']);
    expect(await get(mate, '/v1/company')).toMatchObject({ companyId: owner.userId, myRole: 'owner' });
    // Its founder can come back.
    expect((await accept(owner, await invited(mate))).status).toBe(200);
    expect(await send('DELETE', mates, mate)).toMatchObject({ status: 409 });
    expect(await send('PATCH', its, mate, { role: 'owner' })).toMatchObject(done);
    expect(await send('DELETE', mates, mate)).toMatchObject(done);
    expect(await get(mate, '/v1/company')).toEqual({
      companyId: mate.userId,
      name: 'Grace',
      myRole: 'owner',
    });
    expect(codeOf(await send('DELETE', mates, owner))).toEqual([404, 'MEMBER_NOT_FOUND']);
  });

  test('is left by somebody who is erased', async () => {
    const { owner, mate } = await team();
    const erase = async (person: Person) => {
      const asked = await send('DELETE', '/v1/me', person, { password: person.password });
      if (asked.status !== 202) throw new Error(asked.text);
    };
    const people = async () =>
      ((await get(owner, '/v1/company/members'))['data'] as { userId: string }[]).map(({ userId }) => userId);
    expect(await people()).toHaveLength(2);
    await erase(mate);
    await until(async () => (await people()).join() === owner.userId, 'the erased person to leave');
  });

  test('is hidden from others: neither people nor invitations of another one can be touched', async () => {
    const [{ mate }, rival] = [await team(), await app.register('company', 'Rival')];
    const theirs = await invite(rival, newAddress());
    const { owner } = await team();
    const invitation = `/v1/company/invitations/${String(theirs.body['invitationId'])}`;
    expect(codeOf(await send('DELETE', invitation, owner))).toEqual(NOT_FOUND);
    for (const [method, body] of [
      ['PATCH', { role: 'viewer' }],
      ['DELETE', undefined],
    ] as const)
      expect(codeOf(await send(method, `/v1/company/members/${mate.userId}`, owner, body))).toEqual([
        ...[404, 'MEMBER_NOT_FOUND'],
      ]);
    expect((await get(rival, '/v1/company/invitations'))['data']).toHaveLength(1);
  });
});

describe('an invitation', () => {
  test('goes to the address in a letter that says who invites, and leads to a page that says it too', async () => {
    const owner = await app.register('company', 'Acme');
    const email = newAddress();
    const { status, body } = await invite(owner, ` ${email.toUpperCase()}`, 'interviewer');
    expect([status, Object.keys(body)]).toEqual([202, ['invitationId']]);
    const link = await linkIn(mail, email, invitationTo('Acme'));
    expect(link.startsWith(`${app.url.replace(/\/$/, '')}/v1/invitations?token=`)).toBe(true);
    expect(lettersTo(mail, email)[0]!.mail.text).toContain('in the role of interviewer');
    const page = await fetch(`${link}&utm_source=mail`, { headers: { accept: 'text/html' } });
    const html = await page.text();
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(html).toContain('<b><bdi>Acme</bdi></b> invites you to its team, in the role of interviewer.');
    expect(html).toContain(`href="https://jobs.example.org/board#invitation=${tokenOf(link)}"`);
    // Opening the page accepts nothing.
    const [open] = (await get(owner, '/v1/company/invitations'))['data'] as Record<string, unknown>[];
    expect(open).toEqual({
      ...{ invitationId: body['invitationId'], email, role: 'interviewer', jobIds: null },
      expiresAt: expect.any(String),
    });
    const days = (Date.parse(String(open!['expiresAt'])) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.9);
    expect(days).toBeLessThanOrEqual(7);
  });

  test('answers alike for a known and an unknown address, and writes to both', async () => {
    const [owner, known] = [await app.register('company', 'Acme'), await app.register('applicant', 'Ada')];
    const answers = [await invite(owner, known.email), await invite(owner, newAddress())];
    const shapes = answers.map(({ status, body }) => [status, Object.keys(body)]);
    expect(shapes[0]).toEqual(shapes[1]);
    await linkIn(mail, known.email, invitationTo('Acme'));
  });

  test('works once, and again for the one who has joined', async () => {
    const [owner, mate, other] = [
      await app.register('company', 'Acme'),
      await app.register('company'),
      await app.register('company'),
    ];
    const token = await invited(owner);
    for (let times = 0; times < 2; times += 1)
      expect(await accept(mate, token)).toMatchObject({
        status: 200,
        body: { companyId: owner.userId, position: expect.any(String) },
      });
    expect(codeOf(await accept(other, token))).toEqual(NOT_FOUND);
    expect((await get(owner, '/v1/company/invitations'))['data']).toEqual([]);
    const page = `/v1/invitations?token=${token}`;
    const shown = await fetch(new URL(page, app.url), { headers: { accept: 'text/html' } });
    expect([shown.status, await shown.text()]).toEqual([404, expect.stringContaining('was used')]);
    expect(codeOf(await app.ask('GET', page))).toEqual(NOT_FOUND);
  });

  test('ends when it is revoked, and when the person is removed', async () => {
    const [owner, mate] = [await app.register('company', 'Acme'), await app.register('company')];
    const email = newAddress();
    const first = await invited(owner, email);
    const [open] = (await get(owner, '/v1/company/invitations'))['data'] as { invitationId: string }[];
    const path = `/v1/company/invitations/${open!.invitationId}`;
    expect(await send('DELETE', path, owner)).toMatchObject(done);
    expect(codeOf(await send('DELETE', path, owner))).toEqual(NOT_FOUND);
    expect(codeOf(await accept(mate, first))).toEqual(NOT_FOUND);
    const second = await invited(owner);
    expect((await accept(mate, second)).status).toBe(200);
    expect(await send('DELETE', `/v1/company/members/${mate.userId}`, owner)).toMatchObject(done);
    expect(codeOf(await accept(mate, second))).toEqual(NOT_FOUND);
    expect(await get(mate, '/v1/company')).toMatchObject({ companyId: mate.userId });
  });

  test('is refused to those who have something to lose, and to applicants', async () => {
    const [owner, busy] = [await app.register('company', 'Acme'), await app.register('company', 'Busy')];
    const token = await invited(owner);
    const posted = await send('POST', '/v1/jobs', busy, { title: 'Stoker', description: 'Stokes' });
    expect(posted.status).toBe(201);
    expect(codeOf(await accept(busy, token))).toEqual([409, 'COMPANY_NOT_EMPTY']);
    const { owner: crowded, mate } = await team();
    for (const each of [crowded, mate])
      expect(codeOf(await accept(each, token))).toEqual([409, 'COMPANY_NOT_EMPTY']);
    const applicant = await app.register('applicant');
    expect(codeOf(await accept(applicant, token))).toEqual([403, 'ROLE_NOT_ALLOWED']);
    expect((await accept(await app.register('company'), token)).status).toBe(200);
  });

  test('is in the export of the person whose address it has, and so is the company after it', async () => {
    const [owner, mate] = [await app.register('company', 'Acme'), await app.register('company')];
    const exported = async (kind: string) => {
      const { text } = await app.ask('GET', '/v1/privacy/export', { as: mate });
      const lines = text.trim().split('\n');
      return lines.map((line) => JSON.parse(line) as { kind: string }).filter((line) => line.kind === kind);
    };
    const token = await invited(owner, mate.email, 'viewer');
    expect(await exported('invitation')).toMatchObject([{ companyId: owner.userId }]);
    const { position } = (await accept(mate, token)).body;
    await app.ask('GET', '/v1/jobs', { as: mate, headers: { 'x-min-position': String(position) } });
    expect(await exported('invitation')).toEqual([]);
    expect(await exported('company')).toMatchObject([
      { companyId: owner.userId, role: 'viewer', jobIds: null },
    ]);
  });

  test('is made once for each idempotency key', async () => {
    const owner = await app.register('company', 'Acme');
    const headers = { 'idempotency-key': randomUUID() };
    const body = { email: newAddress(), role: 'viewer' };
    const ask = () => app.ask('POST', '/v1/company/invitations', { as: owner, body, headers });
    const [first, again] = [await ask(), await ask()];
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  test('is refused for an address that has had three letters in an hour', async () => {
    const owner = await app.register('company', 'Acme');
    const email = newAddress();
    for (let times = 0; times < 3; times += 1) expect((await invite(owner, email)).status).toBe(202);
    const refused = await invite(owner, email);
    expect(codeOf(refused)).toEqual([429, 'RATE_LIMITED']);
    expect(refused.headers.get('ratelimit-policy')).toBe('"invitation-letters";q=3;w=3600');
    expect((await get(owner, '/v1/company/invitations'))['data']).toHaveLength(1);
  });

  test.each([
    [{ role: 'recruiter' }],
    [{ email: 'nobody', role: 'recruiter' }],
    [{ email: 'grace@example.org' }],
    [{ email: 'grace@example.org', role: 'admin' }],
    [{ email: 'grace@example.org', role: 'viewer', jobIds: ['x'] }],
    [{ email: 'grace@example.org', role: 'viewer', companyId: randomUUID() }],
  ])('is refused without a place that exists: %j', async (body) => {
    const owner = await app.register('company');
    expect(codeOf(await send('POST', '/v1/company/invitations', owner, body))).toEqual([400, 'BAD_REQUEST']);
  });
});

describe('a registration with an invitation', () => {
  const register = (email: string, invitation: unknown, role = 'company') =>
    send('POST', '/v1/auth/register', undefined, {
      ...{ role, email, password: 'correct horse battery staple', displayName: 'Grace', invitation },
    });
  const logIn = (email: string) =>
    app.logIn({
      ...{ userId: '', email, password: 'correct horse battery staple', accessToken: '', refreshToken: '' },
    });

  test('joins at once, and proves the address that the letter went to', async () => {
    const owner = await app.register('company', 'Acme');
    const email = newAddress();
    const { status, body } = await register(email, await invited(owner, email));
    expect([status, body['companyId']]).toEqual([201, owner.userId]);
    const grace = await logIn(email);
    expect(await get(grace, '/v1/company')).toMatchObject({ companyId: owner.userId, myRole: 'recruiter' });
    expect(await get(grace, '/v1/me')).toMatchObject({ emailVerified: true });
    expect(lettersTo(mail, email).map((letter) => letter.mail.subject)).toEqual([invitationTo('Acme')]);
  });

  test('with another address joins too, and has to prove its address', async () => {
    const owner = await app.register('company', 'Acme');
    const token = await invited(owner);
    const email = newAddress();
    expect((await register(email, token)).body['companyId']).toBe(owner.userId);
    await linkIn(mail, email, VERIFICATION);
    expect(await get(await logIn(email), '/v1/me')).toMatchObject({ emailVerified: false });
  });

  test('is refused before there is an account, when the invitation is not open', async () => {
    const owner = await app.register('company', 'Acme');
    const token = await invited(owner);
    await accept(await app.register('company'), token);
    const email = newAddress();
    for (const wrong of ['', 'none', token]) expect(codeOf(await register(email, wrong))).toEqual(NOT_FOUND);
    const unused = await register(email, await invited(owner), 'applicant');
    expect(codeOf(unused)).toEqual([400, 'BAD_REQUEST']);
    expect(unused.body['errors']).toMatchObject([{ pointer: '/invitation' }]);
    const without = await register(email, null);
    expect([without.status, without.body['companyId']]).toEqual([201, undefined]);
  });

  test('that was interrupted is made good by accepting', async () => {
    const owner = await app.register('company', 'Acme');
    const email = newAddress();
    const token = await invited(owner, email);
    expect((await register(email, undefined)).status).toBe(201);
    expect(codeOf(await register(email, token))).toEqual([409, 'EMAIL_TAKEN']);
    expect((await accept(await logIn(email), token)).status).toBe(200);
  });
});

test('The log and the lines of the server hold neither an address nor a token of an invitation', async () => {
  const owner = await app.register('company', 'Acme');
  const email = newAddress();
  const token = await invited(owner, email);
  const database = new pg.Client({ connectionString: app.databaseUrl });
  await database.connect();
  const { rows } = await database.query<{ row: string }>(
    `select e::text as row from events e where stream = $1`,
    [`company-${owner.userId}`],
  );
  await database.end();
  expect(rows).toHaveLength(1);
  const written = rows.map(({ row }) => row).join() + JSON.stringify(app.lines());
  expect(written).not.toContain(email);
  expect(written).not.toContain(token);
});
