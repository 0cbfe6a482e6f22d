import { createInvitationStore } from '../../src/adapters/postgres/tables/invitations.ts';
import { invitationLetter } from '../../src/notifications/templates/account-letters.ts';
import { ADDRESS_CHANGE, RESET, VERIFICATION, invitationTo } from '../support/journeys/account-letters.ts';
import { acme, ada, invitationId } from '../support/language/example-events.ts';
import { type WorkerStage, openWorkerStage } from '../support/stages/worker-stage.ts';

const address = 'ada@example.org';
const { userId } = ada;

let stage: WorkerStage;
beforeEach(async () => {
  stage = await openWorkerStage();
});
afterEach(() => stage.close());

const subjects = () => stage.mail.mails.map(({ mail }) => mail.subject);
/** Hands every unsettled letter to a worker, as the queue would. */
async function work(others?: Parameters<WorkerStage['workerWith']>[0]): Promise<void> {
  for (const { letterId, isDone } of await stage.accountLetters())
    if (!isDone) await stage.workerWith(others).handle(letterId);
}
const areDone = async () => (await stage.accountLetters()).map(({ isDone }) => isDone);

describe('an account letter', () => {
  test('is sent once, under a stable Message-ID and without List-Unsubscribe', async () => {
    await work();
    await work();
    const { letterId } = (await stage.accountLetters())[0]!;
    expect(stage.mail.mails).toHaveLength(1);
    const [{ mail, raw, to }] = stage.mail.mails as [(typeof stage.mail.mails)[0]];
    expect(to).toEqual([address]);
    expect(mail).toMatchObject({ messageId: `<${letterId}@jobs.example.org>`, subject: VERIFICATION });
    const link = `https://jobs.example.org/verify/${userId}/${address}`;
    expect(mail.text).toContain(`Confirm the address: ${link}\n`);
    expect(mail.html).toContain(`<a href="${link}">`);
    expect(raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(raw).not.toMatch(/^(?:List-Unsubscribe|Precedence)/m);
    expect(raw + String(mail.html)).not.toMatch(/Lovelace/);
    expect(await areDone()).toEqual([true]);
  });

  test('is retried after a temporary refusal and parked after thirteen attempts', async () => {
    stage.mail.refuse('recipient', 450);
    await work();
    const { letterId } = (await stage.accountLetters())[0]!;
    expect(await stage.state(letterId)).toMatchObject({ attempts: 1, parkReason: null });
    await stage.failed(letterId, 12);
    await work();
    expect(await stage.outbox.parked()).toMatchObject([{ batchId: letterId, notifications: 0 }]);
    stage.mail.works();
    await stage.outbox.replay([letterId]);
    await work();
    expect(subjects()).toEqual([VERIFICATION]);
    expect(stage.written()).not.toMatch(/ada@|verify\//);
  });

  test('is abandoned after a permanent refusal, and not parked: a mistyped address needs no operator', async () => {
    stage.mail.refuse('recipient', 550);
    await work();
    expect(await areDone()).toEqual([true]);
    expect(await stage.outbox.parked()).toEqual([]);
    expect(stage.written()).toContain('the mail server answered 550 5.1.1');
    expect(stage.written()).not.toMatch(/ada@|verify\//);
  });

  test('is repeated as the same letter after a crash', async () => {
    const settle = () => Promise.reject(new Error('the database is away'));
    const dying = { outbox: stage.outboxWith({ settle }), patienceMs: 0 };
    await expect(work(dying)).rejects.toThrow('the database is away');
    await work();
    const [first, second] = stage.mail.mails;
    expect(second!.mail.messageId).toBe(first!.mail.messageId);
    expect(second!.mail.text).toBe(first!.mail.text);
  });

  test('is not sent when its link has expired', async () => {
    stage.clock.now = new Date(Date.now() + 3_600_000);
    await work();
    expect(subjects()).toEqual([]);
    expect(await areDone()).toEqual([true]);
  });

  test('for verification is not sent to a confirmed address or to one that no account waits for', async () => {
    await stage.credentials.awaitEmail(userId, 'lovelace@example.org');
    await stage.credentials.keepEmail(userId);
    await stage.credentials.confirmEmail(userId, address);
    await work();
    expect(subjects()).toEqual([]);
    expect(await areDone()).toEqual([true, true]);
  });
});

describe('a password reset letter', () => {
  test('is sent to a verified address', async () => {
    await stage.credentials.confirmEmail(userId, address);
    await stage.credentials.sendReset(address);
    await work();
    expect(subjects()).toEqual([RESET]);
    expect(stage.mail.mails[0]!.mail.text).toMatch(/https:\/\/jobs\.example\.org\/reset\/[0-9a-f-]{36}\n/);
  });

  test('is not sent to an address without an account', async () => {
    await stage.credentials.confirmEmail(userId, address);
    await stage.credentials.sendReset('nobody@example.org');
    await work();
    expect(subjects()).toEqual([]);
    expect(await areDone()).toEqual([true, true]);
  });

  test('becomes a verification letter for an unverified address, at most three a day', async () => {
    await work();
    for (let asked = 0; asked < 3; asked += 1) await stage.credentials.sendReset(address);
    await work();
    expect(subjects()).toEqual([VERIFICATION, VERIFICATION, VERIFICATION]);
    expect(await areDone()).toEqual([true, true, true, true]);
    expect(await stage.credentials.sendVerification(userId, address)).toBe(false);
  });

  test('stays a verification letter once it has become one, even after a crash', async () => {
    await work();
    await stage.credentials.sendReset(address);
    const settle = () => Promise.reject(new Error('the database is away'));
    const dying = { outbox: stage.outboxWith({ settle }), patienceMs: 0 };
    await expect(work(dying)).rejects.toThrow('the database is away');
    await work();
    const [, first, again] = stage.mail.mails;
    expect(again!.mail.messageId).toBe(first!.mail.messageId);
    expect((await stage.accountLetters()).map(({ kind }) => kind)).toEqual(['verification', 'verification']);
  });
});

describe('a change of address', () => {
  test('sends a letter to the new address, and to the current one if it is verified', async () => {
    await work();
    await stage.credentials.awaitEmail(userId, 'first@example.org');
    await stage.credentials.confirmEmail(userId, address);
    await stage.credentials.awaitEmail(userId, 'second@example.org');
    await work();
    const told = stage.mail.mails.map(({ to, mail }) => [to[0], mail.subject]);
    expect(told.toSorted()).toEqual([
      [address, VERIFICATION],
      [address, ADDRESS_CHANGE],
      ['second@example.org', VERIFICATION],
    ]);
  });
});

describe('an invitation', () => {
  const invited = {
    ...{ invitationId, companyId: acme.userId, companyName: 'Acme <b>\r\nBcc: all' },
    role: 'recruiter',
  } as const;
  const open = async () => {
    const expiresAt = new Date(stage.clock.now.getTime() + 7 * 86_400_000);
    const store = createInvitationStore(stage.pool);
    await store.keep({ ...invited, address: 'grace@example.org', expiresAt });
    stage.invitations.set(invitationId, { ...invited, expiresAt: expiresAt.toISOString() });
    return expiresAt;
  };

  test('says who invites, for what and for how long, in a letter of its own', async () => {
    await open();
    await work();
    const { mail, to, raw } = stage.mail.mails.at(-1)!;
    expect(to).toEqual(['grace@example.org']);
    expect(mail.subject).toBe(invitationTo('Acme <b> Bcc: all'));
    expect(raw).not.toMatch(/^Bcc:/m);
    expect(mail.messageId).toBe(`<${invitationId}@jobs.example.org>`);
    expect(mail.text).toContain(
      'invites you to work in its team at jobs.example.org, in the role of recruiter.',
    );
    expect(mail.text).toContain('The link works once, for 7 days.');
    expect(mail.text).toContain(`https://jobs.example.org/join/${invitationId}\n`);
    expect(mail.html).toContain('Acme &lt;b&gt; Bcc');
  });

  test.each([
    ['Visit https://evil.example/win', 'Visit https:// evil. example/ win'],
    ['www.evil.example', 'www. evil. example'],
    ['evil。example', 'evil。 example'],
    ['me@evil.example', 'me@ evil. example'],
    ['Acme Inc.', 'Acme Inc.'],
  ])('names no link: %s', (companyName, shown) => {
    const { subject, text, html } = invitationLetter({
      ...{ site: 'jobs.example.org', url: 'https://jobs.example.org/join', role: 'viewer', companyName },
    });
    expect(subject).toBe(invitationTo(shown));
    for (const each of [text, html]) {
      expect(each).toContain(shown);
      expect(each).not.toMatch(/evil[.。]\S/u);
    }
  });

  test('is not sent once it has expired', async () => {
    stage.clock.now = await open();
    await work();
    expect(subjects()).toEqual([VERIFICATION]);
    expect(await areDone()).toEqual([true, true]);
  });

  test('is not sent once it was revoked or used', async () => {
    await open();
    stage.invitations.clear();
    await work();
    expect(subjects()).toEqual([VERIFICATION]);
    expect(await areDone()).toEqual([true, true]);
  });
});
