import { createMeasures } from '../../../src/adapters/prometheus/measures.ts';
import { createMetrics } from '../../../src/adapters/prometheus/metrics.ts';

describe('the metrics', () => {
  test('are written in the Prometheus format', async () => {
    const metrics = createMetrics();
    metrics.batchCommitted({ appends: 3, events: 4, durationMs: 4 });
    metrics.projectionLag('jobs', 7);
    metrics.automationLag(2);
    metrics.notifierLag(5, 1.5);
    metrics.fanOutsInWork(2, 30);
    metrics.expiredRows('sessions', 6);
    metrics.socketOpened();
    metrics.socketOpened();
    metrics.socketClosed();
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
        'chat_projection_lag_positions{projection="jobs"} 7',
        'chat_reaction_lag_positions 2',
        'chat_notifier_lag_positions 5',
        'chat_notifier_lag_seconds 1.5',
        'chat_notification_fan_outs 2',
        'chat_notification_fan_out_age_seconds 30',
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
    const measures = createMeasures(metrics.gaugeFresh);
    let asked = 0;
    measures.add('works', async () => metrics.automationLag(7));
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
        'chat_reaction_lag_positions 7',
        'chat_gauge_fresh{gauge="works"} 1',
        'chat_gauge_fresh{gauge="fails"} 0',
        'chat_gauge_fresh{gauge="hangs"} 0',
      ]),
    );
    expect(asked).toBe(1);
  });

  test('of two servers in one process do not mix', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.socketOpened();
    expect((await other.expose()).body).toContain('chat_sockets 0');
  });
});
