import type { Browser } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { logIn as logInToCall } from '../../tools/rest.ts';
import { ask, talkedAbout } from '../support/web/audited.ts';
import { openBrowser } from '../support/web/browser.ts';
import { type Someone, appoint, logIn, signUp } from '../support/web/people.ts';

/** The server says so of a session that the test has ended. */
const isExpected = (fault: string) => /status of 401/.test(fault);

describe('The pages of a role', () => {
  let server: ServerProcess;
  let browser: Browser;
  let grace: Someone;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    grace = await appoint(browser, server, 'auditor', 'Grace');
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  test('are where an auditor begins, and all that the auditor can go to', async () => {
    const { page } = grace;
    await page.waitForURL('**/audit');
    const links = await page.getByRole('navigation', { name: 'Main' }).getByRole('link').allTextContents();
    expect(links).toEqual(['Log', 'Verification', 'Access', 'Privacy', 'Settings']);
    await page.goto('/');
    await page.waitForURL('**/audit');
    for (const path of ['/jobs', '/jobs/new', '/search', '/applications', '/c/0197a000']) {
      await page.goto(path);
      await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
      await page.getByRole('link', { name: 'To the start' }).click();
      await page.waitForURL('**/audit');
    }
  });

  test('ask for nothing that an auditor is refused, and connect no socket', async () => {
    const { page } = grace;
    const refused: string[] = [];
    page.on('response', (answer) => {
      if (answer.status() >= 400) refused.push(`${answer.status()} ${answer.url()}`);
    });
    const sockets: string[] = [];
    page.on('websocket', (socket) => sockets.push(socket.url()));
    for (const path of ['/audit', '/audit/checkpoints', '/audit/access', '/audit/privacy', '/settings']) {
      await page.goto(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByText('Loading…').first().waitFor({ state: 'detached' });
    }
    await page.getByText('This browser').waitFor();
    expect([refused, sockets, grace.faults]).toEqual([[], [], []]);
  });

  test('are unknown to everybody else', async () => {
    const ada = await signUp(browser, server.url, 'applicant', 'Ada');
    const { page } = ada;
    for (const path of ['/audit', '/audit/access', '/audit/streams/job-1', '/jobs/new']) {
      await page.goto(path);
      await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
    }
    expect(ada.faults).toEqual([]);
    const session = await logInToCall(server.url, ada.email, ada.password);
    await expect(ask(session, 'GET', '/v1/audit/access-grants')).rejects.toMatchObject({
      ...{ status: 403, code: 'ROLE_NOT_ALLOWED' },
    });
  });

  test('follow whoever logs in next', async () => {
    const { page, faults } = grace;
    await page.goto('/settings');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    const acme = await signUp(browser, server.url, 'company', 'Acme');
    await logIn(page, acme);
    await page.goto('/');
    await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Jobs' }).waitFor();
    expect(faults.filter((fault) => !isExpected(fault))).toEqual([]);
  });

  test('forget what another auditor has opened, who was logged in here', async () => {
    const hopper = await appoint(browser, server, 'auditor', 'Hopper');
    const eve = await appoint(browser, server, 'auditor', 'Eve');
    const { page } = hopper;
    const told = await talkedAbout(server.url, 'A secret');
    await page.goto(`/audit/access?group=${told.groupId}&next=/audit/groups/${told.groupId}?seq=1`);
    await page.getByLabel('Reason').fill('Complaint 4711');
    await page.getByRole('button', { name: 'Open the texts' }).click();
    await page.getByText('A secret').waitFor();
    // Somebody else logs in, in another tab.
    const session = await eve.page.evaluate(() => JSON.stringify(Object.entries(localStorage)));
    const tab = await page.context().newPage();
    await tab.goto('/.well-known/seal-keys.json');
    await tab.evaluate((entries) => {
      for (const [key, value] of JSON.parse(entries) as [string, string][]) localStorage.setItem(key, value);
    }, session);
    await page.getByText('[redacted]').waitFor();
    expect(await page.getByText('A secret').count()).toBe(0);
    expect(await page.getByRole('region', { name: 'Open access' }).count()).toBe(0);
    expect(hopper.faults).toEqual([]);
  });
});
