import Fastify from 'fastify';
import { type ZodTypeProvider, serializerCompiler } from 'fastify-type-provider-zod';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import type { Nonces } from '../../../src/files/inspect/scan-report.ts';
import { createApplyFinding } from '../../../src/files/apply-finding.ts';
import type { FileStorage } from '../../../src/files/storage.ts';
import { answerWithProblems } from '../../../src/http/hooks/answer-with-problems.ts';
import { checkWithZod, describeRoutes } from '../../../src/http/describe-routes.ts';
import { acceptJsonOnly } from '../../../src/http/json.ts';
import { type ScanReportRoutes, scanReportRoutes } from '../../../src/http/routes/scan-reports.ts';
import { commands } from '../language/command-stage.ts';

export const SCAN_SECRET = 'a secret of at least 32 characters';

/** The routes of external scanners alone, over a log in memory. */
export async function scanReportApp({
  history,
  storage,
  nonces,
  ...overrides
}: {
  history: readonly DomainEvent[];
  storage: FileStorage;
  nonces: Nonces;
} & Partial<Omit<ScanReportRoutes, 'storage'>>) {
  const stage = await commands({ history });
  const app = Fastify().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(checkWithZod);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonOnly(app as never);
  answerWithProblems(app as never, () => {});
  describeRoutes(app as never);
  const { handle, store } = stage;
  const applyFinding = createApplyFinding({ handle, storage, makeThumbnail: async () => undefined });
  scanReportRoutes(app, {
    secrets: [SCAN_SECRET],
    nonces,
    store,
    handle,
    storage,
    applyFinding,
    ...overrides,
  });
  return { ...stage, app, types: async () => (await stage.log()).map(({ type }) => type) };
}
