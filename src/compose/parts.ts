import type { Config } from '../config.ts';
import { placeIn } from '../kit/server-url.ts';

const at = (what: string, url: string): string => `${what} at ${placeIn(url)}`;

/** Returns which of its choices each part of the server is, with hosts and without anything secret. */
export function partsOf(config: Config): Record<string, string> {
  const { databaseUrl, eventStoreDbUrl, redisUrl, amqpUrl, s3, clamdUrl, smtpUrl, traces } = config;
  return {
    database: databaseUrl === undefined ? 'embedded PostgreSQL' : at('PostgreSQL', databaseUrl),
    eventLog: eventStoreDbUrl === undefined ? 'in the database' : at('EventStoreDB', eventStoreDbUrl),
    nodes: redisUrl === undefined ? 'this process' : at('Redis', redisUrl),
    queue: amqpUrl === undefined ? 'in the database' : at('RabbitMQ', amqpUrl),
    files: s3 === undefined ? 'on disk' : `S3 bucket ${s3.bucket}`,
    scanner: scannerOf(clamdUrl, config.scanWebhookSecrets.length > 0),
    mail: smtpUrl === undefined ? 'in this log' : at('SMTP', smtpUrl),
    push: config.vapid ? 'Web Push' : 'in this log',
    traces: traces ? at('OTLP', traces.url) : 'none',
  };
}

function scannerOf(clamdUrl: string | undefined, isExternal: boolean): string {
  if (clamdUrl !== undefined) return at('clamd', clamdUrl);
  return isExternal ? 'external' : 'none';
}
