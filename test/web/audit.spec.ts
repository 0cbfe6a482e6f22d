import type { Browser, Page } from 'playwright-core';
import { type Session, logIn } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { type Audited, ask, sealed, talkedAbout, tell } from '../support/web/audited.ts';
import { barriers, openBrowser, visit } from '../support/web/browser.ts';
import { type Someone, appoint, logIn as signIn } from '../support/web/people.ts';

const SECRET = 'My salary is <img src=x onerror="alert(1)"> شكرا';

/** The browser reports answers that a test has made up, or provoked. */
const isProvoked = (fault: string) => /status of (?:403|404|429|503)/.test(fault);

describe('An auditor', () => {
  let server: ServerProcess;
  let browser: Browser;
  let grace: Someone;
  let auditor: Session;
  let told: Audited;
  let page: Page;
  beforeAll(async () => {
    [server, browser] = await Promise.all([startServer(), openBrowser()]);
    told = await talkedAbout(server.url, SECRET);
    grace = await appoint(browser, server, 'auditor', 'Grace');
    auditor = await logIn(server.url, grace.email, grace.password);
    ({ page } = grace);
  });
  afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  afterEach(() => expect(grace.faults.filter((fault) => !isProvoked(fault))).toEqual([]));

  const slider = (name: string) => page.getByRole('slider', { name });
  const said = (n: number) => page.getByRole('article', { name: `Message ${n}`, exact: true });
  const banner = () => page.getByRole('region', { name: 'Open access' });

  async function openTexts(reason: string): Promise<void> {
    await page.getByRole('link', { name: 'Open the texts for a reason' }).click();
    await page.getByLabel('Reason').fill(reason);
    await page.getByLabel('Minutes').fill('15');
    await page.getByRole('button', { name: 'Open the texts' }).click();
    await banner().waitFor();
  }
  async function endAccess(): Promise<void> {
    await banner().getByRole('button', { name: 'End now' }).click();
    await banner().waitFor({ state: 'detached' });
  }

  test('finds a deletion, and travels to the moment before it', async () => {
    await page.goto('/audit');
    await page.getByLabel('Type').fill('MessageDeleted');
    await page.getByRole('button', { name: 'Find' }).click();
    const deletion = page.getByRole('article', { name: /^MessageDeleted/ });
    await deletion.waitFor();
    expect(await page.getByRole('article').count()).toBe(1);
    await deletion.getByRole('link', { name: 'The conversation at this moment' }).click();
    await said(1)
      .getByText(/^Deleted /)
      .waitFor();
    expect(await slider('Moment').inputValue()).toBe('3');
    await slider('Moment').focus();
    await page.keyboard.press('ArrowLeft');
    await said(1).getByText('[redacted]').waitFor();
    expect(await slider('Moment').getAttribute('aria-valuetext')).toMatch(
      /^After event 2 of 3: MessageSent, /,
    );
    expect(await page.getByText(told.ada.userId).count()).toBeGreaterThan(1);
    expect(await page.content()).not.toContain('salary');
  });

  test('reads the text for a reason, where it stood, until the access is ended', async () => {
    await openTexts('Complaint 4711');
    await said(1).getByText(SECRET).waitFor();
    await banner().getByText('Complaint 4711').waitFor();
    await banner().getByText('15 minutes left').waitFor();
    expect(new URL(page.url()).search).toBe('?seq=2');
    // As a text, also if it looks like something else.
    expect(await said(1).locator('img').count()).toBe(0);
    await page.reload();
    await said(1).getByText(SECRET).waitFor();
    // Also while the server takes its time.
    const isLook = /\/v1\/audit\/(?:groups|streams)/;
    const { promise: later, resolve: goOn } = Promise.withResolvers<void>();
    await page.route(isLook, (route) => later.then(() => route.continue()));
    await endAccess();
    await page.getByText('Loading…').waitFor();
    expect(await page.content()).not.toContain('salary');
    goOn();
    await said(1).getByText('[redacted]').waitFor();
    await page.unroute(isLook);
    await page.getByText('Texts are redacted again.').first().waitFor();
    const { data } = await ask<{ data: { reason: string; endedAt: string | null }[] }>(
      ...([auditor, 'GET', '/v1/audit/access-grants'] as const),
    );
    expect(data).toMatchObject([{ reason: 'Complaint 4711', endedAt: expect.any(String) }]);
  });

  test('finds the chosen moment again with the buttons of the browser', async () => {
    await page.goto(`/audit/groups/${told.groupId}?seq=1`);
    await said(1).waitFor();
    await page.getByRole('link', { name: 'Who came and went' }).click();
    await page.getByRole('heading', { name: 'State at revision 1' }).waitFor();
    await slider('Revision').focus();
    await page.keyboard.press('Home');
    await page.getByRole('heading', { name: 'State at revision 0' }).waitFor();
    await page.goBack();
    await said(1).getByText('[redacted]').waitFor();
    expect(await slider('Moment').inputValue()).toBe('1');
    await page.goForward();
    await page.getByRole('heading', { name: 'State at revision 0' }).waitFor();
    expect(await slider('Revision').inputValue()).toBe('0');
  });

  test('sees what an event changed in a stream, in words', async () => {
    await page.goto(`/audit/streams/chatGroup-${told.groupId}`);
    const joined = page.locator('.tree li', { hasText: told.ada.userId }).last();
    await joined.getByText('new', { exact: true }).waitFor();
    const text = slider('Revision');
    await page.getByText('Revision 1 of 1: MemberJoined').waitFor();
    expect(await text.getAttribute('aria-valuetext')).toMatch(/^Revision 1 of 1: MemberJoined, /);
    await page.getByRole('button', { name: 'One step back' }).click();
    await page.getByText('Nothing was before this event.').waitFor();
    expect(await page.locator('.tree', { hasText: told.ada.userId }).count()).toBe(0);
  });

  test('goes to a date and a time', async () => {
    await page.goto(`/audit/groups/${told.groupId}`);
    await said(1).waitFor();
    await page.getByLabel('Date and time').fill('2020-01-01T00:00:00.000');
    await page.getByRole('button', { name: 'Go to this time' }).click();
    await page.getByText('The group did not exist then.').waitFor();
    await page.getByRole('button', { name: 'To now' }).click();
    await said(1)
      .getByText(/^Deleted /)
      .waitFor();
    await page.getByLabel('Date and time').fill('2030-01-01T00:00:00.000');
    await page.getByRole('button', { name: 'Go to this time' }).click();
    await page.waitForURL(/\?at=20(?:29|30)/);
    await said(1)
      .getByText(/^Deleted /)
      .waitFor();
  });

  test('follows a message to the membership that it relied on, and on to the job', async () => {
    await page.goto('/audit?type=MessageSent');
    await page.getByRole('link', { name: 'Causes and effects' }).first().click();
    await page.getByRole('heading', { name: 'MessageSent', level: 1 }).waitFor();
    const relied = page.locator('.branches > li', { hasText: 'was what the decision relied on' });
    await relied
      .getByRole('article', { name: /^MemberJoined/ })
      .first()
      .waitFor();
    const cause = page.locator('.branches > li', { hasText: 'was its cause' }).last();
    await cause
      .getByRole('article', { name: /^ApplicationSubmitted/ })
      .getByRole('link', { name: 'Causes and effects' })
      .click();
    await page.getByRole('heading', { name: 'ApplicationSubmitted', level: 1 }).waitFor();
    await page
      .getByRole('link', { name: `job-${told.jobId}` })
      .first()
      .click();
    await page
      .getByRole('article', { name: /^JobPosted/ })
      .getByRole('link', { name: 'Causes and effects' })
      .click();
    await page.getByRole('heading', { name: 'JobPosted', level: 1 }).waitFor();
    const effect = page.locator('.branches > li', { hasText: 'was caused by it' });
    await effect
      .getByRole('article', { name: /^ChatGroupCreated/ })
      .first()
      .waitFor();
    await effect
      .getByRole('link', { name: `chatGroup-${told.groupId}` })
      .first()
      .click();
    await page.getByRole('heading', { name: `chatGroup-${told.groupId}`, level: 1 }).waitFor();
  });

  test('lists the streams of an id, and reads the log page by page', async () => {
    for (let n = 0; n < 55; n += 1) await tell(told.acme, told.groupId, `Chapter ${n}`);
    await page.goto('/audit');
    await page.getByLabel('Stream').fill(told.groupId);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('link', { name: `chatGroup-${told.groupId}` }).waitFor();
    await page.getByRole('link', { name: `conversation-${told.groupId}` }).click();
    await page.getByRole('link', { name: 'Its events in the log' }).click();
    await page.getByText('50 events on this page').waitFor();
    await page.getByRole('link', { name: 'Next events' }).click();
    await page.getByText('8 events on this page').waitFor();
    await page.locator('h2:focus').waitFor();
    await page.getByText('This is the end of the log.').waitFor();
    await page.goBack();
    await page.getByText('50 events on this page').waitFor();
    // A stream is shown in part as well.
    await page.goto(`/audit/streams/conversation-${told.groupId}`);
    await page.getByText('Revision 57 of 57: MessageSent').waitFor();
    expect(await page.locator('.timeline > li').count()).toBe(8);
    await page.getByRole('link', { name: 'Earlier events' }).click();
    await page.getByRole('heading', { name: 'State at revision 49' }).waitFor();
    await page.getByRole('article', { name: /, 49$/ }).getByText('shown').waitFor();
    expect(await page.locator('.timeline > li').count()).toBe(50);
  });

  test('checks in the browser that an event is sealed, and sees a forged answer', async () => {
    await page.goto('/audit?type=JobPosted');
    await page.getByRole('link', { name: 'Causes and effects' }).click();
    const place = await page
      .getByText(/^revision 0, position \d+$/)
      .first()
      .textContent();
    await sealed(auditor, /\d+$/.exec(place!)![0]);
    const check = page.getByRole('button', { name: 'Check the proof in this browser' });
    await check.click();
    await page.getByText('Everything that was checked holds.').waitFor();
    expect(await page.locator('.verdict.holds').count()).toBe(3);

    const isProof = /\/v1\/audit\/proof/;
    await page.route(isProof, async (route) => {
      const answer = await route.fetch();
      const proof = (await answer.json()) as { leaf: string; event: Record<string, unknown> };
      await route.fulfill({
        response: answer,
        json: { ...proof, event: { ...proof.event, type: 'JobClosed' } },
      });
    });
    await check.click();
    await page.getByRole('alert').getByText('Something does not hold.').waitFor();
    expect(await page.locator('.verdict.broken').allTextContents()).toEqual([
      'DOES NOT HOLD',
      'DOES NOT HOLD',
    ]);
    expect(await barriers(page)).toEqual([]);
    await page.unroute(isProof);
  });

  test('works in a browser that keeps nothing', async () => {
    const other = await visit(browser, server.url);
    await other.page.addInitScript(() => {
      for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(globalThis, name, {
          get() {
            throw new DOMException('The user denies it', 'SecurityError');
          },
        });
    });
    await other.page.reload();
    await signIn(other.page, grace);
    await other.page.getByRole('article').first().waitFor();
    await other.page.getByRole('link', { name: 'Verification' }).click();
    await other.page.getByText('Everything that was checked holds.').waitFor();
    await other.page.getByRole('button', { name: 'Keep this checkpoint' }).click();
    await other.page.getByRole('alert').getByText('That did not work.').waitFor();
    expect(other.faults).toEqual([]);
    await other.page.context().close();
  });

  test('keeps a checkpoint, against which the log is checked later', async () => {
    await page.goto('/audit/checkpoints');
    await page.getByText('Everything that was checked holds.').waitFor();
    await page.getByText('this browser keeps no checkpoint yet').waitFor();
    await page.getByRole('button', { name: 'Keep this checkpoint' }).click();
    await page.getByText('The log still begins with the').waitFor();
    expect(await page.locator('.verdict.broken').count()).toBe(0);
    // Another log, which the server signs just as well.
    await page.evaluate(() => {
      const kept = JSON.parse(localStorage.getItem('audit-checkpoint')!) as { root: string };
      const root = `${kept.root.startsWith('A') ? 'B' : 'A'}${kept.root.slice(1)}`;
      localStorage.setItem('audit-checkpoint', JSON.stringify({ ...kept, root }));
    });
    await page.reload();
    await page.getByRole('alert').getByText('Something does not hold.').waitFor();
    await page.evaluate(() => localStorage.removeItem('audit-checkpoint'));
  });

  test('is told when an access ends while reading, and reads on without the texts', async () => {
    await page.goto(`/audit/groups/${told.groupId}?seq=2`);
    await openTexts('Complaint 4712');
    await said(1).getByText(SECRET).waitFor();
    const { data } = await ask<{ data: { grantId: string }[] }>(auditor, 'GET', '/v1/audit/access-grants');
    await ask(auditor, 'DELETE', `/v1/audit/access-grants/${data[0]!.grantId}`);
    await page.getByRole('button', { name: 'One step back' }).click();
    await said(1).getByText('[redacted]').waitFor();
    await page.getByText('The access to personal text has ended.').first().waitFor();
    expect(await banner().count()).toBe(0);
    await page.getByRole('link', { name: 'Access', exact: true }).click();
    const own = page.getByRole('listitem').filter({ hasText: 'Complaint 4712' });
    await own.getByText('ended early').waitFor();
  });

  test('can try again when the server is busy, or does not answer', async () => {
    let refusals = 0;
    const isLog = /\/v1\/audit\/events/;
    const refuse = (status: number, code: string) =>
      page.route(isLog, (route) => {
        refusals += 1;
        const headers = { 'content-type': 'application/problem+json', 'retry-after': '10' };
        return route.fulfill({ status, headers, json: { code, status, title: code, retryable: true } });
      });
    await refuse(429, 'TOO_MANY_EXPORTS');
    await page.goto('/audit');
    await page.getByText('The server reads the log for others.').waitFor();
    await page.unroute(isLog);
    await refuse(503, 'UNAVAILABLE');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('That did not work.').waitFor();
    await page.unroute(isLog);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('50 events on this page').waitFor();
    expect(refusals).toBe(2);
  });

  test('goes on where an answer ended before the end of the log', async () => {
    const isLog = /\/v1\/audit\/events/;
    const next = page.getByRole('link', { name: 'Next events' });
    await page.goto('/audit?type=JobPosted');
    await page.getByText('1 event on this page').waitFor();
    const answer = (body: string) =>
      page.route(isLog, (route) => route.fulfill({ contentType: 'application/x-ndjson', body }));
    await answer('{"next":"2"}\n');
    await page.reload();
    await page.getByText('The rest has not been looked at.').waitFor();
    expect(await next.getAttribute('href')).toBe('/audit?type=JobPosted&after=2');
    await page.unroute(isLog);
    await next.click();
    await page.getByText('1 event on this page').waitFor();
  });

  test('holds a group, releases it after a question, and erases a person whose id was typed', async () => {
    await page.goto(`/audit/groups/${told.groupId}`);
    await page.getByRole('link', { name: 'Hold it' }).click();
    expect(await page.getByLabel('Id of the group').inputValue()).toBe(told.groupId);
    await page.getByLabel('Reason').fill('Acme v. Lovelace');
    await page.getByRole('button', { name: 'Place the hold' }).click();
    await page.getByText('The hold is placed.').waitFor();
    const hold = page.getByRole('listitem').filter({ hasText: 'Acme v. Lovelace' });
    await hold.getByText('active').waitFor();

    await page.getByLabel('Id of the user').fill(told.ada.userId);
    await page.getByRole('button', { name: 'Erase this person' }).click();
    const question = page.getByRole('dialog');
    await question.getByLabel('Type the id of the user').fill(told.acme.userId);
    await question.getByRole('button', { name: 'Erase' }).click();
    expect(await question.isVisible()).toBe(true);
    expect(await barriers(page)).toEqual([]);
    await question.getByRole('button', { name: 'Cancel' }).click();
    await question.waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.has('erasure')).toBe(false);

    await page.getByRole('button', { name: 'Erase this person' }).click();
    await question.getByLabel('Type the id of the user').fill(told.ada.userId);
    await page.keyboard.press('Enter');
    await page.getByText('A hold suspends the erasure.').waitFor();
    await hold.getByRole('button', { name: 'Release the hold of' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
    await page.getByText('The hold is released.').waitFor();
    await hold.getByText('released').waitFor();
    await page.getByText('The person is erased.').waitFor({ timeout: 60_000 });
  }, 90_000);

  test('sees of an erased person what is left, with an access too', async () => {
    await page.goto(`/audit/groups/${told.groupId}?seq=2`);
    await openTexts('Complaint 4713');
    await said(1)
      .getByText(/^The text was erased /)
      .waitFor();
    await said(2).getByText('Thank you').waitFor();
    expect(await page.content()).not.toContain('salary');
    await endAccess();
  });

  test('downloads what is stored about a person', async () => {
    await page.goto('/audit/privacy');
    await page.getByLabel('Id of the person').fill(told.acme.userId);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the export' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe(`${told.acme.userId}.ndjson`);
    const lines: string[] = [];
    for await (const part of await file.createReadStream()) lines.push(String(part));
    expect(lines.join('')).toContain('"kind":"account"');
    expect(lines.join('')).toContain('[redacted]');
  });

  test('loses the access when its time is over', async () => {
    await page.clock.install();
    await page.goto(`/audit/groups/${told.groupId}?seq=3`);
    await openTexts('Complaint 4714');
    await said(2).getByText('Thank you').waitFor();
    await page.clock.fastForward('14:30');
    await banner().getByText('1 minute left').waitFor();
    await page.clock.fastForward('00:31');
    await said(2).getByText('[redacted]').waitFor();
    await page.getByText('The access to personal text has ended.').first().waitFor();
    expect(await banner().count()).toBe(0);
  });
});
