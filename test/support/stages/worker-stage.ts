import pg from 'pg';
import webPush from 'web-push';
import type { Batch, Channel, Notification } from '../../../src/notifications/notification.ts';
import type { Outbox } from '../../../src/notifications/outbox.ts';
import {
  type LetterInvitation,
  createWriteAccountLetter,
} from '../../../src/notifications/deliver/account-letters.ts';
import { type WorkerDeps, createWorker } from '../../../src/notifications/deliver/worker.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { createAccountLetterFacts } from '../../../src/adapters/postgres/notifications/account-letters.ts';
import { createCredentials } from '../../../src/adapters/postgres/tables/credentials.ts';
import { createOutbox } from '../../../src/adapters/postgres/notifications/outbox.ts';
import { createPushSubscriptions } from '../../../src/adapters/postgres/notifications/push-subscriptions.ts';
import { columnTypes, createPool, withSession } from '../../../src/adapters/postgres/connection.ts';
import { createSmtpMailer } from '../../../src/adapters/smtp/mailer.ts';
import { createWebPushPusher } from '../../../src/adapters/web-push/pusher.ts';
import { certificate } from '../servers/certificate.ts';
import { createTestDatabase } from './database.ts';
import { ada } from '../language/example-events.ts';
import { knownFacts, notification } from '../language/known-facts.ts';
import { linesOf } from '../log-lines.ts';
import { startMailServer } from '../servers/mail-server.ts';
import { startPushService } from '../servers/push-service.ts';

const INSERT = `
  insert into notifications
    (event_id, recipient_id, channel, kind, group_id, subject_id, seq, position, written_at, batch_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

const BATCH = `
  insert into notification_batches (batch_id, recipient_id, channel, gathered_at, publish_at)
  values ($1, $2, $3, $4, $4)`;

/** A link that expires after an hour. */
const linkTo = (path: string, writtenAt: Date) => ({
  url: `https://jobs.example.org/${path}`,
  endsAt: new Date(writtenAt.getTime() + 3_600_000),
});

/** A worker with the real outbox, a real mail server and a real push service; the test sets the facts. */
export async function openWorkerStage() {
  const database = await createTestDatabase();
  const owner = new pg.Client({ connectionString: withSession(database.ownerUrl, {}), types: columnTypes });
  await owner.connect();
  const log = linesOf('trace');
  const settings = { url: database.url, max: 3, applicationName: 'test', log: log.log };
  const pool = createPool(settings);
  const mail = await startMailServer();
  const vapid = { ...webPush.generateVAPIDKeys(), subject: 'mailto:ops@example.org' };
  const push = await startPushService({ vapidPublicKey: vapid.publicKey });
  const mailer = createSmtpMailer({ url: mail.url, from: 'Jobs <jobs@example.org>', log: log.log });
  const clock = { now: new Date('2026-03-01T12:00:00Z') };
  const outbox = createOutbox({ pool, now: () => clock.now });
  const subscriptions = createPushSubscriptions(pool);
  const credentials = createCredentials(pool);
  await credentials.add({
    userId: ada.userId,
    email: 'ada@example.org',
    passwordHash: '',
    role: 'applicant',
    displayName: 'Ada',
  });
  const { known, facts } = knownFacts();
  const counted: Record<string, number> = {};
  const invitations = new Map<string, LetterInvitation>();
  const deps: WorkerDeps = {
    outbox,
    facts,
    mailer,
    pusher: createWebPushPusher({ vapid, privateHosts: ['127.0.0.1'], log: log.log, ca: certificate }),
    subscriptions,
    writeAccountLetter: createWriteAccountLetter({
      facts: createAccountLetterFacts(pool),
      invitationOf: async (letterId) => invitations.get(letterId),
      links: {
        verification: (userId, address, writtenAt) => linkTo(`verify/${userId}/${address}`, writtenAt),
        reset: (letterId, writtenAt) => linkTo(`reset/${letterId}`, writtenAt),
        invitation: ({ invitationId, expiresAt }) => ({
          url: `https://jobs.example.org/join/${invitationId}`,
          endsAt: new Date(expiresAt),
        }),
      },
      siteUrl: 'https://jobs.example.org/board',
      now: () => clock.now,
    }),
    unsubscribeUrl: (userId) => `https://jobs.example.org/v1/unsubscribe?token=${userId}`,
    siteUrl: 'https://jobs.example.org/board',
    now: () => clock.now,
    log: log.log,
    metrics: {
      notificationsSettled(channel, outcome, count) {
        counted[`${channel} ${outcome}`] = (counted[`${channel} ${outcome}`] ?? 0) + count;
      },
    },
  };

  return {
    pool,
    outbox,
    credentials,
    subscriptions,
    mail,
    push,
    known,
    invitations,
    clock,
    counted,
    written: () => JSON.stringify(log.lines()),
    workerWith: (others: Partial<WorkerDeps> = {}) => createWorker({ ...deps, ...others }),
    /** The real outbox, except for the given functions. */
    outboxWith: (others: Partial<Outbox>): Outbox => ({ ...outbox, ...others }),
    /** Puts notifications to Ada into a batch, like the relay: the only one, or an additional one. */
    async batch(
      channel: Channel,
      notifications: readonly Notification[] = [notification(1)],
      { isOneMore = false } = {},
    ): Promise<string> {
      const batchId = newId();
      const { userId } = ada;
      if (!isOneMore) await owner.query('truncate notifications, notification_batches cascade');
      await owner.query(BATCH, [batchId, userId, channel, clock.now]);
      for (const { eventId, kind, groupId, subjectId, seq, position } of notifications)
        await owner.query(INSERT, [
          ...[eventId, userId, channel, kind, groupId, subjectId, seq, position],
          ...[clock.now, batchId],
        ]);
      return batchId;
    },
    async failed(batchId: string, attempts: number): Promise<void> {
      await owner.query('update notification_batches set attempts = $2 where batch_id = $1', [
        batchId,
        attempts,
      ]);
    },
    /** The account letters, oldest first. */
    async accountLetters() {
      const { rows } = await owner.query<{
        letterId: string;
        kind: string;
        address: string;
        isDone: boolean;
      }>(
        `select letter_id as "letterId", kind, address, done_at is not null as "isDone"
         from account_letters join notification_batches on batch_id = letter_id order by written_at`,
      );
      return rows;
    },
    /** The outcome of each notification, in order; null for waiting ones. */
    async outcomes(): Promise<(string | null)[]> {
      const { rows } = await owner.query<{ outcome: string | null }>(
        'select outcome from notifications order by position',
      );
      return rows.map(({ outcome }) => outcome);
    },
    async state(batchId: string) {
      const { rows } = await owner.query<{
        attempts: Batch['attempts'];
        publishAt: Date;
        lastError: string | null;
        parkReason: string | null;
      }>(
        `select attempts, publish_at as "publishAt", last_error as "lastError", park_reason as "parkReason"
         from notification_batches where batch_id = $1`,
        [batchId],
      );
      return rows[0]!;
    },
    async close() {
      await mailer.close();
      await Promise.all([mail.close(), push.close(), pool.end(), owner.end()]);
      await database.drop();
    },
  };
}

export type WorkerStage = Awaited<ReturnType<typeof openWorkerStage>>;
