import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { openBrowser, visit } from '../support/web/browser.ts';
import { type Someone, applyFor, message, postJob, say, signUp, writing } from '../support/web/people.ts';

const isExpected = (fault: string) => /status of 40[34]/.test(fault);

describe('The pages of a team', () => {
  let server: ServerProcess;
  let browser: Browser;
  let acme: Someone;
  let ada: Someone;
  let job: string;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer({ env: { THREAD_REPLY_DAYS: '0' } }), openBrowser()]);
    acme = await signUp(browser, server.url, 'company', 'Acme');
    await postJob(acme.page, 'Gardener', 'private');
    await postJob(acme.page, 'Baker', 'private');
    job = new URL(acme.page.url()).pathname;
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    await applyFor(ada.page, 'Baker', 'I bake bread.');
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => expect([...acme.faults, ...ada.faults].filter((fault) => !isExpected(fault))).toEqual([]));

  const letters = () => [...server.output().matchAll(/"link":"([^"]*\/v1\/invitations\?token=[^"]*)"/g)];

  /** Invites somebody on the page. Resolves with the link in the letter. */
  async function invite(email: string, role: RegExp, jobs: readonly string[] = []): Promise<string> {
    const { page } = acme;
    const before = letters().length;
    await page.getByRole('link', { name: 'Team', exact: true }).click();
    const part = page.getByRole('region', { name: 'Invitations' });
    await part.getByLabel('E-mail address').fill(email);
    const option = await part.locator('option', { hasText: role }).getAttribute('value');
    await part.getByLabel('Role').selectOption(option);
    if (jobs.length > 0) await part.getByLabel('Only these').check();
    for (const title of jobs) await part.getByLabel(title).check();
    await part.getByRole('button', { name: 'Send the invitation' }).dblclick();
    await part.getByText(`A letter goes to ${email}.`).waitFor();
    await part.getByRole('listitem').filter({ hasText: email }).waitFor();
    await until(() => letters().length > before, 'the letter');
    expect(letters()).toHaveLength(before + 1);
    return letters().at(-1)![1]!;
  }

  /** Opens the link in the letter, and goes on from the page behind it. */
  async function follow(page: Page, link: string): Promise<void> {
    await page.goto(link);
    await page.getByRole('link', { name: 'Go on at' }).click();
  }

  const teammate = (page: Page, name: string) =>
    page
      .getByRole('region', { name: 'People' })
      .getByRole('listitem')
      .filter({ has: page.getByRole('heading', { name }) });

  test('somebody who is invited signs up in another browser, and is in the team', async () => {
    const email = `${randomUUID()}@example.org`;
    const link = await invite(email, /Recruiter/, ['Baker']);
    const eve = await visit(browser, server.url);
    await follow(eve.page, link);
    await eve.page.getByText('You are invited to a team.').waitFor();
    expect(eve.page.url()).not.toContain('token');
    expect(new URL(eve.page.url()).hash).toBe('');
    // The invitation is kept.
    await eve.page.reload();
    await eve.page.getByRole('link', { name: 'Sign up' }).first().click();
    await eve.page.getByText('With this account you join the team').waitFor();
    await eve.page.getByLabel('Your name').fill('Eve');
    await eve.page.getByLabel('E-mail address').fill(email);
    await eve.page.getByLabel('Password').fill(randomUUID());
    await eve.page.getByRole('button', { name: 'Create the account' }).click();
    await eve.page.getByRole('heading', { name: 'Acme', level: 1 }).waitFor();
    await teammate(eve.page, 'Eve').getByText('Recruiter').waitFor();
    await teammate(eve.page, 'Eve').getByText('Baker').waitFor();
    expect(await eve.page.getByRole('region', { name: 'Invitations' }).count()).toBe(0);

    const { page } = acme;
    await page.reload();
    await page.getByText('Nobody is invited at the moment.').waitFor();
    await teammate(page, 'Eve').getByText('Change the role').click();
    await teammate(page, 'Eve').getByLabel('Role', { exact: true }).selectOption('viewer');
    await teammate(page, 'Eve').getByLabel('All jobs').check();
    await teammate(page, 'Eve').getByRole('button', { name: 'Save' }).dblclick();
    await teammate(page, 'Eve').locator('.tag', { hasText: 'Viewer' }).waitFor();
    await teammate(page, 'Eve').getByText('All jobs').first().waitFor();

    await teammate(page, 'Eve').getByRole('button', { name: 'Remove Eve' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await teammate(page, 'Eve').waitFor({ state: 'detached' });
    await eve.page.reload();
    await eve.page.getByRole('heading', { name: 'Eve', level: 1 }).waitFor();
    expect(eve.faults.filter((fault) => !isExpected(fault))).toEqual([]);
    await eve.page.context().close();
  });

  test('an account that there is joins after a log-in, and leaves', async () => {
    const bob = await signUp(browser, server.url, 'company', 'Bob');
    const link = await invite(bob.email, /Owner/);
    const other = await visit(browser, server.url);
    await follow(other.page, link);
    await other.page.getByLabel('E-mail address').fill(bob.email);
    await other.page.getByLabel('Password').fill(bob.password);
    await other.page.getByRole('button', { name: 'Log in' }).click();
    await other.page.getByText('You are logged in as Bob.').waitFor();
    await other.page.getByRole('button', { name: 'Join the team' }).dblclick();
    await other.page.getByRole('heading', { name: 'Acme', level: 1 }).waitFor();
    await teammate(other.page, 'Bob').locator('.tag', { hasText: 'Owner' }).waitFor();

    await other.page.getByRole('button', { name: 'Leave the team' }).click();
    await other.page.getByRole('dialog').getByRole('button', { name: 'Leave the team' }).click();
    await other.page.getByRole('heading', { name: 'Bob', level: 1 }).waitFor();
    expect([...bob.faults, ...other.faults].filter((fault) => !isExpected(fault))).toEqual([]);
    await Promise.all([bob, other].map(({ page }) => page.context().close()));
  });

  test('an invitation that was taken back lets nobody in, and an applicant is told that it is not for it', async () => {
    const link = await invite('nobody@example.org', /Viewer/);
    await follow(ada.page, link);
    await ada.page.getByText('yours is one of an applicant').waitFor();
    await ada.page.getByRole('button', { name: 'Not now' }).click();
    await ada.page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();

    const eve = await visit(browser, server.url);
    await follow(eve.page, link);
    await acme.page.getByRole('button', { name: 'Take back the invitation of nobody@example.org' }).click();
    await acme.page.getByText('The invitation is taken back.').waitFor();
    await eve.page.getByRole('link', { name: 'Sign up' }).first().click();
    await eve.page.getByLabel('Your name').fill('Eve');
    await eve.page.getByLabel('E-mail address').fill(`${randomUUID()}@example.org`);
    await eve.page.getByLabel('Password').fill(randomUUID());
    await eve.page.getByRole('button', { name: 'Create the account' }).click();
    await eve.page.getByRole('alert').getByText('was used or taken back').waitFor();
    await eve.page.getByRole('button', { name: 'Sign up without the invitation' }).click();
    await eve.page.getByLabel('looking for a job').check();
    await eve.page.getByRole('button', { name: 'Create the account' }).click();
    await eve.page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    expect(eve.faults.filter((fault) => !isExpected(fault))).toEqual([]);
    await eve.page.context().close();
  });

  test('the last owner stays', async () => {
    await acme.page.getByRole('link', { name: 'Team', exact: true }).click();
    await acme.page.getByRole('button', { name: 'Leave the team' }).click();
    await acme.page.getByRole('dialog').getByRole('button', { name: 'Leave the team' }).click();
    await acme.page.getByRole('alert').getByText('The company needs an owner.').waitFor();
    acme.faults.length = 0;
  });

  test('notes on an application are added and deleted, and the applicant sees none', async () => {
    const { page } = acme;
    await page.goto(job);
    const application = page
      .getByRole('listitem')
      .filter({ has: page.getByRole('heading', { name: 'Ada' }) });
    await application.getByText('Notes of the team').click();
    await application.getByText('No notes yet.').waitFor();
    await application.getByLabel('Note', { exact: true }).fill('Ask about\nש-bread <b>');
    await application.getByRole('button', { name: 'Add the note' }).dblclick();
    const note = application.locator('.remark');
    await note.getByText('ש-bread <b>').waitFor();
    expect(await application.getByLabel('Note', { exact: true }).inputValue()).toBe('');
    expect(await note.count()).toBe(1);
    await note.getByRole('button', { name: 'Delete the note' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the note' }).click();
    await application.getByText('This note was deleted.').waitFor();
    await ada.page.getByRole('link', { name: 'Applications' }).click();
    await ada.page.getByRole('link', { name: 'Baker' }).waitFor();
    expect(await ada.page.getByText('Notes of the team').count()).toBe(0);
  });

  test('a refused message is sent again once the conversation is open again', async () => {
    const change = async (status: string) => {
      const { page } = acme;
      await page.goto(job);
      const application = page
        .getByRole('listitem')
        .filter({ has: page.getByRole('heading', { name: 'Ada' }) });
      await application.getByText('Change the status').first().click();
      await application.getByLabel('Status').selectOption(status);
      await application.getByRole('button', { name: 'Change the status' }).click();
      await application.getByText(status, { exact: true }).first().waitFor();
    };
    const { page } = ada;
    await page.getByRole('link', { name: 'Applications' }).click();
    await page.getByRole('link', { name: 'Open the conversation' }).click();
    await writing(page).waitFor();
    await ada.setOffline(true);
    await say(page, 'One more thing');
    await message(page, 'Waits to be sent').waitFor();
    await change('Rejected');
    await acme.page.getByRole('link', { name: 'Open the conversation' }).click();
    await acme.page.getByText('This conversation is closed.').waitFor();
    await ada.setOffline(false);
    await message(page, 'Not sent. The conversation is closed.').waitFor();
    await change('Interview');
    await writing(page).waitFor();
    await message(page, 'One more thing').getByRole('button', { name: 'Send again' }).dblclick();
    await message(page, 'Not sent.').waitFor({ state: 'detached' });
    await acme.page.getByRole('link', { name: 'Open the conversation' }).click();
    await message(acme.page, 'One more thing').waitFor();
    expect(await message(acme.page, 'One more thing').count()).toBe(1);
  });

  test('an applicant withdraws, after a question, and the company sees it', async () => {
    const { page } = ada;
    await page.getByRole('link', { name: 'Applications' }).click();
    const withdraw = page.getByRole('button', { name: 'Withdraw the application' });
    await withdraw.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await withdraw.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Withdraw the application' }).click();
    await page.getByText('Withdrawn', { exact: true }).waitFor();
    expect(await withdraw.count()).toBe(0);
    await acme.page.goto(job);
    await acme.page.getByText('Withdrawn', { exact: true }).first().waitFor();
  });
});
