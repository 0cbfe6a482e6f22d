import { rm } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { call, logIn as openSession, signUp as register } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { openBrowser } from '../support/web/browser.ts';
import { type Someone, appoint } from '../support/web/people.ts';

const MARKUP = '<img src=x onerror="document.title=1">';
const NAMES = [MARKUP, 'مُحَمَّد 123 (שלום)', `${'W'.repeat(90)}`, '\u0301\u0301Zalgo\u0489\u0489'];

describe('Names that somebody means to do harm with', () => {
  let server: ServerProcess;
  let browser: Browser;
  let grace: Someone;
  let eve: Someone;
  const groups: { groupId: string; companyId: string }[] = [];
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    for (const displayName of NAMES) {
      const company = await register(server.url, { role: 'company', displayName });
      const token = company.accessToken;
      const body = { title: `${displayName} job`.slice(0, 200), description: MARKUP, conversations: 'group' };
      const { groupId } = await call<{ groupId: string }>(server.url, 'POST', '/v1/jobs', { token, body });
      groups.push({ groupId, companyId: company.userId });
    }
    [grace, eve] = [
      await appoint(browser, server, 'admin', 'Grace'),
      await appoint(browser, server, 'auditor', 'Eve'),
    ];
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await rm(server.dataDir, { recursive: true, force: true });
  });
  afterEach(() => expect([...grace.faults, ...eve.faults]).toEqual([]));

  /** Resolves with what is wider than a narrow screen. */
  async function tooWide(page: Page): Promise<string[]> {
    await page.setViewportSize({ width: 320, height: 800 });
    return page.evaluate(() => {
      const { clientWidth, scrollWidth } = document.documentElement;
      if (scrollWidth <= clientWidth) return [];
      return [...document.querySelectorAll('main *')]
        .filter((each) => each.getBoundingClientRect().right > clientWidth + 1)
        .map((each) => `${each.tagName}.${each.className}: ${each.textContent.slice(0, 60)}`);
    });
  }

  test('are text in the lists of operators, and fit into a narrow screen', async () => {
    const { page } = grace;
    await page.goto('/admin/users');
    await page.getByRole('link', { name: MARKUP }).waitFor();
    expect(await tooWide(page)).toEqual([]);
    await page.getByRole('link', { name: 'WWW' }).click();
    await page.getByRole('heading', { name: 'WWW', level: 1 }).waitFor();
    expect(await tooWide(page)).toEqual([]);
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await tooWide(page)).toEqual([]);
    await page.goto('/admin/jobs');
    await page.getByRole('heading', { name: MARKUP }).waitFor();
    expect(await tooWide(page)).toEqual([]);
    expect(await page.locator('main img').count()).toBe(0);
  });

  test('are text in the pages of auditors, and fit into a narrow screen', async () => {
    const { page } = eve;
    const { accessToken: token } = await openSession(server.url, eve.email, eve.password);
    for (const { groupId, companyId } of groups) {
      const body = { reason: `${'W'.repeat(500)} ${MARKUP}`, scope: { userId: companyId }, minutes: 5 };
      await call(server.url, 'POST', '/v1/audit/access-grants', { token, body });
      await page.goto(`/audit/groups/${groupId}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect(await tooWide(page)).toEqual([]);
    }
    await page.goto('/audit/access');
    await page.getByText(MARKUP).first().waitFor();
    expect(await tooWide(page)).toEqual([]);
    await page.getByRole('button', { name: 'Read with it here' }).first().click();
    await page.goto('/audit?category=account');
    await page.locator('article').first().waitFor();
    for (const data of await page.locator('article summary').all()) await data.click();
    expect(await tooWide(page)).toEqual([]);
    expect(await page.locator('main img').count()).toBe(0);
  });
});
