import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The measurements, in the terms of the system; docs/operations.md lists the names in Prometheus. */
export interface Metrics {
  /** One commit of the log: its contents, and the time until it was on stable storage. */
  batchCommitted(batch: { appends: number; events: number; durationMs: number }): void;
  /** Number of damaged streams that this process has come across. */
  streamsDamaged(count: number): void;
  /** Number of events that the last checkpoint covers. */
  sealed(events: number): void;
  /** Whether this sealer has found that the log is not what was sealed. */
  sealBroken(isBroken: boolean): void;
  /** A rule refused the command that should have followed from an event. */
  automationRefused(refused: { automation: string; code: string }): void;
  /** Replaces what is known of the leases: whether this process holds each. */
  leading(leases: readonly { name: string; isHere: boolean }[]): void;
  /** Events that a follower of the log has not handled, and the age of the oldest. */
  followerLag(follower: string, lag: { positions: number; seconds: number }): void;
  /** What waits in a queue, and for how long the oldest has. */
  waiting(queue: string, waiting: { count: number; seconds: number }): void;
  batchesParked(count: number): void;
  /** Number of messages in a queue of the broker. */
  queueDepth(queue: string, messages: number): void;
  /** Replaces the state of each part of readiness. */
  readiness(readiness: { ready: boolean; dependencies: Record<string, { status: string }> }): void;
  /** Number of connections of a pool, by what they do, and of callers that wait for one. */
  pool(name: string, use: { inUse: number; idle: number; waiting: number; max: number }): void;
  redisReconnected(link: string): void;
  /** This process serves sockets. */
  servesSockets(): void;
  socketOpened(): void;
  /** `reason` is Socket.IO's. */
  socketClosed(reason: string): void;
  slowConsumerCut(): void;
  /** Number of frames handed to sockets. */
  delivered(count: number): void;
  /** A command, query or handshake answered with a problem. */
  refused(code: string): void;
  logInFailed(code: string): void;
  /** `route` is the pattern, never the path: each value of a label is a series of its own. */
  requestAnswered(labels: { route: string; method: string; status: number }, seconds: number): void;
  /** An inspection ended: `cleared`, or the reason of the refusal. */
  fileDecided(outcome: string, seconds: number): void;
  /** The outcome of notifications: `sent`, or the reason why not. */
  notificationsSettled(channel: string, outcome: string, count: number): void;
  /** Number of expired rows of a table that are not deleted yet. */
  expiredRows(table: string, count: number): void;
  /** Spans of traces that could not be sent. */
  traceSpansDropped(count: number): void;
  /** The disk of the data folder. */
  disk(space: { freeBytes: number; sizeBytes: number }): void;
  /** True if the gauges of a measure, which has to query another part, are up to date; otherwise their last values stay. */
  measureFresh(measure: string, isFresh: boolean): void;
  /** Resolves with the text that Prometheus scrapes, and its content type. */
  expose(): Promise<{ contentType: string; body: string }>;
}

const APPEND_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5];
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const INSPECTION_SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180];
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** What other parts know. */
export interface Figures {
  /** Returns the number of log lines that were lost because they were not read. */
  lostLines?: () => number;
  /** The version that runs, and where. */
  build?: Record<'version' | 'commit' | 'node' | 'log', string>;
}

