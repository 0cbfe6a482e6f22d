import { type TestApp, startApp } from '../support/stages/app.ts';
import { tokenOf } from '../support/journeys/account-letters.ts';
import { until } from '../../tools/until.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

test('Without a mail server, the log contains the link of the letter but not the address', async () => {
  const person = await app.register('applicant', 'Ada Lovelace');
  const link = () => app.lines().flatMap(({ link: found }) => (typeof found === 'string' ? [found] : []))[0];
  await until(() => link() !== undefined, 'the log line of the letter');
  const body = { token: tokenOf(link()!) };
  const confirmed = await app.ask('POST', '/v1/auth/email-verification/confirm', { body });
  expect(confirmed).toMatchObject({ status: 200, body: { emailVerified: true } });
  expect((await app.ask('GET', '/v1/me', { as: person })).body).toMatchObject({ emailVerified: true });
  expect(JSON.stringify(app.lines())).not.toContain(person.email);
});
