import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The measurements, in the terms of the system; docs/operations.md lists the names in Prometheus. */
export interface Metrics {
  /** One commit of the log: its contents, and the time until it was on stable storage. */
  batchCommitted(batch: { appends: number; events: number; durationMs: number }): void;
  /** Number of damaged streams that this process has come across. */
  streamsDamaged(count: number): void;
  /** Number of events that the last checkpoint covers. */
  sealed(events: number): void;
  /** The log is not what was sealed. */
  sealBroken(): void;
  projectionLag(projection: string, positions: number): void;
  automationLag(positions: number): void;
  /** A rule refused the command that should have followed from an event. */
  automationRefused(refused: { automation: string; code: string }): void;
  broadcasterLag(positions: number): void;
  socketOpened(): void;
  socketClosed(): void;
  slowConsumerCut(): void;
  /** Number of frames handed to sockets. */
  delivered(count: number): void;
  /** A command, query or handshake answered with a problem. */
  refused(code: string): void;
  /** `route` is the pattern, never the path: each value of a label is a series of its own. */
  requestAnswered(labels: { route: string; method: string; status: number }, seconds: number): void;
  /** An inspection ended: `cleared`, or the reason of the refusal. */
  fileDecided(outcome: string, seconds: number): void;
  /** The outcome of notifications: `sent`, or the reason why not. */
  notificationsSettled(channel: string, outcome: string, count: number): void;
  notifierLag(positions: number, seconds: number): void;
  /** Number of large audiences that are being notified in slices, and the age of the oldest. */
  fanOutsInWork(count: number, seconds: number): void;
  notificationsWaiting(waiting: number, parked: number): void;
  /** Number of expired rows of a table that are not deleted yet. */
  expiredRows(table: string, count: number): void;
  /** True if a gauge that has to query another part is up to date; otherwise its last value stays. */
  gaugeFresh(gauge: string, isFresh: boolean): void;
  /** Resolves with the text that Prometheus scrapes, and its content type. */
  expose(): Promise<{ contentType: string; body: string }>;
}

const APPEND_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const INSPECTION_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180];
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** Counts that other parts keep. */
export interface Figures {
  /** Returns the number of log lines that were lost because they were not read. */
  lostLines?: () => number;
}

