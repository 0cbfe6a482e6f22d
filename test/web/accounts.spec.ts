import { randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import type { Browser, Page } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { barriers, openBrowser, visit } from '../support/web/browser.ts';
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

  test('a password is changed, and another session ends', async () => {
    const { page, faults } = await visit(browser, server.url);
    await page.goto('/settings');
    await fillIn(page, ada);
    await page.getByText('Change the password').first().click();
    const next = randomUUID();
    const present = page
      .getByRole('region', { name: 'Password', exact: true })
      .getByLabel('Present password');
    await present.fill('not the password');
    await page.getByLabel('New password').fill(next);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').getByText('password is wrong').waitFor();
    await present.fill(ada.password);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('The password is changed.').waitFor();
    ada.password = next;
    expect(faults.filter((fault) => !isExpected(fault))).toEqual([]);
    await page.context().close();
  });

  test('another address is asked for, and stays unused until it is confirmed', async () => {
    const { page, faults } = await visit(browser, server.url);
    await page.goto('/settings');
    await fillIn(page, ada);
    await page.getByText('Change the address').first().click();
    await page.getByLabel('New e-mail address').fill('ada.elsewhere@example.org');
    await page.getByLabel('Present password').first().fill(ada.password);
    await page.getByRole('button', { name: 'Change the address' }).click();
    await page.getByText('A letter goes to ada.elsewhere@example.org.').waitFor();
    await page.reload();
    await page.getByText(ada.email).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a second factor is set up on the page, and a log-in asks for it', async () => {
    const { page, faults } = await visit(browser, server.url);
    await page.goto('/settings');
    await fillIn(page, ada);
    const begin = async (): Promise<string> => {
      const part = page.getByRole('region', { name: 'Second factor' });
      await part.getByLabel('Present password').fill(ada.password);
      // Whoever clicks twice begins once.
      await part.getByRole('button', { name: 'Set it up' }).dblclick();
      await part.getByRole('img', { name: 'QR code' }).waitFor();
      const link = await part.getByRole('link', { name: 'Open it in an app' }).getAttribute('href');
      const secret = (await part.locator('.secret').textContent())!.replaceAll(' ', '');
      expect(new URL(link!).searchParams.get('secret')).toBe(secret);
      return secret;
    };
    // A reload in between changes nothing: it begins anew, with another secret.
    const given = await begin();
    await page.reload();
    const secret = await begin();
    expect(secret).not.toBe(given);
    expect(await barriers(page)).toEqual([]);
    const code = page.getByLabel('Code of the app');
    await code.fill(TOTP.generate({ secret: Secret.fromBase32(given) }));
    await page.getByRole('button', { name: 'Turn it on' }).click();
    await page.getByRole('alert').getByText('The code is wrong').waitFor();
    await code.fill(TOTP.generate({ secret: Secret.fromBase32(secret) }));
    await page.getByRole('button', { name: 'Turn it on' }).dblclick();
    await page.getByText('they are not shown again').waitFor();
    expect(await barriers(page)).toEqual([]);
    const codes = await page.locator('.codes li').allTextContents();
    expect(new Set(codes).size).toBe(10);
    await page.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('It is on: a log-in needs a code').waitFor();

    const other = await visit(browser, server.url);
    await fillIn(other.page, ada);
    await other.page.getByText('This account has a second factor.').waitFor();
    await other.page.getByLabel('Code of your authenticator app').fill('000000');
    await other.page.getByRole('button', { name: 'Log in' }).click();
    await other.page.getByRole('alert').getByText('The code is wrong').waitFor();
    await other.page.getByLabel('Code of your authenticator app').fill(codes[0]!);
    await other.page.getByRole('button', { name: 'Log in' }).click();
    await other.page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();

    await other.page.getByRole('link', { name: 'Settings' }).click();
    const part = other.page.getByRole('region', { name: 'Second factor' });
    await part.getByText('Turn it off', { exact: true }).first().click();
    await part.getByLabel('Present password').fill(ada.password);
    await part.getByLabel('Code of your authenticator app').fill(codes[1]!);
    await part.getByRole('button', { name: 'Turn it off' }).click();
    await part.getByRole('button', { name: 'Set it up' }).waitFor();
    expect([...faults, ...other.faults].filter((fault) => !isExpected(fault))).toEqual([]);
  });

  test('a second factor whose recovery codes were lost on the way is on, and the page says so', async () => {
    const { page, faults } = await visit(browser, server.url);
    await page.goto('/settings');
    await fillIn(page, ada);
    const part = page.getByRole('region', { name: 'Second factor' });
    await part.getByLabel('Present password').fill(ada.password);
    await part.getByRole('button', { name: 'Set it up' }).click();
    const secret = (await part.locator('.secret').textContent())!.replaceAll(' ', '');
    // A code is good for one time, and the next one comes after 30 s.
    const code = (step: number) =>
      TOTP.generate({ secret: Secret.fromBase32(secret), timestamp: Date.now() + step * 30_000 });
    await page.route('**/v1/me/totp/confirm', async (route) => {
      await route.fetch();
      await route.abort('connectionreset');
      await page.unroute('**/v1/me/totp/confirm');
    });
    await part.getByLabel('Code of the app').fill(code(0));
    await part.getByRole('button', { name: 'Turn it on' }).click();
    await part.getByText('The recovery codes did not arrive.').waitFor();
    await part.getByText('Turn it off', { exact: true }).first().click();
    await part.getByLabel('Present password').fill(ada.password);
    await part.getByLabel('Code of your authenticator app').fill(code(1));
    await part.getByRole('button', { name: 'Turn it off' }).click();
    await part.getByRole('button', { name: 'Set it up' }).waitFor();
    const isAnswered = (fault: string) => /status of 40[139]/.test(fault);
    expect(faults.filter((fault) => !isAnswered(fault))).toEqual([]);
  });
});