/** Gauges of prom-client with the suffix of counters. `nodejs_active_resources` tells the same, by type. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Creates the metrics with a registry of their own, so that two servers in one process do not mix. */
export function createMetrics({ lostLines = () => 0, build }: Figures = {}): Metrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  for (const name of MISNAMED) register.removeSingleMetric(name);

  /** Creates a gauge without a value: a process exports none of a role that it does not have. */
  function unknown<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Gauge<Label> {
    const gauge = new Gauge({ name, help, labelNames, registers });
    if (labelNames.length === 0) gauge.remove();
    return gauge;
  }

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
  const sealedEvents = unknown(
    'chat_sealed_events',
    'Events that the last signed checkpoint of the log covers',
  );
  const sealBroken = unknown('chat_seal_broken', '1 when the log is not what was sealed');
  const leader = unknown('chat_leader', '1 for the leases that this process holds', ['lease']);
  const lagPositions = unknown('chat_lag_positions', 'Events that a follower of the log has not handled', [
    'follower',
  ]);
  const lagSeconds = unknown('chat_lag_seconds', 'Age of the oldest event that a follower has not handled', [
    'follower',
  ]);
  const waiting = unknown('chat_waiting', 'What waits in a queue of the database, 10,000 at most', ['queue']);
  const oldestWaiting = unknown(
    'chat_oldest_waiting_seconds',
    'Time that the oldest in a queue of the database has waited',
    ['queue'],
  );
  const parked = unknown('chat_notification_batches_parked', 'Batches that an operator has to see to');
  const queueDepth = unknown('chat_queue_depth', 'Messages in a queue of the broker', ['queue']);
  const ready = unknown('chat_ready', '1 while this process is ready');
  const dependencyUp = unknown('chat_dependency_up', '1 for the parts of readiness that are ok', ['name']);
  const poolConnections = unknown('chat_pool_connections', 'Connections of a pool to PostgreSQL', [
    'pool',
    'state',
  ]);
  const poolMax = unknown('chat_pool_connections_max', 'Connections that a pool may have', ['pool']);
  const poolWaiting = unknown('chat_pool_waiting', 'Callers that wait for a connection of a pool', ['pool']);
  const diskFree = unknown('chat_disk_free_bytes', 'Free space on the disk of the data folder');
  const diskSize = unknown('chat_disk_size_bytes', 'Size of the disk of the data folder');
  const redisReconnects = new Counter({
    name: 'chat_redis_reconnects_total',
    help: 'Times that a connection to Redis was there again after a failure',
    labelNames: ['link'],
    registers,
  });
  const logInFailures = new Counter({
    name: 'chat_login_failures_total',
    help: 'Logins that were refused',
    labelNames: ['code'],
    registers,
  });
  const refusedAutomations = new Counter({
    name: 'chat_automations_refused_total',
    help: 'Events whose consequence was refused by a rule: what they promised does not hold',
    labelNames: ['automation', 'code'],
    registers,
  });
  const sockets = unknown('chat_sockets', 'Open sockets');
  const socketConnects = new Counter({
    name: 'chat_socket_connects_total',
    help: 'Sockets that were opened',
    registers,
  });
  const socketDisconnects = new Counter({
    name: 'chat_socket_disconnects_total',
    help: 'Sockets that were closed, by the reason that Socket.IO gives',
    labelNames: ['reason'],
    registers,
  });
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
  const droppedSpans = new Counter({
    name: 'chat_trace_spans_dropped_total',
    help: 'Spans of traces that were dropped because they could not be sent',
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
    name: 'chat_measure_fresh',
    help: '1 while the figures of a measure are up to date, 0 while they show their last values',
    labelNames: ['measure'],
    registers,
  });

  if (build) {
    const labelNames = Object.keys(build);
    new Gauge({
      name: 'chat_build_info',
      help: 'The version that runs; always 1',
      labelNames,
      registers,
    }).set(build, 1);
  }

  return {
    batchCommitted(batch) {
      appendSeconds.observe(batch.durationMs / 1_000);
      batchSize.observe(batch.appends);
      events.inc(batch.events);
    },
    streamsDamaged: (count) => damagedStreams.set(count),
    sealed: (events) => sealedEvents.set(events),
    sealBroken: (isBroken) => sealBroken.set(isBroken ? 1 : 0),
    automationRefused: ({ automation, code }) => refusedAutomations.inc({ automation, code }),
    leading(leases) {
      leader.reset();
      for (const { name, isHere } of leases) leader.set({ lease: name }, isHere ? 1 : 0);
    },
    followerLag(follower, { positions, seconds }) {
      lagPositions.set({ follower }, positions);
      lagSeconds.set({ follower }, seconds);
    },
    waiting(queue, { count, seconds }) {
      waiting.set({ queue }, count);
      oldestWaiting.set({ queue }, seconds);
    },
    batchesParked: (count) => parked.set(count),
    queueDepth: (queue, messages) => queueDepth.set({ queue }, messages),
    readiness({ ready: isReady, dependencies }) {
      ready.set(isReady ? 1 : 0);
      dependencyUp.reset();
      for (const [name, { status }] of Object.entries(dependencies))
        dependencyUp.set({ name }, status === 'ok' ? 1 : 0);
    },
    pool(pool, { inUse, idle, waiting: callers, max }) {
      poolConnections.set({ pool, state: 'in use' }, inUse);
      poolConnections.set({ pool, state: 'idle' }, idle);
      poolMax.set({ pool }, max);
      poolWaiting.set({ pool }, callers);
    },
    redisReconnected: (link) => redisReconnects.inc({ link }),
    servesSockets: () => sockets.set(0),
    socketOpened() {
      sockets.inc();
      socketConnects.inc();
    },
    socketClosed(reason) {
      sockets.dec();
      socketDisconnects.inc({ reason });
    },
    slowConsumerCut: () => slowConsumers.inc(),
    delivered: (count) => deliveries.inc(count),
    refused: (code) => refusals.inc({ code }),
    logInFailed: (code) => logInFailures.inc({ code }),
    requestAnswered: (labels, seconds) => requestSeconds.observe(labels, seconds),
    fileDecided: (outcome, seconds) => inspectionSeconds.observe({ outcome }, seconds),
    notificationsSettled: (channel, outcome, count) => notifications.inc({ channel, outcome }, count),
    expiredRows: (table, count) => expiredRows.set({ table }, count),
    traceSpansDropped: (count) => droppedSpans.inc(count),
    disk({ freeBytes, sizeBytes }) {
      diskFree.set(freeBytes);
      diskSize.set(sizeBytes);
    },
    measureFresh: (measure, isFresh) => fresh.set({ measure }, isFresh ? 1 : 0),
    expose: async () => ({ contentType: register.contentType, body: await register.metrics() }),
  };
}
