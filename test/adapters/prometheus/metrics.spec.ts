import { createMeasures } from '../../../src/adapters/prometheus/measures.ts';
import { createMetrics } from '../../../src/adapters/prometheus/metrics.ts';

describe('the metrics', () => {
  test('are written in the Prometheus format', async () => {
    const metrics = createMetrics();
    metrics.batchCommitted({ appends: 3, events: 4, durationMs: 4 });
    metrics.followerLag('jobs', { positions: 7, seconds: 1.5 });
    metrics.leading([
      { name: 'projector', isHere: true },
      { name: 'realtime', isHere: false },
    ]);
    metrics.waiting('files', { count: 2, seconds: 30 });
    metrics.batchesParked(1);
    metrics.queueDepth('notifications', 4);
    metrics.readiness({
      ready: true,
      dependencies: { database: { status: 'ok' }, scanner: { status: 'degraded' } },
    });
    metrics.pool('commands', { inUse: 2, idle: 1, waiting: 3, max: 6 });
    metrics.redisReconnected('commands');
    metrics.logInFailed('BAD_CREDENTIALS');
    metrics.servesSockets();
    metrics.expiredRows('sessions', 6);
    metrics.socketOpened();
    metrics.socketOpened();
    metrics.socketClosed('ping timeout');
    metrics.slowConsumerCut();
    metrics.delivered(9);
    metrics.refused('GROUP_CLOSED');
    metrics.requestAnswered({ route: '/v1/jobs/:jobId', method: 'GET', status: 200 }, 0.02);

    const { contentType, body } = await metrics.expose();
    expect(contentType).toContain('text/plain');
    expect(body.split('\n')).toEqual(
      expect.arrayContaining([
        'chat_append_seconds_bucket{le="0.002"} 0',
        'chat_append_seconds_bucket{le="0.005"} 1',
        'chat_append_batch_size_sum 3',
        'chat_lag_positions{follower="jobs"} 7',
        'chat_lag_seconds{follower="jobs"} 1.5',
        'chat_leader{lease="projector"} 1',
        'chat_leader{lease="realtime"} 0',
        'chat_waiting{queue="files"} 2',
        'chat_oldest_waiting_seconds{queue="files"} 30',
        'chat_notification_batches_parked 1',
        'chat_queue_depth{queue="notifications"} 4',
        'chat_ready 1',
        'chat_dependency_up{name="database"} 1',
        'chat_dependency_up{name="scanner"} 0',
        'chat_pool_connections{pool="commands",state="in use"} 2',
        'chat_pool_connections{pool="commands",state="idle"} 1',
        'chat_pool_connections_max{pool="commands"} 6',
        'chat_pool_waiting{pool="commands"} 3',
        'chat_redis_reconnects_total{link="commands"} 1',
        'chat_login_failures_total{code="BAD_CREDENTIALS"} 1',
        'chat_socket_connects_total 2',
        'chat_socket_disconnects_total{reason="ping timeout"} 1',
        'chat_expired_rows{table="sessions"} 6',
        'chat_sockets 1',
        'chat_slow_consumers_cut_total 1',
        'chat_deliveries_total 9',
        'chat_events_stored_total 4',
        'chat_refusals_total{code="GROUP_CLOSED"} 1',
        'chat_http_request_seconds_count{route="/v1/jobs/:jobId",method="GET",status="200"} 1',
      ]),
    );
  });

  test('count the log lines that were dropped', async () => {
    const { body } = await createMetrics({ lostLines: () => 3 }).expose();
    expect(body.split('\n')).toContain('chat_log_lines_dropped_total 3');
  });

  test('are answered in time, each gauge on its own, with stale ones marked', async () => {
    const metrics = createMetrics();
    const measures = createMeasures(metrics.measureFresh);
    let asked = 0;
    measures.add('works', async () => metrics.batchesParked(7));
    measures.add('fails', () => Promise.reject(new Error('out of reach')));
    measures.add('hangs', () => {
      asked += 1;
      return new Promise(() => {});
    });
    await measures.refresh();
    await measures.refresh();
    const { body } = await metrics.expose();
    expect(body.split('\n')).toEqual(
      expect.arrayContaining([
        'chat_notification_batches_parked 7',
        'chat_measure_fresh{measure="works"} 1',
        'chat_measure_fresh{measure="fails"} 0',
        'chat_measure_fresh{measure="hangs"} 0',
      ]),
    );
    expect(asked).toBe(1);
  });

  test('of two servers in one process do not mix', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    for (const metrics of [one, other]) metrics.servesSockets();
    one.socketOpened();
    expect((await other.expose()).body).toContain('chat_sockets 0');
  });

  test('lack gauges that nothing has set, such as those of another role', async () => {
    const { body } = await createMetrics().expose();
    const series = body.split('\n').filter((line) => line.startsWith('chat_'));
    for (const name of ['chat_sockets', 'chat_seal_broken', 'chat_lag_seconds', 'chat_waiting', 'chat_ready'])
      expect(series.filter((line) => line.startsWith(name))).toEqual([]);
  });

  test('tell the version that runs', async () => {
    const build = { version: '1.2.3', commit: 'abc', node: '24.0.0', log: 'postgresql' };
    const { body } = await createMetrics({ build }).expose();
    expect(body).toContain('chat_build_info{version="1.2.3",commit="abc",node="24.0.0",log="postgresql"} 1');
  });
});
