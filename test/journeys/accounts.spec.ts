import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  ADDRESS_CHANGE,
  RESET,
  VERIFICATION,
  confirmAddress,
  lettersTo,
  linkIn,
  pressButton,
  tokenOf,
} from '../support/journeys/account-letters.ts';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { until } from '../../tools/until.ts';

let app: TestApp;
let mail: MailServer;
let database: pg.Client;
beforeAll(async () => {
  mail = await startMailServer();
  app = await startApp({ SMTP_URL: mail.url, MAIL_FROM: 'Jobs <jobs@example.org>' });
  database = new pg.Client({ connectionString: app.databaseUrl });
  await database.connect();
}, 60_000);
afterAll(async () => {
  await database?.end();
  await app?.stop();
  await mail?.close();
});

const post = (path: string, body: unknown, as?: Person) => app.ask('POST', path, { as, body });
const confirm = (token: string) => post('/v1/auth/email-verification/confirm', { token });
const confirmReset = (token: string, password: string) =>
  post('/v1/auth/password-reset/confirm', { token, password });
const forgot = (email: string) => post('/v1/auth/password-reset', { email });
const me = async (as: Person) => (await app.ask('GET', '/v1/me', { as })).body;
const codeOf = ({ status, body }: Answer) => [status, body['code']];
const canLogIn = async (email: string, password: string) =>
  (await post('/v1/auth/login', { email, password })).status === 200;

/** Registers an address and logs in. */
async function newcomer(
  email = `${randomUUID()}@example.org`,
  { displayName = 'Ada Lovelace', role = 'applicant' } = {},
): Promise<Person> {
  const password = randomUUID();
  const registered = await post('/v1/auth/register', { role, email, password, displayName });
  if (registered.status !== 201) throw new Error(registered.text);
  return app.logIn({ userId: '', email, password, accessToken: '', refreshToken: '' });
}
async function proved(role?: 'company'): Promise<Person> {
  const person = await newcomer(undefined, { role });
  await confirmAddress(mail, person.email);
  return person;
}
/** Makes all letters to an address older by `span`. */
const passes = (address: string, span: string) =>
  database.query('update account_letters set written_at = written_at - $2::interval where address = $1', [
    address,
    span,
  ]);

