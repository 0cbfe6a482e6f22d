import { NotDelivered } from '../../../src/notifications/deliver/mailer.ts';
import { createLogMailer } from '../../../src/adapters/log-only/mailer.ts';
import { createSmtpMailer } from '../../../src/adapters/smtp/mailer.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type MailServer, startMailServer } from '../../support/servers/mail-server.ts';
import { until } from '../../../tools/until.ts';

const mail = {
  messageId: '<0190-batch@jobs.example.org>',
  to: { name: 'Ada "The Countess" Lovelace, née Byron', address: 'ada@example.org' },
  subject: 'Zoë wrote in Engineer 🚂',
  html: '<p>Grüße, and a line that is longer than any line of mail may be</p>'.repeat(40),
  text: 'Grüße\n.\n> a line that is a dot ends a mail',
  unsubscribeUrl: `https://jobs.example.org/v1/unsubscribe?token=${'t'.repeat(300)}`,
};

const log = linesOf('trace');
const written = () => JSON.stringify(log.lines());
let server: MailServer;
let mailer: ReturnType<typeof createSmtpMailer>;

beforeEach(async () => {
  server = await startMailServer();
  mailer = createSmtpMailer({ url: server.url, from: 'Jobs <jobs@example.org>', log: log.log });
});
afterEach(async () => {
  await mailer.close();
  await server.close();
});

const refused = (isFinal: boolean, message: string) => ({ name: 'NotDelivered', isFinal, message });

describe('a mail', () => {
  test('arrives as written', async () => {
    await mailer.send(mail);
    const [received] = server.mails;
    expect(received).toMatchObject({ from: 'jobs@example.org', to: ['ada@example.org'] });
    expect(received!.mail).toMatchObject({
      subject: mail.subject,
      messageId: mail.messageId,
      from: { value: [{ name: 'Jobs', address: 'jobs@example.org' }] },
      to: { value: [{ name: mail.to.name, address: mail.to.address }] },
      html: mail.html,
    });
    expect(received!.mail.text?.trimEnd()).toBe(mail.text);
  });

  test('has one-click unsubscribe, and is marked as automatic', async () => {
    await mailer.send(mail);
    const head = server.mails[0]!.raw.split('\r\n\r\n', 1)[0]!.replace(/\r\n[ \t]+/g, ' ');
    const header = (name: string) => new RegExp(`^${name}: *(.*)$`, 'im').exec(head)?.[1];
    expect(header('List-Unsubscribe')).toBe(`<${mail.unsubscribeUrl}>`);
    expect(header('List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click');
    expect(header('Auto-Submitted')).toBe('auto-generated');
    expect(header('Message-ID')).toBe(mail.messageId);
  });

  test('gets no extra headers from a name or a subject', async () => {
    await mailer.send({
      ...mail,
      subject: 'Hello\r\nBcc: eve@example.org',
      to: { name: 'Ada\r\nBcc: eve@example.org', address: 'ada@example.org' },
    });
    expect(server.mails[0]!.to).toEqual(['ada@example.org']);
    expect(server.mails[0]!.mail.headers.has('bcc')).toBe(false);
  });

  test('goes over at most five connections', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, n) => mailer.send({ ...mail, messageId: `<${n}@example.org>` })),
    );
    expect(new Set(server.mails.map(({ mail: { messageId } }) => messageId)).size).toBe(30);
    expect(server.connections()).toBeLessThanOrEqual(5);
  });
});

