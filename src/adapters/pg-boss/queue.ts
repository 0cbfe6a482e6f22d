import { PgBoss, type QueueOptions } from 'pg-boss';
import type { Logger } from 'pino';
import { z } from 'zod';
import { sleep } from '../../kit/back-off.ts';
import { reasonOf } from '../../kit/reason.ts';
import {
  DEAD_QUEUE,
  LANES,
  QUEUES,
  QUEUE_OF,
  type Queue,
  QueueUnavailable,
} from '../../notifications/deliver/queue.ts';
import { Client } from '../postgres/client.ts';
import { createPool, useOf, withSession } from '../postgres/connection.ts';
import { listen } from '../postgres/listen.ts';
import { inTransaction } from '../postgres/transactions.ts';
import { within } from '../../kit/deadline.ts';
import { type TraceContext, formatTraceparent, parseTraceparent } from '../../kit/trace-context.ts';

const SCHEMA = 'pgboss';
const APPLICATION_NAME = 'notifications queue';
const MAX_CONNECTIONS = 3;
const PUBLISH_DEADLINE_MS = 5_000;
const LOOK_AGAIN_MS = 1_000;
const STOP_DEADLINE_MS = 60_000;

/** A job of a killed worker is delivered again within 10 + 10 s. */
const LEASE: QueueOptions = { heartbeatSeconds: 10, expireInSeconds: 600 };
const ONE_HOUR = 3_600;
/** Number of retries before a job is dead. */
const RETRY_LIMIT = 5;
const RETRIES: QueueOptions = {
  retryLimit: RETRY_LIMIT,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 2,
};
/** A dead batch is retried until it succeeds. */
const DEAD_RETRIES: QueueOptions = {
  retryLimit: 1_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
};
/** Workers are woken when a job arrives. They also poll, for delayed jobs and for missed wake-ups. */
const POLLING = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 2 };

const Job = z.object({ batchId: z.uuid(), traceparent: z.string().optional() });

/**
 * Creates the queue in PostgreSQL, in the schema `pgboss` of the same database.
 * Rejects when the database is out of reach; afterwards it reconnects by itself.
 */
export async function createPgBossQueue({ url, log }: { url: string; log: Logger }): Promise<Queue> {
  await createSchema(url);
  const pool = createPool({ url, max: MAX_CONNECTIONS, applicationName: APPLICATION_NAME, log });
  const boss = new PgBoss({
    // pg-boss's own connections know one host.
    db: {
      executeSql: (text, values) => pool.query(text, values),
      async listen(channel, onNotification, onConnected) {
        const closing = new AbortController();
        const { signal } = closing;
        const ended = listen({
          ...{ url, log },
          channel,
          applicationName: APPLICATION_NAME,
          onConnected,
          onNotification,
          signal,
        });
        return {
          async close() {
            closing.abort();
            await ended;
          },
        };
      },
    },
    schema: SCHEMA,
    createSchema: false,
    useListenNotify: true,
    schedule: false,
    registerInstance: false,
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
    monitorVacuum: false,
  });
  let failure: string | undefined;
  const closing = new AbortController();

  /** Records a failure, and clears it as soon as the database answers again. */
  function noteFailure(reason: string): void {
    const isKnown = failure !== undefined;
    failure = reason;
    if (isKnown) return;
    log.warn({ reason }, 'the queue in PostgreSQL is unreachable; retrying');
    void lookAgain();
  }

  async function lookAgain(): Promise<void> {
    while (!closing.signal.aborted && failure !== undefined) {
      await sleep(LOOK_AGAIN_MS, closing.signal);
      try {
        await pool.query('select 1');
        failure = undefined;
        log.info('the queue in PostgreSQL is reachable again');
      } catch (error) {
        failure = reasonOf(error);
      }
    }
  }

  boss.on('error', (error) => noteFailure(reasonOf(error)));
  boss.on('warning', ({ message }) => log.info({ reason: message }, 'pg-boss warns'));
  await boss.start();
  await boss.createQueue(DEAD_QUEUE, {
    ...LEASE,
    ...DEAD_RETRIES,
    deleteAfterSeconds: ONE_HOUR,
    notify: true,
  });
  for (const lane of LANES)
    await boss.createQueue(QUEUE_OF[lane], {
      ...LEASE,
      ...RETRIES,
      deleteAfterSeconds: ONE_HOUR,
      deadLetter: DEAD_QUEUE,
      notify: true,
    });

  /**
   * Starts one worker of a queue, which takes one job at a time. Resolves with a function that stops it, once
   * its job is done.
   */
  async function work(name: string, take: (batchId: string, trace?: TraceContext) => Promise<void>) {
    const id = await boss.work(name, POLLING, async ([job]) => {
      const parsed = Job.safeParse(job?.data);
      if (!parsed.success) return log.warn({ queue: name }, 'dropped a job that is not a batch');
      try {
        await take(parsed.data.batchId, parseTraceparent(parsed.data.traceparent));
      } catch (err) {
        log.warn(
          { err, batchId: parsed.data.batchId, queue: name },
          'could not handle a batch; it is delivered again',
        );
        throw err;
      } finally {
        // There may be more jobs, and the worker would poll only after its pause.
        boss.notifyWorker(id);
      }
    });
    return () => boss.offWork(name, { id, wait: true });
  }

  return {
    async publish(batchId, lane, trace) {
      const job = { batchId, ...(trace && { traceparent: formatTraceparent(trace) }) };
      try {
        await within(boss.send(QUEUE_OF[lane], job), PUBLISH_DEADLINE_MS, () => {
          throw new QueueUnavailable('PostgreSQL took no job within 5 s');
        });
      } catch (error) {
        noteFailure(reasonOf(error));
        throw new QueueUnavailable(reasonOf(error), { cause: error });
      }
    },
    async consume({ handle, onDead, concurrency }) {
      const reason = `its handling failed ${1 + RETRY_LIMIT} times`;
      const stops = [await work(DEAD_QUEUE, (batchId) => onDead(batchId, reason))];
      for (const lane of LANES)
        for (let n = 0; n < concurrency[lane]; n += 1) stops.push(await work(QUEUE_OF[lane], handle));
      return {
        async stop() {
          await Promise.all(stops.map((stop) => stop()));
        },
      };
    },
    async depths() {
      const queues = await boss.getQueues([...QUEUES]);
      return queues.map(({ name, queuedCount }) => ({ queue: name, messages: queuedCount }));
    },
    failure: () => failure,
    poolUse: () => useOf(pool),
    async close() {
      closing.abort();
      await boss.stop({ graceful: true, timeout: STOP_DEADLINE_MS });
      await pool.end();
    },
  };
}

async function createSchema(url: string): Promise<void> {
  const client = new Client({ connectionString: withSession(url, {}), connectionTimeoutMillis: 3_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    // One at a time: two nodes that start at once would both find that the schema is missing.
    await inTransaction(client, async () => {
      await client.query(`select pg_advisory_xact_lock(hashtext('${SCHEMA}'))`);
      await client.query(`create schema if not exists ${SCHEMA}`);
    });
  } finally {
    await client.end();
  }
}
