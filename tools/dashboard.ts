import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

const FILE = join(import.meta.dirname, '../deploy/observability/dashboard.json');
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

interface Panel {
  title: string;
  /** What the figures mean, and what is normal. */
  description: string;
  /** Grafana's name of the unit. */
  unit: string;
  /** Each query, by the legend of its series. */
  queries: Record<string, string>;
}

const quantile = (q: number, histogram: string, by = 'le') =>
  `histogram_quantile(${q}, sum by (${by}) (rate(${histogram}_bucket[$__rate_interval])))`;

const ROWS: Record<string, readonly Panel[]> = {
  'Is it well?': [
    {
      title: 'Ready',
      description: 'Processes that answer 200 to /health/ready, and all that are scraped',
      unit: 'short',
      queries: { ready: 'sum(chat_ready)', scraped: 'count(chat_ready)' },
    },
    {
      title: 'Parts that are not ok',
      description: 'Number of processes for which a part of readiness is degraded or down. Normal: none',
      unit: 'short',
      queries: { '{{name}}': 'sum by (name) (1 - chat_dependency_up) > 0' },
    },
    {
      title: 'Leaders',
      description: 'Processes that lead each piece of work. Normal: one each',
      unit: 'short',
      queries: { '{{lease}}': 'sum by (lease) (chat_leader)' },
    },
    {
      title: 'Versions',
      description: 'Processes by what they run. Normal: one version, two during an upgrade',
      unit: 'short',
      queries: { '{{version}} {{commit}}': 'count by (version, commit) (chat_build_info)' },
    },
  ],
  'What clients see': [
    {
      title: 'Requests',
      description: 'Answered requests a second, by status',
      unit: 'reqps',
      queries: { '{{status}}': 'sum by (status) (rate(chat_http_request_seconds_count[$__rate_interval]))' },
    },
    {
      title: 'Time to answer',
      description: 'Quantiles of all requests',
      unit: 's',
      queries: {
        '50 %': quantile(0.5, 'chat_http_request_seconds'),
        '99 %': quantile(0.99, 'chat_http_request_seconds'),
      },
    },
    {
      title: 'Refusals',
      description: 'Requests and socket events answered with a problem, by its code',
      unit: 'reqps',
      queries: { '{{code}}': 'sum by (code) (rate(chat_refusals_total[$__rate_interval]))' },
    },
    {
      title: 'Failed logins',
      description: 'Logins that were refused, by the reason',
      unit: 'reqps',
      queries: { '{{code}}': 'sum by (code) (rate(chat_login_failures_total[$__rate_interval]))' },
    },
    {
      title: 'Sockets',
      description: 'Open sockets of each process',
      unit: 'short',
      queries: { '{{instance}}': 'chat_sockets' },
    },
    {
      title: 'Connects and disconnects',
      description: 'Sockets a second that open, and that close by the reason of Socket.IO; those cut as slow',
      unit: 'cps',
      queries: {
        connect: 'sum(rate(chat_socket_connects_total[$__rate_interval]))',
        '{{reason}}': 'sum by (reason) (rate(chat_socket_disconnects_total[$__rate_interval]))',
        slow: 'sum(rate(chat_slow_consumers_cut_total[$__rate_interval]))',
      },
    },
    {
      title: 'Deliveries',
      description: 'Events handed to sockets',
      unit: 'cps',
      queries: { deliveries: 'sum(rate(chat_deliveries_total[$__rate_interval]))' },
    },
  ],
  'The log and its followers': [
    {
      title: 'Events stored',
      description: 'Events a second',
      unit: 'cps',
      queries: { events: 'sum(rate(chat_events_stored_total[$__rate_interval]))' },
    },
    {
      title: 'Time of a commit',
      description: 'Time until a batch of appends is on stable storage',
      unit: 's',
      queries: {
        '50 %': quantile(0.5, 'chat_append_seconds'),
        '99 %': quantile(0.99, 'chat_append_seconds'),
      },
    },
    {
      title: 'Appends that share a commit',
      description: 'Median of the size of a batch',
      unit: 'short',
      queries: { '50 %': quantile(0.5, 'chat_append_batch_size') },
    },
    {
      title: 'Lag',
      description:
        'Age of the oldest event that a follower has not handled. Normal: below 2 s; notifier below 40 s',
      unit: 's',
      queries: { '{{follower}}': 'max by (follower) (chat_lag_seconds)' },
    },
    {
      title: 'Lag in events',
      description: 'Events that a follower has not handled; bytes in EventStoreDB',
      unit: 'short',
      queries: { '{{follower}}': 'max by (follower) (chat_lag_positions)' },
    },
    {
      title: 'Faults of the log',
      description: 'Damaged streams, a broken seal, automations that were refused. Normal: none',
      unit: 'short',
      queries: {
        'damaged streams': 'max(chat_damaged_streams)',
        'broken seal': 'max(chat_seal_broken)',
        '{{automation}} {{code}}':
          'sum by (automation, code) (increase(chat_automations_refused_total[1h])) > 0',
      },
    },
    {
      title: 'Sealed events',
      description: 'Events that the last signed checkpoint covers',
      unit: 'short',
      queries: { sealed: 'max(chat_sealed_events)' },
    },
  ],
  'What waits': [
    {
      title: 'Waiting',
      description: 'What waits in the queues of the database, 10,000 at most',
      unit: 'short',
      queries: { '{{queue}}': 'max by (queue) (chat_waiting)' },
    },
    {
      title: 'Oldest waiting',
      description: 'Time that the oldest of each queue has waited',
      unit: 's',
      queries: { '{{queue}}': 'max by (queue) (chat_oldest_waiting_seconds)' },
    },
    {
      title: 'Messages of the broker',
      description: 'Messages in the queues of RabbitMQ, or of pg-boss',
      unit: 'short',
      queries: { '{{queue}}': 'max by (queue) (chat_queue_depth)' },
    },
    {
      title: 'Notifications',
      description: 'Notifications a second by outcome, and parked batches',
      unit: 'cps',
      queries: {
        '{{channel}} {{outcome}}':
          'sum by (channel, outcome) (rate(chat_notifications_total[$__rate_interval]))',
        parked: 'max(chat_notification_batches_parked)',
      },
    },
    {
      title: 'Inspections of files',
      description: 'Quantiles by outcome',
      unit: 's',
      queries: { '{{outcome}} 99 %': quantile(0.99, 'chat_file_inspection_seconds', 'le, outcome') },
    },
    {
      title: 'Expired rows',
      description: 'Rows that should have been deleted. Normal: 0',
      unit: 'short',
      queries: { '{{table}}': 'max by (table) (chat_expired_rows)' },
    },
  ],
  'The processes': [
    {
      title: 'Connections to PostgreSQL',
      description: 'Connections in use, as a part of those that a pool may have',
      unit: 'percentunit',
      queries: {
        '{{pool}}':
          'sum by (pool) (chat_pool_connections{state="in use"}) / sum by (pool) (chat_pool_connections_max)',
      },
    },
    {
      title: 'Callers that wait for a connection',
      description: 'Normal: 0',
      unit: 'short',
      queries: { '{{pool}}': 'sum by (pool) (chat_pool_waiting)' },
    },
    {
      title: 'Reconnects to Redis',
      description: 'Times a minute that a connection was there again',
      unit: 'short',
      queries: { '{{link}}': 'sum by (link) (rate(chat_redis_reconnects_total[$__rate_interval])) * 60' },
    },
    {
      title: 'Memory',
      description: 'Heap in use, and resident memory',
      unit: 'bytes',
      queries: {
        'heap {{instance}}': 'nodejs_heap_size_used_bytes{job="chat"}',
        'resident {{instance}}': 'process_resident_memory_bytes{job="chat"}',
      },
    },
    {
      title: 'CPU',
      description: 'Seconds a second; one event loop uses about one processor',
      unit: 'percentunit',
      queries: { '{{instance}}': 'rate(process_cpu_seconds_total{job="chat"}[$__rate_interval])' },
    },
    {
      title: 'Delay of the event loop',
      description: '99th percentile. Normal: below 50 ms',
      unit: 's',
      queries: { '{{instance}}': 'nodejs_eventloop_lag_p99_seconds{job="chat"}' },
    },
    {
      title: 'Disk',
      description: 'Free part of the disk of the data folder',
      unit: 'percentunit',
      queries: { '{{instance}}': 'chat_disk_free_bytes / chat_disk_size_bytes' },
    },
    {
      title: 'Age',
      description: 'Time since each process started',
      unit: 's',
      queries: { '{{instance}}': 'time() - process_start_time_seconds{job="chat"}' },
    },
    {
      title: 'Losses of observation',
      description: 'Log lines and spans that were dropped, figures that could not be measured. Normal: none',
      unit: 'short',
      queries: {
        'lines {{instance}}': 'increase(chat_log_lines_dropped_total[$__rate_interval])',
        'spans {{instance}}': 'increase(chat_trace_spans_dropped_total[$__rate_interval])',
        '{{measure}} {{instance}}': '1 - chat_measure_fresh > 0',
      },
    },
  ],
};

function panelOf({ title, description, unit, queries }: Panel): PanelBuilder {
  const panel = new PanelBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .height(8)
    .span(8)
    .legend(new VizLegendOptionsBuilder().showLegend(true));
  for (const [n, [legend, query]] of Object.entries(queries).entries())
    panel.withTarget(
      new DataqueryBuilder()
        .refId(String.fromCodePoint(65 + n))
        .expr(query)
        .legendFormat(legend)
        .datasource(DATASOURCE),
    );
  return panel;
}

/** Returns the dashboard for Grafana. */
export function dashboard(): Dashboard {
  const built = new DashboardBuilder('Chat')
    .uid('chat')
    .tags(['chat'])
    .refresh('30s')
    .time({ from: 'now-3h', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const [title, panels] of Object.entries(ROWS)) {
    built.withRow(new RowBuilder(title));
    for (const panel of panels) built.withPanel(panelOf(panel));
  }
  return built.build();
}

if (import.meta.main) await writeFile(FILE, `${JSON.stringify(dashboard(), null, 2)}\n`);
