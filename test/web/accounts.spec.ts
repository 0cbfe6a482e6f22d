import { Secret, TOTP } from 'otpauth';
import type { Browser, Page } from 'playwright-core';
import { call, logIn } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { openBrowser, visit } from '../support/web/browser.ts';
import { type Someone, signUp } from '../support/web/people.ts';

/** Refused log-ins and ended sessions are 401, which the browser reports as well. */
const isExpected = (fault: string) => /status of 40[13]/.test(fault);

describe('On the pages of an account', () => {
  let server: ServerProcess;
  let browser: Browser;
  let ada: Someone;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => expect(ada.faults.filter((fault) => !isExpected(fault))).toEqual([]));

  async function fillIn(page: Page, { email, password }: { email: string; password: string }): Promise<void> {
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  test('a name is changed, and what one is told of', async () => {
    const { page } = ada;
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('Your address is not confirmed.').waitFor();
    await page.getByRole('button', { name: 'Send the letter again' }).click();
    await page.getByText('The letter is on its way.').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await page.getByRole('button', { name: 'Save' }).first().click();
    await page.getByText('Saved').waitFor();
    await page.getByLabel('Letters about new messages').click();
    await page.getByText('Saved').nth(1).waitFor();
    await page.reload();
    await page.getByLabel('Letters about new messages').waitFor();
    expect(await page.getByLabel('Letters about new messages').isChecked()).toBe(false);
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Ada Lovelace');
  });

  test('a wrong password is told as such, and the right one leads to where one wanted to go', async () => {
    const { page, faults } = await visit(browser, server.url);
    await page.goto('/settings');
    await fillIn(page, { ...ada, password: 'not the password' });
    await page.getByRole('alert').getByText('The address or the password is wrong.').waitFor();
    await fillIn(page, ada);
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    expect(faults.filter((fault) => !isExpected(fault))).toEqual([]);
  });

  test('a session is ended from another browser', async () => {
    const other = await visit(browser, server.url);
    await fillIn(other.page, ada);
    await other.page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    const { page } = ada;
    await page.reload();
    const ends = page.getByRole('button', { name: /^End the session/ });
    await ends.first().waitFor();
    for (let left = await ends.count(); left > 0; left -= 1) {
      await ends.first().click();
      await ends.nth(left - 1).waitFor({ state: 'detached' });
    }
    await other.page.getByRole('button', { name: 'Log in' }).waitFor();
    expect(other.faults.filter((fault) => !isExpected(fault))).toEqual([]);
  });

  test('a forgotten password is asked for, and the answer does not tell whether the address is known', async () => {
    const { page, faults } = await visit(browser, server.url);
    await page.getByRole('link', { name: 'Forgotten your password?' }).click();
    await page.getByLabel('E-mail address').fill('nobody@example.org');
    await page.getByRole('button', { name: 'Send the letter' }).click();
    await page.getByText('The letter is on its way').waitFor();
    expect(faults).toEqual([]);
  });

  test('one logs out, in all tabs', async () => {
    const { page } = ada;
    const tab = await page.context().newPage();
    await tab.goto('/jobs');
    await tab.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    await page.goto('/settings');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await tab.getByRole('button', { name: 'Log in' }).waitFor();
  });

  test('a second factor is asked for when the account has one', async () => {
    const { accessToken: token } = await logIn(server.url, ada.email, ada.password);
    const body = { password: ada.password };
    const { secret } = await call<{ secret: string }>(server.url, 'POST', '/v1/me/totp', { token, body });
    const code = TOTP.generate({ secret: Secret.fromBase32(secret) });
    const { recoveryCodes } = await call<{ recoveryCodes: string[] }>(
      server.url,
      'POST',
      '/v1/me/totp/confirm',
      { token, body: { code } },
    );
    const { page, faults } = await visit(browser, server.url);
    await fillIn(page, ada);
    await page.getByText('This account has a second factor.').waitFor();
    await page.getByLabel('Code of your authenticator app').fill('000000');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('alert').getByText('The code is wrong').waitFor();
    await page.getByLabel('Code of your authenticator app').fill(recoveryCodes[0]!);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    expect(faults.filter((fault) => !isExpected(fault))).toEqual([]);
  });
});
