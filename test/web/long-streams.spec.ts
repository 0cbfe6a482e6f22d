import { randomUUID } from 'node:crypto';
import type { Browser, Page, Route } from 'playwright-core';
import { ClientMsgId, GroupId, MessageId, UserId } from '../../src/events/ids.ts';
import { conversationStream } from '../../src/events/streams.ts';
import { append, range } from '../support/language/appends.ts';
import { event } from '../support/language/example-events.ts';
import { until } from '../../tools/until.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';
import { withPostgresLog } from '../support/stages/open-logs.ts';
import { type Visitor, openBrowser, visit } from '../support/web/browser.ts';
import { logIn } from '../support/web/people.ts';

const [APPENDS, EVENTS] = [20, 1_000];
const LAST = APPENDS * EVENTS - 1;

describe('The pages of a very long stream', () => {
  let app: TestApp;
  let browser: Browser;
  let visitor: Visitor;
  let page: Page;
  const groupId = GroupId.parse(randomUUID());
  const path = `/audit/streams/conversation-${groupId}`;
  beforeAll(async () => {
    [app, browser] = await Promise.all([startApp(), openBrowser()]);
    const senderId = UserId.parse(randomUUID());
    const sent = () =>
      event('MessageSent', {
        ...{ groupId, messageId: MessageId.parse(randomUUID()), senderId, text: 'And so on' },
        ...{ clientMsgId: ClientMsgId.parse(randomUUID()), fileIds: [], replyTo: null },
      });
    await withPostgresLog(app.databaseUrl, async (store) => {
      for (const _ of range(APPENDS))
        await store.append(append(conversationStream(groupId), range(EVENTS).map(sent)));
    });
    visitor = await visit(browser, app.url);
    ({ page } = visitor);
    await logIn(page, await app.hireAuditor());
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
  });
  afterEach(() => expect(visitor.faults).toEqual([]));

  const slider = () => page.getByRole('slider', { name: 'Revision' });
  const shows = (revision: number) =>
    page.getByRole('heading', { name: `State at revision ${revision}`, exact: true }).waitFor();

  test('draw a part of its events', async () => {
    await page.goto(path);
    await shows(LAST);
    await page.getByText(`Revision ${LAST} of ${LAST}: MessageSent`).waitFor();
    expect(await page.locator('.timeline > li').count()).toBe(50);
    expect(await page.locator('.tree').count()).toBeLessThan(200);
  });

  test('do not look at what the slider passes', async () => {
    const looks: string[] = [];
    page.on('request', (request) => {
      const revision = new URL(request.url()).searchParams.get('atRevision');
      if (revision !== null) looks.push(revision);
    });
    const { x, y, width, height } = (await slider().boundingBox())!;
    const middle = y + height / 2;
    await page.mouse.move(x + width - 8, middle);
    await page.mouse.down();
    for (const step of range(100)) await page.mouse.move(x + width - 8 - (width * step) / 200, middle);
    await page.mouse.up();
    const at = Number(await slider().inputValue());
    expect(at).toBeLessThan((LAST * 3) / 4);
    await shows(at);
    await page.getByText(`Revision ${at} of ${LAST}: MessageSent`).waitFor();
    expect(looks.length).toBeLessThan(12);
    expect(new URL(page.url()).search).toBe(`?revision=${at}`);
  });

  test('drop answers that were overtaken', async () => {
    await page.goto(`${path}?revision=100`);
    await shows(100);
    /** Every state that was shown, in its order. */
    const shown = () => page.evaluate(() => (globalThis as unknown as { shown: string[] }).shown);
    await page.evaluate(() => {
      const heading = document.querySelector('#state')!;
      const seen: string[] = [];
      Object.assign(globalThis, { shown: seen });
      const observer = new MutationObserver(() => seen.push(heading.textContent));
      observer.observe(heading, { subtree: true, characterData: true, childList: true });
    });
    const late: Route[] = [];
    await page.route(/atRevision=101&/, (route) => void late.push(route));
    await slider().focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL('**?revision=101');
    await until(() => late.length > 0, 'the first answer is held');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await shows(103);
    for (const route of late) await route.fulfill({ response: await route.fetch() }).catch(() => undefined);
    await page.keyboard.press('ArrowRight');
    await shows(104);
    expect(await shown()).toEqual(['State at revision 103', 'State at revision 104']);
  });
});