describe('an e-mail address', () => {
  test.each([
    ['u@xn--80akhbyknj4f.xn--p1ai', 'u@испытание.рф', 'u@xn--80akhbyknj4f.xn--p1ai'],
    ['u@bücher.example', 'U@XN--BCHER-KVA.example', 'u@xn--bcher-kva.example'],
    ['r&d@example.test', ' R&D@example.test', 'r&d@example.test'],
  ])('%s registers, can also log in as %s, and receives mail', async (email, otherwise, kept) => {
    const person = await newcomer(email);
    expect(await canLogIn(otherwise, person.password)).toBe(true);
    expect(await me(person)).toMatchObject({ email: kept, emailVerified: false });
    await linkIn(mail, kept, VERIFICATION);
    expect(lettersTo(mail, kept)[0]!.raw).toContain(`\r\nTo: ${kept}\r\n`);
    expect(codeOf(await post('/v1/auth/register', { ...person, email: otherwise }))[0]).toBe(400);
    const again = { role: 'company', email: otherwise, password: randomUUID(), displayName: 'Bob' };
    expect(codeOf(await post('/v1/auth/register', again))).toEqual([409, 'EMAIL_TAKEN']);
  });

  test('is confirmed by the button on the page behind the link, and by no GET', async () => {
    const person = await newcomer();
    const link = `${await linkIn(mail, person.email, VERIFICATION)}&utm_source=mail&utm_medium=email`;
    for (let scans = 0; scans < 3; scans += 1) expect((await fetch(link)).status).toBe(200);
    expect(await me(person)).toMatchObject({ emailVerified: false });
    const { page, status, headers, text } = await pressButton(link);
    expect(page).not.toContain('<script');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(text).toContain('Your address is confirmed');
    expect(await me(person)).toMatchObject({
      emailVerified: true,
      email: person.email,
      features: ['private-conversations', 'hiring-teams'],
    });
  });

  test('can be confirmed twice, and gets no further letter then', async () => {
    const person = await newcomer();
    const token = tokenOf(await linkIn(mail, person.email, VERIFICATION));
    for (let times = 0; times < 2; times += 1)
      expect(await confirm(token)).toMatchObject({ status: 200, body: { emailVerified: true } });
    expect((await post('/v1/auth/email-verification', undefined, person)).body).toEqual({ sent: false });
  });

  test('is not confirmed by a forged token, a token of another kind or a token for another address', async () => {
    const person = await newcomer();
    const token = tokenOf(await linkIn(mail, person.email, VERIFICATION));
    const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    const bob = await proved();
    await forgot(bob.email);
    const reset = tokenOf(await linkIn(mail, bob.email, RESET));
    for (const wrong of ['', 'x', forged, reset, `${token}.x`])
      expect(codeOf(await confirm(wrong))).toEqual([400, 'TOKEN_INVALID']);
    const email = `${randomUUID()}@example.org`;
    const change = { email, password: person.password };
    expect((await app.ask('PUT', '/v1/me/email', { as: person, body: change })).status).toBe(202);
    expect(await confirm(tokenOf(await linkIn(mail, email, VERIFICATION)))).toMatchObject({ status: 200 });
    expect(codeOf(await confirm(token))).toEqual([400, 'TOKEN_INVALID']);
    expect(await me(person)).toMatchObject({ email, emailVerified: true });
  });

  test('answers an invalid link with a page for browsers and a problem for programs', async () => {
    const link = `${app.url}/v1/auth/email-verification/confirm?token=none`;
    const page = await fetch(link, { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([400, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('The link is invalid or has expired');
    const problem = await app.ask('GET', new URL(link).pathname + new URL(link).search);
    expect(codeOf(problem)).toEqual([400, 'TOKEN_INVALID']);
  });

  test('can have its letter resent three times an hour, with at most three letters a day', async () => {
    const person = await newcomer();
    const again = () => post('/v1/auth/email-verification', undefined, person);
    for (const sent of [true, true, false])
      expect(await again()).toMatchObject({ status: 202, body: { sent } });
    const refused = await again();
    expect(codeOf(refused)).toEqual([429, 'RATE_LIMITED']);
    expect(refused.headers.get('ratelimit-policy')).toBe('"verification-letters";q=3;w=3600');
    await linkIn(mail, person.email, VERIFICATION, 3);
    expect(lettersTo(mail, person.email)).toHaveLength(3);
  });
});

describe('an unverified address', () => {
  test('receives only verification letters, which contain no text chosen by others', async () => {
    const words = 'Visit https://evil.example';
    const title = 'Win a prize at evil.example';
    const company = await proved('company');
    const victim = `${randomUUID()}@example.org`;
    const person = await newcomer(victim, { displayName: words });
    const job = await post('/v1/jobs', { title, description: words }, company);
    const { jobId, groupId } = job.body;
    const applied = await post(`/v1/jobs/${String(jobId)}/applications`, {}, person);
    expect(applied.status).toBe(201);
    const { applicationId } = applied.body;
    // A verified address is notified.
    await until(() => lettersTo(mail, company.email).some((letter) => letter.mail.text?.includes(title)));
    await app.ask('PATCH', `/v1/applications/${String(applicationId)}`, {
      as: company,
      body: { status: 'interview', reason: words },
    });
    const said = { clientMsgId: randomUUID(), text: words };
    expect((await post(`/v1/groups/${String(groupId)}/messages`, said, company)).status).toBe(201);
    await forgot(victim);
    await until(async () => {
      const { rows } = await database.query<{ kind: string }>(
        `select kind from notifications where recipient_id = $1 and outcome = 'no-address' order by kind`,
        [person.userId],
      );
      return rows.map(({ kind }) => kind).join() === 'application-status,message';
    }, 'the notifications to be settled without a mail');
    await linkIn(mail, victim, VERIFICATION, 2);
    const letters = lettersTo(mail, victim);
    expect(letters.map((letter) => letter.mail.subject)).toEqual([VERIFICATION, VERIFICATION]);
    for (const { raw, mail: letter } of letters) {
      expect(raw + (letter.text ?? '') + String(letter.html)).not.toMatch(/evil|Visit|prize/i);
      expect(raw).not.toMatch(/^List-Unsubscribe/m);
      expect(letter.to).toMatchObject({ value: [{ address: victim, name: '' }] });
    }
  });

  test('receives at most three letters a day, regardless of who requests them', async () => {
    const victim = `${randomUUID()}@example.org`;
    const person = await newcomer(victim);
    await post('/v1/auth/email-verification', undefined, person);
    for (let asked = 0; asked < 4; asked += 1) expect((await forgot(victim)).status).toBe(202);
    for (let others = 0; others < 2; others += 1) {
      const other = await newcomer();
      await app.ask('PUT', '/v1/me/email', { as: other, body: { email: victim, password: other.password } });
    }
    await until(async () => {
      const { rows } = await database.query<{ left: number }>(
        `select count(*)::int as left from notification_batches b join account_letters l on l.letter_id = b.batch_id
         where l.address = $1 and b.done_at is null`,
        [victim],
      );
      return rows[0]!.left === 0;
    }, 'everything to be sent or settled');
    expect(lettersTo(mail, victim).map((letter) => letter.mail.subject)).toEqual(Array(3).fill(VERIFICATION));
  });
});

describe('a password reset', () => {
  test('sets the password on the page behind the link and ends every session', async () => {
    const person = await proved();
    const other = await app.logIn(person);
    expect(await forgot(person.email.toUpperCase())).toMatchObject({ status: 202, body: {} });
    const link = `${await linkIn(mail, person.email, RESET)}&utm_source=mail`;
    expect((await fetch(link)).status).toBe(200);

    const refused = await pressButton(link, { password: 'password123' });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('Too common');
    expect(refused.text).toContain('<form method="post"');
    expect((await pressButton(link, { password: person.email })).text).toContain('Too easy to guess');

    const password = 'ein völlig neues Wort';
    expect((await pressButton(link, { password })).text).toContain('Your password is changed');
    for (const session of [person, other])
      expect(codeOf(await app.ask('GET', '/v1/me', { as: session }))).toEqual([401, 'TOKEN_REVOKED']);
    expect(await canLogIn(person.email, person.password)).toBe(false);
    expect(await canLogIn(person.email, password)).toBe(true);
    const again = await fetch(link, { headers: { accept: 'text/html' } });
    expect(again.status).toBe(400);
    expect(await again.text()).toContain('The link is invalid or has expired');
  });

  test('succeeds once, also for concurrent requests, and invalidates all earlier tokens', async () => {
    const person = await proved();
    for (let letters = 0; letters < 2; letters += 1) await forgot(person.email);
    const tokens = [
      tokenOf(await linkIn(mail, person.email, RESET, 1)),
      tokenOf(await linkIn(mail, person.email, RESET, 2)),
    ];
    const answers = await Promise.all(
      [0, 1, 0, 1, 0, 1].map((n) => confirmReset(tokens[n]!, `${randomUUID()} ${n}`)),
    );
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([204, 400, 400, 400, 400, 400]);
    for (const token of tokens)
      expect(codeOf(await confirmReset(token, randomUUID()))).toEqual([400, 'TOKEN_INVALID']);
  });

  test('rejects a token after 30 minutes, after another change, or for a former address', async () => {
    const person = await proved();
    await forgot(person.email);
    const token = tokenOf(await linkIn(mail, person.email, RESET));
    await passes(person.email, '30 minutes');
    expect(codeOf(await confirmReset(token, randomUUID()))).toEqual([400, 'TOKEN_INVALID']);
    await passes(person.email, '-29 minutes');
    const body = { currentPassword: person.password, newPassword: randomUUID() };
    expect((await app.ask('PUT', '/v1/me/password', { as: person, body })).status).toBe(204);
    expect(codeOf(await confirmReset(token, randomUUID()))).toEqual([400, 'TOKEN_INVALID']);

    const email = `${randomUUID()}@example.org`;
    await forgot(person.email);
    const late = tokenOf(await linkIn(mail, person.email, RESET, 2));
    await app.ask('PUT', '/v1/me/email', { as: person, body: { email, password: body.newPassword } });
    await confirmAddress(mail, email);
    expect(codeOf(await confirmReset(late, randomUUID()))).toEqual([400, 'TOKEN_INVALID']);
  });

  test('gives the same answer for an unknown address, which gets no mail; a known one gets three letters an hour', async () => {
    const person = await proved();
    const unknown = `${randomUUID()}@example.org`;
    const answers: Record<string, Answer[]> = { [person.email]: [], [unknown]: [] };
    for (let asked = 0; asked < 5; asked += 1)
      for (const email of [person.email, unknown]) answers[email]!.push(await forgot(email));
    const seen = (email: string) =>
      answers[email]!.map(({ status, text, headers }) => [status, text, [...headers.keys()].toSorted()]);
    expect(seen(unknown)).toEqual(seen(person.email));
    await linkIn(mail, person.email, RESET, 3);
    const { rows } = await database.query<{ address: string; letters: number }>(
      `select address, count(*)::int as letters from account_letters
       where kind = 'password-reset' and address = any ($1) group by address`,
      [[person.email, unknown]],
    );
    expect(new Set(rows.map(({ letters }) => letters))).toEqual(new Set([3]));
    expect(rows).toHaveLength(2);
    expect(lettersTo(mail, person.email).filter((letter) => letter.mail.subject === RESET)).toHaveLength(3);
    expect(lettersTo(mail, unknown)).toEqual([]);
  });
});

describe('an account', () => {
  test('changes its password given the current one, and ends every other session', async () => {
    const person = await newcomer();
    const other = await app.logIn(person);
    const change = (currentPassword: string, newPassword: string) =>
      app.ask('PUT', '/v1/me/password', { as: person, body: { currentPassword, newPassword } });
    expect(codeOf(await change('not the password', randomUUID()))).toEqual([403, 'BAD_CREDENTIALS']);
    const faults = { errors: [{ pointer: '/newPassword' }] };
    expect(await change(person.password, 'password123')).toMatchObject({ status: 400, body: faults });
    expect(await change(person.password, person.email)).toMatchObject({ status: 400, body: faults });
    const password = 'noch ein völlig neues Wort';
    expect((await change(person.password, password)).status).toBe(204);
    expect(await me(person)).toMatchObject({ id: person.userId });
    expect(codeOf(await app.ask('GET', '/v1/me', { as: other }))).toEqual([401, 'TOKEN_REVOKED']);
    expect(codeOf(await change(person.password, randomUUID()))).toEqual([403, 'BAD_CREDENTIALS']);
    expect(await canLogIn(person.email, password)).toBe(true);
  });

  test('changes its address once the new one is confirmed, and notifies the current one', async () => {
    const person = await proved();
    const email = `${randomUUID()}@example.org`;
    const change = (body: object) => app.ask('PUT', '/v1/me/email', { as: person, body });
    expect(codeOf(await change({ email, password: 'not the password' }))).toEqual([403, 'BAD_CREDENTIALS']);
    const taken = (await newcomer()).email;
    expect(codeOf(await change({ email: taken, password: person.password }))).toEqual([409, 'EMAIL_TAKEN']);
    expect(await change({ email, password: person.password })).toMatchObject({ status: 202 });
    await until(() => lettersTo(mail, person.email).some((each) => each.mail.subject === ADDRESS_CHANGE));
    expect(await me(person)).toMatchObject({ email: person.email, emailVerified: true });
    expect(await canLogIn(email, person.password)).toBe(false);
    await confirmAddress(mail, email);
    expect(await me(person)).toMatchObject({ email, emailVerified: true });
    expect(await canLogIn(email, person.password)).toBe(true);
    expect(await canLogIn(person.email, person.password)).toBe(false);
    await newcomer(person.email);
  });

  test('keeps its address when the change is withdrawn or another account registers the new one first', async () => {
    const person = await proved();
    const [first, second] = [`${randomUUID()}@example.org`, `${randomUUID()}@example.org`];
    const change = (email: string) =>
      app.ask('PUT', '/v1/me/email', { as: person, body: { email, password: person.password } });
    await change(first);
    const token = tokenOf(await linkIn(mail, first, VERIFICATION));
    expect((await change(person.email)).status).toBe(202);
    expect(codeOf(await confirm(token))).toEqual([400, 'TOKEN_INVALID']);
    await change(second);
    const late = tokenOf(await linkIn(mail, second, VERIFICATION));
    await newcomer(second);
    expect(codeOf(await confirm(late))).toEqual([409, 'EMAIL_TAKEN']);
    expect(await me(person)).toMatchObject({ email: person.email, emailVerified: true });
  });

  test('lists its sessions and ends one of them', async () => {
    const person = await newcomer();
    const body = { email: person.email, password: person.password };
    await app.ask('POST', '/v1/auth/login', { body, headers: { 'user-agent': `Fon/1 ${'x'.repeat(300)}` } });
    const list = async () =>
      (await app.ask('GET', '/v1/me/sessions', { as: person })).body['data'] as Record<string, unknown>[];
    const [phone, own] = await list();
    expect(phone).toEqual({
      sessionId: expect.any(String),
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      lastUsedAt: phone!['createdAt'],
      userAgent: `Fon/1 ${'x'.repeat(194)}`,
      current: false,
    });
    expect(own).toMatchObject({ current: true });
    const refreshed = await post('/v1/auth/refresh', { refreshToken: person.refreshToken });
    expect(refreshed.status).toBe(200);
    const [newest] = await list();
    expect(newest!['sessionId']).toBe(own!['sessionId']);
    expect(String(newest!['lastUsedAt']) > String(newest!['createdAt'])).toBe(true);

    const end = (sessionId: unknown, as: Person) =>
      app.ask('DELETE', `/v1/me/sessions/${String(sessionId)}`, { as });
    const stranger = await newcomer();
    for (const [id, as] of [
      [phone!['sessionId'], stranger],
      [randomUUID(), person],
    ] as const)
      expect(codeOf(await end(id, as))).toEqual([404, 'SESSION_NOT_FOUND']);
    expect((await end('x', person)).status).toBe(400);
    expect((await end(phone!['sessionId'], person)).status).toBe(204);
    expect(codeOf(await end(phone!['sessionId'], person))).toEqual([404, 'SESSION_NOT_FOUND']);
    expect(await list()).toHaveLength(1);
    expect((await end(own!['sessionId'], person)).status).toBe(204);
    expect(codeOf(await app.ask('GET', '/v1/me', { as: person }))).toEqual([401, 'TOKEN_REVOKED']);
  });
});

test('Neither the server log nor the event log contains addresses or tokens', async () => {
  const { rows } = await database.query<{ text: string }>('select e::text as text from events e');
  const written = JSON.stringify(app.lines()) + rows.map(({ text }) => text).join('\n');
  expect(mail.mails.length).toBeGreaterThan(10);
  for (const { to, mail: letter } of mail.mails) {
    expect(written).not.toContain(to[0]);
    const token = /\?token=(\S+)/.exec(letter.text ?? '')?.[1];
    if (token !== undefined) expect(written).not.toContain(token);
  }
});
