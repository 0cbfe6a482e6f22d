import type { Browser, Page } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { PATHS } from '../../web/paths.ts';
import { barriers, openBrowser, visit } from '../support/web/browser.ts';
import {
  type Someone,
  applyFor,
  appoint,
  message,
  postJob,
  say,
  signUp,
  writing,
} from '../support/web/people.ts';

const NARROW = { width: 320, height: 640 };
const HEBREW = 'שלום, מתי אפשר להתחיל?';

describe('The pages', () => {
  let server: ServerProcess;
  let browser: Browser;
  let acme: Someone;
  let ada: Someone;
  let grace: Someone;
  let ida: Someone;
  /** The paths of all pages that somebody sees. */
  let pages: { acme: string[]; ada: string[]; grace: string[]; ida: string[] };
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    acme = await signUp(browser, server.url, 'company', 'Acme');
    await postJob(acme.page, 'Engineer', 'private');
    const job = new URL(acme.page.url()).pathname;
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    await applyFor(ada.page, 'Engineer', 'I build engines.');
    await say(ada.page, `See https://example.com/${'a-long-address/'.repeat(12)}`);
    await say(ada.page, HEBREW);
    await message(ada.page, HEBREW).getByRole('button', { name: 'Actions on' }).click();
    await message(ada.page, HEBREW).getByRole('button', { name: 'React with 👍' }).click();
    await message(ada.page, HEBREW).getByRole('button', { name: '👍 1 by you' }).waitFor();
    const thread = new URL(ada.page.url()).pathname;
    const common = [PATHS.inbox, PATHS.jobs, job, thread, '/search?q=address', PATHS.settings];
    grace = await appoint(browser, server, 'auditor', 'Grace');
    ida = await appoint(browser, server, 'admin', 'Ida');
    pages = {
      acme: [...common, PATHS.newJob, PATHS.company, PATHS.invitation],
      ada: [...common, PATHS.applications],
      grace: await audited(grace.page, thread.split('/').at(-1)!),
      ida: await operated(ida.page),
    };
  });

  /** Opens the texts of a group to an auditor. Resolves with the paths of the auditor's pages. */
  async function audited(page: Page, groupId: string): Promise<string[]> {
    await page.goto(`/audit/access?group=${groupId}`);
    await page.getByLabel('Reason').fill('Complaint 4711');
    await page.getByRole('button', { name: 'Open the texts' }).click();
    await page.getByRole('region', { name: 'Open access' }).waitFor();
    await page.goto('/audit?type=MemberJoined');
    await page.getByRole('link', { name: 'Causes and effects' }).first().click();
    await page.getByRole('heading', { name: 'MemberJoined', level: 1 }).waitFor();
    const event = new URL(page.url()).pathname;
    const streams = ['chatGroup', 'conversation'].map((name) => `/audit/streams/${name}-${groupId}`);
    const group = `/audit/groups/${groupId}`;
    const lists = [PATHS.audit, `/audit?stream=${groupId}`, PATHS.auditSeal, PATHS.auditAccess];
    return [...lists, PATHS.auditPrivacy, PATHS.settings, ...streams, event, group, `${group}?seq=1`];
  }

  /** Resolves with the paths of an operator's pages. */
  async function operated(page: Page): Promise<string[]> {
    await page.goto(PATHS.adminUsers);
    await page.getByRole('link', { name: 'Acme' }).click();
    await page.getByRole('heading', { name: 'Acme', level: 1 }).waitFor();
    const user = new URL(page.url()).pathname;
    const lists = [PATHS.admin, PATHS.adminUsers, PATHS.adminJobs, PATHS.adminNotifications];
    return [...lists, PATHS.adminReadModels, PATHS.settings, user];
  }
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const everybody = async (check: (page: Page, path: string) => Promise<void>): Promise<void> => {
    const stranger = await visit(browser, server.url);
    const all = [
      [stranger, ['/', PATHS.logIn, PATHS.signUp, PATHS.forgot]],
      [acme, pages.acme],
      [ada, pages.ada],
      [grace, pages.grace],
      [ida, pages.ida],
    ] as const;
    for (const [{ page }, paths] of all)
      for (const path of paths) {
        await page.goto(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.getByText('Loading…').first().waitFor({ state: 'detached' });
        await check(page, path);
      }
    expect(stranger.faults).toEqual([]);
    await stranger.page.context().close();
  };

  test.each(['light', 'dark'] as const)(
    'have no barriers that axe finds, in %s colours',
    async (colorScheme) => {
      const found: string[] = [];
      await Promise.all([acme, ada, grace, ida].map(({ page }) => page.emulateMedia({ colorScheme })));
      await everybody(async (page, path) => {
        await page.emulateMedia({ colorScheme });
        found.push(...(await barriers(page)).map((barrier) => `${path} ${barrier}`));
      });
      expect(found).toEqual([]);
      const faults = [acme, ada, grace, ida].flatMap((someone) => someone.faults);
      expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
    },
  );

  test('fit into 320 pixels, without barriers', async () => {
    const found: string[] = [];
    await everybody(async (page, path) => {
      await page.setViewportSize(NARROW);
      const { clientWidth, scrollWidth } = await page.evaluate(() => ({
        clientWidth: document.documentElement.clientWidth,
        scrollWidth: document.documentElement.scrollWidth,
      }));
      if (scrollWidth > clientWidth) found.push(`${path} is ${scrollWidth} wide`);
      found.push(...(await barriers(page)).map((barrier) => `${path} ${barrier}`));
    });
    expect(found).toEqual([]);
  });

  test('are mirrored for languages from right to left, and texts keep their own direction', async () => {
    const { page } = ada;
    await page.setViewportSize({ width: 1_200, height: 800 });
    await page.goto(pages.ada[3]!);
    const text = message(page, HEBREW).locator('.prose');
    await text.waitFor();
    const direction = () => text.evaluate((element) => getComputedStyle(element).direction);
    expect(await direction()).toBe('rtl');
    const leftOf = async (selector: string) => (await page.locator(selector).first().boundingBox())!.x;
    expect(await leftOf('.split aside')).toBeLessThan(await leftOf('.split > section'));
    await page.evaluate(() => (document.documentElement.dir = 'rtl'));
    expect(await leftOf('.split aside')).toBeGreaterThan(await leftOf('.split > section'));
    const english = message(page, 'See https://').locator('.prose');
    expect(await english.evaluate((element) => getComputedStyle(element).direction)).toBe('ltr');
    expect(await barriers(page)).toEqual([]);
  });

  test('work with the keyboard alone, and a page that is gone to takes the focus', async () => {
    const { page } = ada;
    await page.setViewportSize({ width: 1_200, height: 800 });
    await page.goto('/settings');
    await page.getByRole('heading', { name: 'Where you are logged in' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the content');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('h1:focus').filter({ hasText: 'Messages' }).waitFor();
    await page.getByRole('link', { name: 'Engineer' }).first().waitFor();
    // Where the page begins, its content comes next.
    await page.keyboard.press('Tab');
    await page.locator('a:focus').filter({ hasText: 'Engineer' }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('h1:focus').filter({ hasText: 'Engineer' }).waitFor();
    await writing(page).waitFor();
    for (let presses = 0; presses < 30; presses += 1) {
      if (await writing(page).evaluate((element) => element === document.activeElement)) break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.type('By keyboard');
    await page.keyboard.press('Enter');
    await message(page, 'By keyboard').waitFor();
  });

  test('say new messages to screen readers', async () => {
    const path = pages.ada[3]!;
    await Promise.all([ada.page.goto(path), acme.page.goto(path)]);
    await message(ada.page, 'By keyboard').waitFor();
    await message(acme.page, 'By keyboard').waitFor();
    await say(acme.page, 'Said aloud');
    await ada.page.getByRole('log').getByText('Acme: Said aloud').waitFor({ state: 'attached' });
  });
});