describe('a mail server that refuses', () => {
  test.each([
    ['recipient', 550, true],
    ['data', 554, true],
    ['recipient', 450, false],
    ['data', 451, false],
    ['sender', 553, false],
    ['connect', 554, false],
    ['connect', 421, false],
  ] as const)('at the %s with %i fails with isFinal %s', async (at, code, isFinal) => {
    server.refuse(at, code, 'ada@example.org is not wanted');
    await expect(mailer.send(mail)).rejects.toMatchObject(
      refused(isFinal, `the mail server answered ${code}`),
    );
    server.works();
    await mailer.send(mail);
    expect(server.mails).toHaveLength(1);
  });

  test('is quoted in numbers only: its text may contain the recipient', async () => {
    server.refuse('recipient', 550, '5.1.1 ada@example.org is not known');
    await expect(mailer.send(mail)).rejects.toMatchObject(
      refused(true, 'the mail server answered 550 5.1.1'),
    );
    expect(written()).not.toContain('ada@example.org');
  });

  test('the password is a temporary failure', async () => {
    const guarded = await startMailServer({ login: { user: 'jobs', password: 'secret' } });
    const url = guarded.url.replace('secret', 'mistaken');
    const stranger = createSmtpMailer({ url, from: 'jobs@example.org', log: log.log });
    await expect(stranger.send(mail)).rejects.toMatchObject({ isFinal: false });
    const known = createSmtpMailer({ url: guarded.url, from: 'jobs@example.org', log: log.log });
    await known.send(mail);
    expect(guarded.mails).toHaveLength(1);
    expect(written()).not.toMatch(/secret|mistaken/);
    await Promise.all([stranger.close(), known.close()]);
    await guarded.close();
  });
});

describe('an unreliable mail server', () => {
  test('that drops the connection after the final dot gets the mail once, until it is sent again', async () => {
    server.dropAfterData();
    await expect(mailer.send(mail)).rejects.toMatchObject({ name: 'NotDelivered', isFinal: false });
    expect(server.mails).toHaveLength(1);
    server.works();
    await mailer.send(mail);
    expect(server.mails.map((received) => received.mail.messageId)).toEqual([mail.messageId, mail.messageId]);
  });

  test('that never answers is abandoned after a limited time', async () => {
    server.hang();
    const hasty = createSmtpMailer({
      url: server.url,
      from: 'a@example.org',
      log: log.log,
      sendWithinMs: 200,
    });
    const sent = await Promise.allSettled(Array.from({ length: 12 }, () => hasty.send(mail)));
    for (const each of sent) expect(each).toMatchObject({ reason: { name: 'NotDelivered', isFinal: false } });
    // Mails that waited for a connection are given up like the others, not sent later.
    server.works();
    await hasty.send(mail);
    expect(server.mails).toHaveLength(1);
    await hasty.close();
  });

  test('that never stops talking is abandoned', async () => {
    server.stall();
    const hasty = createSmtpMailer({
      url: server.url,
      from: 'a@example.org',
      log: log.log,
      sendWithinMs: 200,
    });
    await expect(hasty.send(mail)).rejects.toMatchObject({ name: 'NotDelivered', isFinal: false });
    await hasty.close();
  });

  test('that closes every connection is tried once, until the mail is sent again', async () => {
    server.slam();
    await expect(mailer.send(mail)).rejects.toMatchObject({ name: 'NotDelivered', isFinal: false });
    expect(server.connections()).toBe(1);
  });

  test('that is down is a temporary failure', async () => {
    const { url } = server;
    await server.close();
    const sending = mailer.send(mail);
    await expect(sending).rejects.toThrow(NotDelivered);
    await expect(sending).rejects.toMatchObject({ isFinal: false });
    const late = createSmtpMailer({ url, from: 'a@example.org', log: log.log });
    expect(await late.failure()).toMatch(/^the mail server cannot be used: /);
    await late.close();
    server = await startMailServer();
  });

  test('is probed only now and then', async () => {
    expect(await mailer.failure()).toBeUndefined();
    for (let n = 0; n < 20; n += 1) await mailer.failure();
    await until(() => server.connections() > 0);
    expect(server.connections()).toBe(1);
  });
});

describe('without a mail server', () => {
  test('logs that a letter would have been sent, without its recipient or text', async () => {
    const { log: quiet, lines } = linesOf('info');
    const logMailer = createLogMailer({ log: quiet });
    await logMailer.send({ ...mail, html: 'the-html', text: 'the-text' });
    await logMailer.close();
    expect(lines()).toMatchObject([{ messageId: mail.messageId, subject: mail.subject }]);
    expect(JSON.stringify(lines())).not.toMatch(/ada@example|the-html|the-text|token/);
  });
});
