import { randomUUID } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { openBrowser } from '../support/web/browser.ts';
import { type Someone, applyFor, history, message, postJob, say, signUp } from '../support/web/people.ts';

const SAID = 300;
/** Rounding of sizes in pixels. */
const NEARLY = 2;

describe('A long history', () => {
  let server: ServerProcess;
  let browser: Browser;
  let acme: Someone;
  let ada: Someone;
  beforeAll(async () => {
    const env = { MESSAGES_PER_MINUTE: '100000', REQUESTS_PER_MINUTE: '100000' };
    [server, browser] = await Promise.all([startServer({ env }), openBrowser()]);
    acme = await signUp(browser, server.url, 'company', 'Acme');
    await postJob(acme.page, 'Novelist');
    ada = await signUp(browser, server.url, 'applicant', 'Ada');
    await applyFor(ada.page, 'Novelist', 'I write.');
    const groupId = new URL(ada.page.url()).pathname.split('/').at(-1);
    const token = await ada.page.evaluate(
      () => (JSON.parse(Object.values(localStorage)[0] as string) as { accessToken: string }).accessToken,
    );
    for (let at = 1; at <= SAID; at += 1)
      await fetch(`${server.url}/v1/groups/${groupId}/messages`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          clientMsgId: randomUUID(),
          text: `Chapter ${at}. ${'And so on. '.repeat(at % 17)}`,
        }),
      });
    await acme.page.getByRole('link', { name: 'Open the group' }).click();
    // What was heard while it was open is there already.
    await ada.page.reload();
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => expect([...acme.faults, ...ada.faults]).toEqual([]));

  test('is drawn in part, and begins at the end', async () => {
    await message(ada.page, `Chapter ${SAID}.`).waitFor();
    expect(await ada.page.getByRole('article').count()).toBeLessThan(SAID / 3);
  });

  test('keeps its place when older messages are loaded', async () => {
    const { page } = ada;
    const box = history(page);
    const held: (() => Promise<void>)[] = [];
    await page.route(/beforeSeq=/, (route) => void held.push(() => route.continue()));
    /** What is in the middle of the box, and where. */
    const seen = () =>
      box.evaluate((element) => {
        const { left, top } = element.getBoundingClientRect();
        const article = document.elementFromPoint(left + 60, top + 200)?.closest('article');
        return `${article?.dataset['seq']} ${Math.round(article?.getBoundingClientRect().top ?? 0)}`;
      });
    const still = async () => {
      let last = '';
      await until(async () => last === (last = await seen()), 'a place that does not change');
      return last;
    };
    for (let pages = 0; pages < 3; pages += 1) {
      await box.evaluate((element) => {
        element.scrollTop = 300;
      });
      await until(() => held.length === 1, 'a request for older messages');
      const before = await still();
      const first = await box.locator('ol').evaluate((element) => element.clientHeight);
      await held.pop()!();
      await until(async () => {
        const now = await box.locator('ol').evaluate((element) => element.clientHeight);
        return now > first + 1_000;
      }, 'older messages');
      const [seq, at] = before.split(' ').map(Number);
      const article = page.locator(`article[data-seq="${seq}"]`);
      await still();
      expect(Math.abs((await article.boundingBox())!.y - at!)).toBeLessThanOrEqual(NEARLY);
    }
    await page.unroute(/beforeSeq=/);
  });

  test('stays where somebody reads when something is said, and leads to the end', async () => {
    const { page } = ada;
    const at = () => history(page).evaluate((element) => element.scrollTop);
    const before = await at();
    await say(acme.page, 'The news');
    await page.getByRole('log').getByText('Acme: The news').waitFor({ state: 'attached' });
    expect(Math.abs((await at()) - before)).toBeLessThanOrEqual(NEARLY);
    await page.getByRole('button', { name: 'To the newest messages' }).click();
    await message(page, 'The news').waitFor();
  });

  test('follows what is said at the end', async () => {
    for (const text of ['One', 'Two', 'Three'].map((each) => `${each} ${'more words '.repeat(60)}`)) {
      await say(acme.page, text);
      await message(ada.page, text.trim()).waitFor();
    }
    const distance = await history(ada.page).evaluate(
      (element) => element.scrollHeight - element.scrollTop - element.clientHeight,
    );
    expect(distance).toBeLessThanOrEqual(NEARLY);
  });

  test('begins at the first new message for somebody who has been away', async () => {
    await ada.page.getByRole('link', { name: 'Settings' }).click();
    for (let at = 0; at < 30; at += 1)
      await say(acme.page, `While you were away ${at}: ${'words '.repeat(40)}`);
    await ada.page
      .getByRole('link', { name: /^Messages/ })
      .first()
      .click();
    await ada.page.getByRole('link', { name: 'Novelist' }).click();
    const line = ada.page.getByText('New messages', { exact: true });
    await line.waitFor();
    expect(await line.evaluate((element) => element.getBoundingClientRect().top)).toBeGreaterThan(0);
    await ada.page.getByRole('button', { name: 'To the newest messages' }).click();
    await message(ada.page, 'While you were away 29').waitFor();
    await ada.page.getByRole('link', { name: 'Messages', exact: true }).waitFor();
  });
});
