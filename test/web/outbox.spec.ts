import type { Browser, Page } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { openBrowser } from '../support/web/browser.ts';
import {
  type Someone,
  applyFor,
  history,
  logIn,
  message,
  postJob,
  say,
  signUp,
  writing,
} from '../support/web/people.ts';

describe('The outbox of a browser', () => {
  let server: ServerProcess;
  let browser: Browser;
  let acme: Someone;
  let ada: Someone;
  let page: Page;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    acme = await signUp(browser, server.url, 'company', 'Acme');
    await postJob(acme.page, 'Engineer');
    await acme.page.getByRole('link', { name: 'Open the group' }).click();
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    await applyFor(ada.page, 'Engineer', 'I build engines.');
    ({ page } = ada);
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  const path = () => new URL(acme.page.url()).pathname;

  /** Writes into the journal what a page leaves there that is closed too early. Nothing of the page runs meanwhile. */
  async function leave(entries: Record<string, string>): Promise<void> {
    await page.goto('/health/live');
    await page.evaluate((items) => {
      for (const [key, value] of Object.entries(items)) localStorage.setItem(`chat-outbox ${key}`, value);
    }, entries);
    await page.goto(path());
    await writing(page).waitFor();
  }
  const journal = () =>
    page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('chat-outbox ')));

  const messageOf = (userId: string, text: unknown) => ({
    ...{ groupId: path().split('/').at(-1), clientMsgId: crypto.randomUUID(), userId, text, queuedAt: 1 },
  });
  const ownId = () =>
    page.evaluate(() => {
      const saved = Object.entries(localStorage).find(([key]) =>
        key.startsWith('chat-session'),
      )![1] as string;
      return (JSON.parse(saved) as { user: { id: string } }).user.id;
    });

  test('sends what a page has left, whatever else is under its names, and leaves that alone', async () => {
    const adaId = await ownId();
    const foreign = {
      '0': '{',
      '1': 'null',
      '2': '{"theme":"dark"}',
      '3': JSON.stringify({ ...messageOf(adaId, 'odd'), text: { of: 'another kind' } }),
    };
    await leave({
      ...foreign,
      'page 1': JSON.stringify(messageOf(adaId, 'Left behind 1')),
      'page 2': JSON.stringify(messageOf(adaId, 'Left behind 2')),
      'page 3': JSON.stringify(messageOf(crypto.randomUUID(), 'Of somebody else')),
    });
    await message(acme.page, 'Left behind 2').waitFor();
    await say(page, 'After all');
    await message(acme.page, 'After all').waitFor();
    const told = await history(acme.page).locator('.prose').allTextContents();
    expect(told.slice(-3)).toEqual(['Left behind 1', 'Left behind 2', 'After all']);
    expect(await message(page, 'Of somebody else').count()).toBe(0);
    expect((await journal()).toSorted()).toEqual(Object.keys(foreign).map((key) => `chat-outbox ${key}`));
  });

  test('sends without a journal, when the storage is full or denied', async () => {
    await page.addInitScript(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
    });
    await page.reload();
    await say(page, 'With a full storage');
    await message(acme.page, 'With a full storage').waitFor();
    await page.close();
  });

  test('forgets at log-out what waits', async () => {
    page = await page.context().newPage();
    await page.route('**/socket.io/**', (route) => route.abort());
    await page.routeWebSocket('**/socket.io/**', (socket) => void socket.close());
    await page.goto(path());
    await say(page, 'Never mind');
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();

    const again = await page.context().newPage();
    await again.goto('/');
    await logIn(again, ada);
    await again.goto(path());
    await say(again, 'I have come back');
    await message(acme.page, 'I have come back').waitFor();
    expect(await message(acme.page, 'Never mind').count()).toBe(0);
  });
});
