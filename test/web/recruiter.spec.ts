import type { Browser } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { openBrowser } from '../support/web/browser.ts';
import { type Someone, applyFor, message, postJob, say, signUp } from '../support/web/people.ts';

describe('A recruiter', () => {
  let server: ServerProcess;
  let browser: Browser;
  let acme: Someone;
  let ada: Someone;
  let bob: Someone;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    acme = await signUp(browser, server.url, 'company', 'Acme');
    await postJob(acme.page, 'Baker', 'private');
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    bob = await signUp(browser, server.url, 'applicant', 'Bob');
    await applyFor(ada.page, 'Baker', 'I bake bread.');
    await applyFor(bob.page, 'Baker', 'I bake cakes.');
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => expect([...acme.faults, ...ada.faults, ...bob.faults]).toEqual([]));

  test('answers two private threads, and neither applicant learns of the other', async () => {
    await say(ada.page, 'Good morning from Ada');
    await say(bob.page, 'Good morning from Bob');
    const { page } = acme;
    const job = page.url();
    for (const { name, page: theirs } of [ada, bob]) {
      await page.goto(job);
      const thread = page.getByRole('link', { name: `Good morning from ${name}` }).first();
      await thread.getByText('Waits for your answer').waitFor();
      await thread.click();
      await message(page, `Good morning from ${name}`).waitFor();
      await say(page, `Welcome, ${name}`);
      await message(theirs, `Welcome, ${name}`).waitFor();
    }
    await page.goto(job);
    await page.getByText('Waits for the applicant').nth(1).waitFor();
    await page.getByRole('link', { name: 'Messages', exact: true }).click();
    for (const { name } of [ada, bob]) await page.getByRole('link', { name: `${name} · Baker` }).waitFor();
    await page.goto(job);
    expect(await ada.page.locator('body').textContent()).not.toContain('Bob');
    expect(await bob.page.locator('body').textContent()).not.toContain('Ada');
  });

  test('reads a cover letter, and changes the status, of which the applicant learns', async () => {
    const { page } = acme;
    const application = page
      .getByRole('listitem')
      .filter({ has: page.getByRole('heading', { name: 'Ada' }) });
    await application.getByText('Cover letter').click();
    await application.getByText('I bake bread.').waitFor();
    await application.getByText('Change the status').first().click();
    await application.getByLabel('Status').selectOption('Interview');
    await application.getByRole('button', { name: 'Change the status' }).click();
    await application.getByText('Interview', { exact: true }).first().waitFor();
    await ada.page.getByRole('link', { name: 'Applications' }).click();
    await ada.page.getByText('Interview').waitFor();
    await ada.page.getByRole('link', { name: 'Baker' }).waitFor();
  });

  test('closes the job, which takes no more applications', async () => {
    await acme.page.getByRole('button', { name: 'Close the job' }).click();
    await acme.page.getByRole('dialog').getByRole('button', { name: 'Close the job' }).click();
    await acme.page.getByText('Closed', { exact: true }).waitFor();
    const eve = await signUp(browser, server.url, 'applicant', 'Eve');
    await eve.page.goto(new URL(acme.page.url()).pathname);
    await eve.page.getByText('This job is closed.').waitFor();
    expect(eve.faults).toEqual([]);
  });
});
