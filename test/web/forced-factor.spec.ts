import { rm } from 'node:fs/promises';
import { Secret, TOTP } from 'otpauth';
import type { Browser } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { barriers, openBrowser } from '../support/web/browser.ts';
import { type Someone, appoint } from '../support/web/people.ts';

/** The browser reports refused calls too. */
const isRefusal = (fault: string) => fault.includes('status of 403');

describe('Where auditors and operators need a second factor', () => {
  let server: ServerProcess;
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
    server = await startServer({ env: { AUDITOR_TOTP: 'required', OPERATOR_TOTP: 'required' } });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(server.dataDir, { recursive: true, force: true });
  });

  async function setUp({ page, password }: Someone): Promise<void> {
    await page.getByRole('link', { name: 'Set up a second factor' }).first().click();
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    const section = page.getByRole('region', { name: 'Second factor' });
    await section.getByLabel('Present password').fill(password);
    await section.getByRole('button', { name: 'Set it up' }).click();
    const secret = (await section.locator('code.secret').textContent())!.replaceAll(' ', '');
    await section.getByLabel('Code of the app').fill(TOTP.generate({ secret: Secret.fromBase32(secret) }));
    await section.getByRole('button', { name: 'Turn it on' }).click();
    await section.getByRole('button', { name: 'I have kept them' }).click();
    await page.getByText('This browser').waitFor();
    expect(await page.getByText('needs a second factor').count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
  }

  test('an operator is led to set it up, and goes on', async () => {
    const grace = await appoint(browser, server, 'admin', 'Grace');
    await grace.page.getByText('Your account needs a second factor for this.').first().waitFor();
    await setUp(grace);
    await grace.page.getByRole('link', { name: 'System' }).click();
    await grace.page.getByText('This deployment is ready.').waitFor();
    expect(grace.faults.filter((fault) => !isRefusal(fault))).toEqual([]);
  });

  test('an auditor is led to set it up, and goes on', async () => {
    const eve = await appoint(browser, server, 'auditor', 'Eve');
    await eve.page.getByText('Your account needs a second factor for this.').first().waitFor();
    await setUp(eve);
    await eve.page.getByRole('link', { name: 'Log', exact: true }).click();
    await eve.page.getByRole('article').first().waitFor();
    expect(eve.faults.filter((fault) => !isRefusal(fault))).toEqual([]);
  });
});
