import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { openBrowser } from '../support/web/browser.ts';
import {
  type Someone,
  applyFor,
  history,
  message,
  postJob,
  say,
  signUp,
  writing,
} from '../support/web/people.ts';

const CORPUS = join(import.meta.dirname, '../files/corpus/files');

describe('In two browsers', () => {
  let server: ServerProcess;
  let browser: Browser;
  let acme: Someone;
  let ada: Someone;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    acme = await signUp(browser, server.url, 'company', 'Acme');
    await postJob(acme.page, 'Engineer');
    await acme.page.getByRole('link', { name: 'Open the group' }).click();
    await writing(acme.page).waitFor();
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    await applyFor(ada.page, 'Engineer', 'I build engines.');
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => expect([...acme.faults, ...ada.faults]).toEqual([]));

  test('a company and an applicant talk, and see what the other has read', async () => {
    await say(ada.page, 'Hello, is the job still open?');
    await message(acme.page, 'is the job still open?').waitFor();
    await say(acme.page, 'It is. When can you come?');
    await message(ada.page, 'When can you come?').waitFor();
    await message(acme.page, 'Seen by Ada').waitFor();
    await ada.page.getByRole('link', { name: 'Messages', exact: true }).waitFor();
  });

  test('somebody who types is named to the other', async () => {
    await writing(ada.page).pressSequentially('Hm');
    await acme.page.getByText('Ada is typing…').waitFor();
    await writing(ada.page).fill('');
    await acme.page.getByText('Ada is typing…').waitFor({ state: 'detached' });
  });

  test('messages are answered, edited, reacted to and deleted', async () => {
    await say(ada.page, 'On Mondey');
    await act(ada, 'On Mondey', 'Edit');
    await writing(ada.page).fill('On Monday');
    await ada.page.getByRole('button', { name: 'Save' }).click();
    await message(acme.page, 'On Monday').waitFor();

    await act(acme, 'On Monday', 'React with 🎉');
    await message(ada.page, 'On Monday').getByRole('button', { name: '🎉 1 by Acme' }).waitFor();

    await act(acme, 'On Monday', 'Answer');
    await say(acme.page, 'Agreed');
    const original = message(ada.page, 'Agreed').getByRole('button', { name: 'On Monday' });
    await original.click();
    const focused = ada.page.locator('article:focus');
    await focused.filter({ hasText: 'On Monday' }).waitFor();

    await say(ada.page, 'Not for you');
    await act(ada, 'Not for you', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await message(acme.page, 'This message was deleted.').waitFor();
    expect(await message(acme.page, 'Not for you').count()).toBe(0);
  });

  test('what is written without a line is sent once it is back, and nothing is missed', async () => {
    await ada.setOffline(true);
    await ada.page.getByText('You are offline.').waitFor();
    await say(acme.page, 'Said while you were away');
    await say(ada.page, 'Written offline');
    await message(ada.page, 'Waits to be sent').waitFor();
    await say(ada.page, 'Taken back');
    await message(ada.page, 'Taken back').getByRole('button', { name: 'Take back' }).click();
    await ada.setOffline(false);

    await message(acme.page, 'Written offline').waitFor();
    await message(ada.page, 'Said while you were away').waitFor();
    await ada.page.getByText('You are offline.').waitFor({ state: 'detached' });
    await history(ada.page).getByText('Waits to be sent').waitFor({ state: 'detached' });
    expect(await message(acme.page, 'Taken back').count()).toBe(0);
    const told = async ({ page }: Someone) => history(page).locator('.prose').allTextContents();
    expect(await told(ada)).toEqual(await told(acme));
  });

  test('what is written without a line survives that the page is left', async () => {
    // The page itself comes over the line, so only the socket is cut here.
    await ada.page.route('**/socket.io/**', (route) => route.abort());
    await ada.page.routeWebSocket('**/socket.io/**', (socket) => void socket.close());
    await ada.page.reload();
    await say(ada.page, 'Kept over a reload');
    await message(ada.page, 'Waits to be sent').waitFor();
    const { page } = ada;
    const next = await page.context().newPage();
    await page.close();
    await next.goto(page.url());
    ada = { ...ada, page: next };
    await message(acme.page, 'Kept over a reload').waitFor();
    expect(await message(acme.page, 'Kept over a reload').count()).toBe(1);
  });

  test('a picture is seen and downloaded, and a file that is not what it says is refused', async () => {
    await ada.page.locator('input[type=file]').setInputFiles(join(CORPUS, 'pillow.png'));
    await say(ada.page, 'My portrait');
    await message(acme.page, 'My portrait').getByRole('img', { name: 'Picture pillow.png' }).waitFor();
    const loading = acme.page.waitForEvent('download');
    await acme.page.getByRole('button', { name: 'Download pillow.png' }).click();
    const loaded = await loading;
    expect(loaded.suggestedFilename()).toBe('pillow.png');
    expect(await readFile(await loaded.path())).toEqual(await readFile(join(CORPUS, 'pillow.png')));

    await ada.page.locator('input[type=file]').setInputFiles({
      name: 'cv.pdf',
      mimeType: 'application/pdf',
      buffer: Buffer.from('I am no PDF'),
    });
    await ada.page.getByText('Refused: its content is not what its name says').waitFor();
    await ada.page.getByRole('button', { name: 'Remove cv.pdf' }).click();
  });

  test('a picture whose link has ended is asked for anew', async () => {
    let ended = 0;
    await acme.page.route(/v1\/storage/, (route) => {
      ended += 1;
      return ended === 1 ? route.abort('connectionrefused') : route.continue();
    });
    await acme.page.reload();
    const picture = message(acme.page, 'My portrait').getByRole('img', { name: 'Picture pillow.png' });
    await until(
      () => picture.evaluate((image: HTMLImageElement) => image.naturalWidth > 0).catch(() => false),
      'the picture',
    );
    expect(ended).toBe(2);
    await acme.page.unroute(/v1\/storage/);
  });

  test('a conversation is muted, and the settings name it', async () => {
    const { page } = ada;
    await page.getByText(/^Members/).click();
    await page.getByRole('button', { name: 'Mute' }).click();
    await page.getByText('You get no letters and pushes about this conversation.').waitFor();
    const path = new URL(page.url()).pathname;
    await page.getByRole('link', { name: 'Settings' }).click();
    const muted = page.getByRole('listitem').filter({ hasText: 'Engineer' });
    await muted.getByRole('button', { name: 'Unmute' }).click();
    await muted.waitFor({ state: 'detached' });
    await page.goto(path);
    await page.getByText(/^Members/).click();
    await page.getByRole('button', { name: 'Mute', exact: true }).waitFor();
  });

  test('what one tab takes back, the one that wrote it does not send', async () => {
    const { page } = ada;
    const other = await page.context().newPage();
    await other.goto(page.url());
    await writing(other).waitFor();
    for (const tab of [page, other]) {
      await tab.route('**/socket.io/**', (route) => route.abort());
      await tab.routeWebSocket('**/socket.io/**', (socket) => void socket.close());
    }
    await page.reload();
    await say(page, 'Regretted');
    await other.reload();
    await message(other, 'Regretted').getByRole('button', { name: 'Take back' }).click();
    await message(page, 'Regretted').waitFor({ state: 'detached' });
    await other.close();
    ada.page = await page.context().newPage();
    await page.close();
    await ada.page.goto(new URL(acme.page.url()).pathname);
    await say(ada.page, 'Not regretted');
    await message(acme.page, 'Not regretted').waitFor();
    expect(await message(acme.page, 'Regretted').filter({ hasNotText: 'Not' }).count()).toBe(0);
  });

  test('a search leads to the message', async () => {
    await acme.page.getByRole('link', { name: 'Search here' }).click();
    await acme.page.getByLabel('Words').fill('monday');
    await acme.page.getByRole('button', { name: 'Search' }).click();
    await acme.page.getByRole('link', { name: 'On Monday' }).click();
    await acme.page.locator('article:focus').filter({ hasText: 'On Monday' }).waitFor();
  });

  test('a text is as long as the server takes it', async () => {
    const answer = await fetch(`${server.url}/v1/limits`);
    const { message: limits } = (await answer.json()) as { message: { textLength: number } };
    await until(
      async () => (await writing(ada.page).getAttribute('maxlength')) === String(limits.textLength),
      'the limit',
    );
  });

  test('markup is text, and only addresses of the web are links', async () => {
    const text = '<b>bold</b> javascript:alert(1) https://example.com/a?b=c.';
    await say(ada.page, text);
    const shown = message(acme.page, 'bold').locator('.prose');
    expect(await shown.textContent()).toBe(text);
    const links = shown.getByRole('link');
    expect(await links.count()).toBe(1);
    expect(await links.getAttribute('href')).toBe('https://example.com/a?b=c');
    expect(await links.getAttribute('rel')).toBe('noopener noreferrer');
  });

  test('what is in the list survives that the page is left in that moment', async () => {
    const { page } = ada;
    const texts = Array.from({ length: 10 }, (_, at) => `At the last moment ${at}`);
    for (const text of texts) {
      await writing(page).fill(text);
      await history(page).evaluate((list, wanted) => {
        new MutationObserver(() => {
          if (list.textContent.includes(wanted)) location.reload();
        }).observe(list, { childList: true, subtree: true, characterData: true });
      }, text);
      await Promise.all([page.waitForEvent('domcontentloaded'), writing(page).press('Enter')]);
      await writing(page).waitFor();
    }
    await acme.page.goto(new URL(page.url()).pathname);
    for (const text of texts) await message(acme.page, text).waitFor();
    const told = await history(acme.page).locator('.prose').allTextContents();
    expect(told.filter((text) => texts.includes(text))).toEqual(texts);
  });
});

/** Opens the actions on a message and chooses one. */
async function act({ page }: Someone, text: string, action: string): Promise<void> {
  const found = message(page, text).last();
  await found.getByRole('button', { name: 'Actions on the message' }).click();
  await found.getByRole('button', { name: action, exact: true }).click();
}