/** Creates the metrics with a registry of their own, so that two servers in one process do not mix. */
export function createMetrics({ lostLines = () => 0 }: Figures = {}): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });

  const appendSeconds = new Histogram({
    name: 'chat_append_seconds',
    help: 'Time a commit of the log took to reach stable storage',
    buckets: APPEND_SECONDS,
    registers,
  });
  const batchSize = new Histogram({
    name: 'chat_append_batch_size',
    help: 'Appends that shared one commit',
    buckets: BATCH_SIZES,
    registers,
  });
  const damagedStreams = new Gauge({
    name: 'chat_damaged_streams',
    help: 'Streams of the log that were deleted, truncated or written to by another program, as far as noticed',
    registers,
  });
  const sealedEvents = new Gauge({
    name: 'chat_sealed_events',
    help: 'Events that the last signed checkpoint of the log covers, where this process seals',
    registers,
  });
  const sealBroken = new Gauge({
    name: 'chat_seal_broken',
    help: '1 when the log is not what was sealed',
    registers,
  });
  const projectionLag = new Gauge({
    name: 'chat_projection_lag_positions',
    help: 'Events that a read model has not seen yet',
    labelNames: ['projection'],
    registers,
  });
  const refusedAutomations = new Counter({
    name: 'chat_reactions_refused_total',
    help: 'Events whose consequence was refused by a rule: what they promised does not hold',
    labelNames: ['reaction', 'code'],
    registers,
  });
  const automationLag = new Gauge({
    name: 'chat_reaction_lag_positions',
    help: 'Events whose consequences have not been checked yet',
    registers,
  });
  const broadcasterLag = new Gauge({
    name: 'chat_broadcaster_lag_positions',
    help: 'Events that have not been delivered to the nodes yet',
    registers,
  });
  const sockets = new Gauge({ name: 'chat_sockets', help: 'Open sockets', registers });
  const slowConsumers = new Counter({
    name: 'chat_slow_consumers_cut_total',
    help: 'Sockets closed because they did not keep up',
    registers,
  });
  const deliveries = new Counter({
    name: 'chat_deliveries_total',
    help: 'Events handed to sockets',
    registers,
  });
  const events = new Counter({ name: 'chat_events_stored_total', help: 'Events stored', registers });
  const refusals = new Counter({
    name: 'chat_refusals_total',
    help: 'Requests and socket events answered with a problem',
    labelNames: ['code'],
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'chat_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['route', 'method', 'status'],
    buckets: REQUEST_SECONDS,
    registers,
  });

  const inspectionSeconds = new Histogram({
    name: 'chat_file_inspection_seconds',
    help: 'Time from the first look at a file to its finding',
    labelNames: ['outcome'],
    buckets: INSPECTION_SECONDS,
    registers,
  });
  const notifications = new Counter({
    name: 'chat_notifications_total',
    help: 'Notifications that were sent, or why they were not',
    labelNames: ['channel', 'outcome'],
    registers,
  });
  const notifierLag = new Gauge({
    name: 'chat_notifier_lag_positions',
    help: 'Events whose recipients are undecided, including those of the last 30 s',
    registers,
  });
  const notifierSeconds = new Gauge({
    name: 'chat_notifier_lag_seconds',
    help: 'Age of the oldest event that the notifier has not handled yet',
    registers,
  });
  const fanOuts = new Gauge({
    name: 'chat_notification_fan_outs',
    help: 'Messages with large audiences that are being notified in slices, 10,000 at most',
    registers,
  });
  const fanOutSeconds = new Gauge({
    name: 'chat_notification_fan_out_age_seconds',
    help: 'Age of the oldest message whose large audience has not been notified yet',
    registers,
  });
  const waiting = new Gauge({
    name: 'chat_notifications_waiting',
    help: 'Notifications that have not been settled, 100,000 at most',
    registers,
  });
  const parked = new Gauge({
    name: 'chat_notification_batches_parked',
    help: 'Batches that an operator has to see to',
    registers,
  });
  const expiredRows = new Gauge({
    name: 'chat_expired_rows',
    help: 'Rows that have expired and could not be deleted yet, 100,000 at most',
    labelNames: ['table'],
    registers,
  });

  new Counter({
    name: 'chat_log_lines_dropped_total',
    help: 'Log lines that were dropped because they were not read',
    registers,
    collect() {
      this.reset();
      this.inc(lostLines());
    },
  });
  const fresh = new Gauge({
    name: 'chat_gauge_fresh',
    help: '1 while the gauges of this name are up to date, 0 while they show their last value',
    labelNames: ['gauge'],
    registers,
  });

  return {
    batchCommitted(batch) {
      appendSeconds.observe(batch.durationMs / 1_000);
      batchSize.observe(batch.appends);
      events.inc(batch.events);
    },
    streamsDamaged: (count) => damagedStreams.set(count),
    sealed: (events) => sealedEvents.set(events),
    sealBroken: () => sealBroken.set(1),
    projectionLag: (projection, positions) => projectionLag.set({ projection }, positions),
    automationLag: (positions) => automationLag.set(positions),
    automationRefused: ({ automation, code }) => refusedAutomations.inc({ reaction: automation, code }),
    broadcasterLag: (positions) => broadcasterLag.set(positions),
    socketOpened: () => sockets.inc(),
    socketClosed: () => sockets.dec(),
    slowConsumerCut: () => slowConsumers.inc(),
    delivered: (count) => deliveries.inc(count),
    refused: (code) => refusals.inc({ code }),
    requestAnswered: (labels, seconds) => requestSeconds.observe(labels, seconds),
    fileDecided: (outcome, seconds) => inspectionSeconds.observe({ outcome }, seconds),
    notificationsSettled: (channel, outcome, count) => notifications.inc({ channel, outcome }, count),
    notifierLag(positions, seconds) {
      notifierLag.set(positions);
      notifierSeconds.set(seconds);
    },
    fanOutsInWork(count, seconds) {
      fanOuts.set(count);
      fanOutSeconds.set(seconds);
    },
    notificationsWaiting(count, parkedBatches) {
      waiting.set(count);
      parked.set(parkedBatches);
    },
    expiredRows: (table, count) => expiredRows.set({ table }, count),
    gaugeFresh: (gauge, isFresh) => fresh.set({ gauge }, isFresh ? 1 : 0),
    expose: async () => ({ contentType: register.contentType, body: await register.metrics() }),
  };
}
