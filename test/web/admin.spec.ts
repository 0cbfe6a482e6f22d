import { rm } from 'node:fs/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { call, logIn as openSession } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { PATHS } from '../../web/paths.ts';
import { confirmAddress } from '../support/journeys/account-letters.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { barriers, openBrowser } from '../support/web/browser.ts';
import { type Someone, appoint, postJob, signUp } from '../support/web/people.ts';

const MAIL_MS = 60_000;

describe('The pages of operators', () => {
  let mail: MailServer;
  let server: ServerProcess;
  let browser: Browser;
  let acme: Someone;
  let ada: Someone;
  let grace: Someone;
  beforeAll(async () => {
    [mail, browser] = await Promise.all([startMailServer(), openBrowser()]);
    server = await startServer({ env: { SMTP_URL: mail.url } });
    acme = await signUp(browser, server.url, 'company', 'Acme');
    await confirmAddress(mail, acme.email);
    await postJob(acme.page, 'Engineer');
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    grace = await appoint(browser, server, 'admin', 'Grace');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(server.dataDir, { recursive: true, force: true });
    await mail?.close();
  });
  afterEach(() => expect(grace.faults).toEqual([]));

  test('begin with how the deployment is', async () => {
    const { page } = grace;
    await page.waitForURL('**/admin');
    await page.getByText('This deployment is ready.').waitFor();
    const parts = page.getByRole('region', { name: 'Parts' });
    await parts.getByRole('term').filter({ hasText: 'database' }).waitFor();
    expect(new Set(await parts.getByRole('definition').allTextContents())).toEqual(new Set(['OK']));
    await page.getByRole('region', { name: 'Processes' }).getByText('projector').waitFor();
  });

  test('suspend a user, whose page ends, and let it come back', async () => {
    const { page } = grace;
    await page.getByRole('link', { name: 'Users' }).click();
    await find(page, 'Address, name or id', ada.email.toUpperCase().slice(0, 20));
    await page.getByRole('link', { name: 'Ada' }).click();
    await page.getByRole('heading', { name: 'Ada', level: 1 }).waitFor();

    await page.getByRole('button', { name: 'Suspend' }).click();
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await act(page.getByRole('button', { name: 'Suspend' }), 'Complaint 4711');
    await page.getByText('The account is suspended.').waitFor();
    await page.getByText('Nobody is logged in.').waitFor();
    await ada.page.getByRole('button', { name: 'Log in' }).waitFor();

    await act(page.getByRole('button', { name: 'Restore' }), 'Settled');
    await page.getByText('The account is restored.').waitFor();
    await openSession(server.url, ada.email, ada.password);
    await page.reload();
    await act(page.getByRole('button', { name: /^End the session/ }).first(), 'A test');
    await page.getByText('1 session has ended.').waitFor();
  });

  test('suspend another operator, whose page then shows nothing more', async () => {
    const { page } = grace;
    const heidi = await appoint(browser, server, 'admin', 'Heidi');
    await heidi.page.getByText('This deployment is ready.').waitFor();
    await page.goto(`${PATHS.adminUsers}?role=admin`);
    await page.getByRole('link', { name: 'Heidi' }).click();
    await act(page.getByRole('button', { name: 'Suspend' }), 'Has left');
    await page.getByText('The account is suspended.').waitFor();
    await heidi.page.getByRole('button', { name: 'Log in' }).waitFor();
    await heidi.page.getByLabel('E-mail address').fill(heidi.email);
    await heidi.page.getByLabel('Password').fill(heidi.password);
    await heidi.page.getByRole('button', { name: 'Log in' }).click();
    await heidi.page.getByText('This account is suspended.').waitFor();
    await heidi.page.context().close();
  });

  test('offer no operator to suspend itself', async () => {
    const { page } = grace;
    await page.goto(`${PATHS.adminUsers}?role=admin`);
    await page.getByRole('link', { name: 'Grace' }).click();
    await page.getByRole('button', { name: /^End the session/ }).waitFor();
    expect(await page.getByRole('button', { name: 'Suspend' }).count()).toBe(0);
  });

  test('put a parked letter back, which then arrives', async () => {
    // Nobody is told by letter what is on the screen.
    await acme.page.goto('about:blank');
    const session = await openSession(server.url, acme.email, acme.password);
    const prompt = { token: session.accessToken, body: { digestMinutes: 0 } };
    await call(server.url, 'PATCH', '/v1/me/notification-preferences', prompt);
    const { accessToken: token } = await openSession(server.url, ada.email, ada.password);
    const jobs = await call<{ data: { jobId: string }[] }>(server.url, 'GET', '/v1/jobs', { token });
    const before = mail.mails.length;
    mail.refuse('recipient', 550);
    await call(server.url, 'POST', `/v1/jobs/${jobs.data[0]!.jobId}/applications`, { token, body: {} });

    const { page } = grace;
    await page.getByRole('link', { name: 'Notifications' }).click();
    const parked = page.getByRole('region', { name: 'Could not be sent' }).getByRole('listitem');
    await parked.filter({ hasText: 'the mail server answered 550' }).waitFor({ timeout: MAIL_MS });
    mail.works();
    await act(parked.getByRole('button', { name: /^Send again/ }).first(), 'The address works again');
    await page.getByText('1 batch is on the way again.').waitFor();
    await page.getByText('Everything could be sent.').waitFor();
    const arrived = () => mail.mails.slice(before).some(({ to }) => to.includes(acme.email));
    await until(arrived, 'the letter arrives', MAIL_MS);
  });

  test('rebuild a read model and roll it back', async () => {
    const { page } = grace;
    await page.getByRole('link', { name: 'Read models' }).click();
    const model = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'jobs' }) });
    await act(model.getByRole('button', { name: 'Rebuild jobs' }), 'A row was missing');
    await model.getByText('Rebuilt').waitFor();
    await act(model.getByRole('button', { name: 'Roll jobs back' }), 'A mistake');
    await page.getByText('jobs is rolled back.').waitFor();
  });

  test('take a job down', async () => {
    const { page } = grace;
    await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).click();
    await find(page, 'Words of the job', 'engineer');
    await act(page.getByRole('button', { name: 'Take down Engineer' }), 'Spam');
    await page.getByText('“Engineer” is closed.').waitFor();
    await page.getByLabel('Status').selectOption('closed');
    await page.getByRole('heading', { name: 'Engineer' }).waitFor();
  });

  test('leave every act with its reason in the log', async () => {
    const auditor = await appoint(browser, server, 'auditor', 'Ida');
    const { accessToken } = await openSession(server.url, auditor.email, auditor.password);
    const answer = await fetch(`${server.url}/v1/audit/events?type=OperatorActed`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    const lines = (await answer.text()).trim().split('\n').slice(0, -1);
    const acts = lines.map((line) => (JSON.parse(line) as { data: { act: { kind: string } } }).data.act.kind);
    expect(acts).toEqual([
      ...['suspendUser', 'restoreUser', 'endSessions', 'suspendUser', 'replayNotifications'],
      ...['rebuildReadModel', 'rollBackReadModel', 'closeJob'],
    ]);
  });

  test('are unknown to everybody else', async () => {
    const rival = await signUp(browser, server.url, 'company', 'Rival');
    for (const path of [PATHS.admin, PATHS.adminUsers, PATHS.adminJobs]) {
      await rival.page.goto(path);
      await rival.page.getByRole('heading', { name: 'Nothing here' }).waitFor();
    }
    expect(rival.faults).toEqual([]);
  });
});

/** Searches a list. */
async function find(page: Page, label: string, words: string): Promise<void> {
  await page.getByLabel(label).fill(words);
  await page.getByRole('button', { name: 'Search' }).click();
}

/** Does something, and says why. */
async function act(button: Locator, reason: string): Promise<void> {
  await button.click();
  const dialog = button.page().getByRole('dialog');
  await dialog.getByLabel('Reason').fill(reason);
  await dialog.locator('form button[type=submit]').click();
  await dialog.waitFor({ state: 'detached' });
}
