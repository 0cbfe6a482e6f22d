import helmet from '@fastify/helmet';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
  type RouteOptions,
} from 'fastify';
import { type ZodTypeProvider, serializerCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { traceIdOf } from '../kit/trace-context.ts';
import { correlationIdIn } from './correlation.ts';
import type { PerMinute } from '../protocol/rate-limits.ts';
import type { RequireSecondFactor } from '../auth/second-factor/require-second-factor.ts';
import type { Authenticate, Identify } from '../auth/session.ts';
import { UPLOAD_SECONDS } from '../files/storage.ts';
import {
  answerUnreadable,
  answerWithProblems,
  refuseWhenClosing,
  sendProblem,
} from './hooks/answer-with-problems.ts';
import { allowRoles } from './hooks/allow-roles.ts';
import { createSemaphore } from '../kit/semaphore.ts';
import { answerInTime } from './hooks/answer-in-time.ts';
import { authenticateCallers, authenticateClients } from './hooks/authenticate-request.ts';
import { chargeRequests } from './hooks/charge-requests.ts';
import { allowOrigins } from './hooks/cross-origin.ts';
import { checkWithZod, describeRoutes } from './describe-routes.ts';
import { type IdempotencyKeys, honourIdempotencyKeys } from './hooks/idempotency-keys.ts';
import { fileAccess, isUploaded } from './file-access.ts';
import { acceptJsonOnly } from './json.ts';
import { waitForMinPosition } from './hooks/min-position.ts';
import { observeRequests } from './hooks/observe-requests.ts';
import { describeApi, servePage } from './openapi.ts';
import type { AuditDeps, RouteDeps } from './route-deps.ts';
import { accessGrantRoutes } from './routes/audit/access-grants.ts';
import { auditEventRoutes } from './routes/audit/events.ts';
import { auditGroupRoutes } from './routes/audit/groups.ts';
import { auditStreamRoutes } from './routes/audit/streams.ts';
import { traceRoutes } from './routes/audit/trace.ts';
import { applicationRoutes } from './routes/applications.ts';
import { type ProofRoutes, type SealKeyRoutes, proofRoutes, sealKeyRoutes } from './routes/audit/proofs.ts';
import { type AuthRoutes, authRoutes } from './routes/account/auth.ts';
import { type ClientTokenRoutes, clientTokenRoutes } from './routes/clients/token.ts';
import { companyRoutes } from './routes/company/company.ts';
import {
  type InvitationRoutes,
  invitationPageRoutes,
  invitationRoutes,
} from './routes/company/invitations.ts';
import { type BoardUserRoutes, boardUserRoutes } from './routes/clients/users.ts';
import { documentRoutes } from './routes/documents.ts';
import {
  type EmailVerificationRoutes,
  emailVerificationRoutes,
} from './routes/account/email-verification.ts';
import { type FileRoutes, fileRoutes } from './routes/files.ts';
import { groupRoutes } from './routes/groups.ts';
import { healthRoutes } from './routes/health.ts';
import { jobRoutes } from './routes/jobs.ts';
import { limitRoutes } from './routes/limits.ts';
import { type MeRoutes, meRoutes } from './routes/account/me.ts';
import { noteRoutes } from './routes/notes.ts';
import { type NotificationRoutes, notificationRoutes } from './routes/notifications.ts';
import { memberRoutes } from './routes/members.ts';
import { messageRoutes } from './routes/messages.ts';
import { muteRoutes } from './routes/mute.ts';
import { type PasswordResetRoutes, passwordResetRoutes } from './routes/account/password-reset.ts';
import { type ErasureRoutes, erasureRoutes } from './routes/privacy/erasures.ts';
import { exportRoutes } from './routes/privacy/exports.ts';
import { holdRoutes } from './routes/privacy/holds.ts';
import { readRoutes } from './routes/read.ts';
import { type ScanReportRoutes, scanReportRoutes } from './routes/scan-reports.ts';
import { searchRoutes } from './routes/search.ts';
import { type SessionRoutes, sessionRoutes } from './routes/account/sessions.ts';
import { type StorageRoutes, storageRoutes } from './routes/storage.ts';
import { type TokenKeyRoutes, tokenKeyRoutes } from './routes/account/token-keys.ts';
import { type TotpRoutes, totpRoutes } from './routes/account/totp.ts';
import { type UnsubscribeRoutes, unsubscribeRoutes } from './routes/account/unsubscribe.ts';
import { type OperatorJobRoutes, operatorJobRoutes } from './routes/operators/jobs.ts';
import {
  type OperatorNotificationRoutes,
  operatorNotificationRoutes,
} from './routes/operators/notifications.ts';
import { type OperatorReadModelRoutes, operatorReadModelRoutes } from './routes/operators/read-models.ts';
import { type OperatorSystemRoutes, operatorSystemRoutes } from './routes/operators/system.ts';
import { type OperatorUserRoutes, operatorUserRoutes } from './routes/operators/users.ts';
import { userRoutes } from './routes/users.ts';
import { type WebRoutes, webRoutes } from './routes/web.ts';
import { limitBodyTime } from './hooks/slow-bodies.ts';
import { refuseSlowly } from './hooks/slow-refusals.ts';
import { refuseOtherMethods, refuseUnknownPaths } from './hooks/unknown-routes.ts';
import { requireSecondFactors } from './hooks/require-second-factor.ts';
import { readOnAfterRefusals } from './hooks/unread-bodies.ts';

export interface HttpSettings extends PerMinute {
  /** The origins of web pages that may call, in addition to this host. */
  allowedOrigins: readonly string[];
  /** The addresses or networks of the proxies whose X-Forwarded-For is trusted. */
  trustedProxies: readonly string[];
}

export interface HttpDeps
  extends
    RouteDeps,
    Omit<AuthRoutes, 'authenticate'>,
    TokenKeyRoutes,
    Omit<MeRoutes, 'authenticate'>,
    Omit<SessionRoutes, 'authenticate'>,
    Omit<ErasureRoutes, 'passwords' | 'sessions'>,
    Omit<TotpRoutes, 'authenticate'>,
    Omit<EmailVerificationRoutes, 'authenticate'>,
    PasswordResetRoutes,
    InvitationRoutes,
    ClientTokenRoutes,
    BoardUserRoutes,
    FileRoutes,
    Omit<StorageRoutes, 'fileAccess' | 'isUploaded'>,
    NotificationRoutes,
    SealKeyRoutes,
    ProofRoutes,
    UnsubscribeRoutes,
    WebRoutes,
    OperatorUserRoutes,
    OperatorJobRoutes,
    OperatorNotificationRoutes,
    OperatorReadModelRoutes,
    OperatorSystemRoutes,
    AuditDeps {
  storage: FileRoutes['storage'];
  links: RouteDeps['links'];
  /** Undefined when no external scanner reports to this server. */
  scanReports?: ScanReportRoutes | undefined;
  authenticate: Authenticate;
  identify: Identify;
  requireSecondFactor: RequireSecondFactor;
  idempotencyKeys: IdempotencyKeys;
  /** The key of the fingerprints of bodies, which may contain a password. It is the same on every node. */
  fingerprintSecret: string | Buffer;
  metrics: RouteDeps['metrics'] & {
    refused(code: string): void;
    requestAnswered(labels: { route: string; method: string; status: number }, seconds: number): void;
  };
  log: Logger;
  /** True if the lines of the log are to name the trace. */
  isTracing?: boolean;
  settings: HttpSettings;
  /** Called with every route when it is defined. */
  onRoute?: (route: RouteOptions) => void;
}

/** Looks of auditors into the past that run at a time. */
const LOOKS_BACK = 2;
const BODY_LIMIT = 65_536;
/** Time limits for the head of a request and for its body. */
const REQUEST_MS = 15_000;
/** The longest parameter is an external id of 255 characters, percent-encoded. */
const MAX_PARAM_LENGTH = 765;

/** Adds the trace to each line about a request, under the name that OpenTelemetry gives it in logs. */
const withTraceId: NonNullable<FastifyServerOptions['childLoggerFactory']> = (log, bindings, options) =>
  log.child({ ...bindings, trace_id: traceIdOf(String(bindings['correlationId'])) }, options);

/** Creates the REST API. It does not listen yet: `listen` serves it, `inject` calls it without a socket. */
export async function createHttpServer(deps: HttpDeps): Promise<FastifyInstance> {
  const { log, metrics } = deps;
  const loggerInstance: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }),
    requestIdHeader: false,
    genReqId: ({ headers }) => correlationIdIn(headers) ?? deps.newId(),
    ...(deps.isTracing && { childLoggerFactory: withTraceId }),
    trustProxy: deps.settings.trustedProxies.length > 0 ? [...deps.settings.trustedProxies] : false,
    bodyLimit: BODY_LIMIT,
    // For the largest uploads; `limitBodyTime` limits all other requests to REQUEST_MS.
    requestTimeout: UPLOAD_SECONDS * 1_000,
    http: { headersTimeout: REQUEST_MS, connectionsCheckingInterval: 5_000 },
    connectionTimeout: 30_000,
    keepAliveTimeout: 72_000,
    maxRequestsPerSocket: 1_000,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply, metrics.refused),
  }).withTypeProvider<ZodTypeProvider>();

  app.setValidatorCompiler(checkWithZod);
  app.setSerializerCompiler(serializerCompiler);
  acceptJsonOnly(app);
  readOnAfterRefusals(app);
  answerWithProblems(app, metrics.refused);
  answerInTime(app, metrics.refused);
  refuseWhenClosing(app);
  limitBodyTime(app, REQUEST_MS);
  await app.register(helmet);
  await allowOrigins(app, deps.settings.allowedOrigins);
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('Cache-Control')) void reply.header('Cache-Control', 'no-store');
  });
  observeRequests(app, metrics.requestAnswered);
  chargeRequests(app, deps.rateLimits);
  requireSecondFactors(app, deps.requireSecondFactor);
  allowRoles(app);
  refuseUnknownPaths(app);
  refuseSlowly(app);

  if (deps.onRoute) app.addHook('onRoute', deps.onRoute);
  const refuseTheRest = refuseOtherMethods(app);
  const codesOf = describeRoutes(app);
  await describeApi(app, codesOf);
  honourIdempotencyKeys(app, { keys: deps.idempotencyKeys, secret: deps.fingerprintSecret, log });

  waitForMinPosition(app, deps);

  healthRoutes(app, deps, 'strangers');
  documentRoutes(app, deps);
  webRoutes(app, deps);
  limitRoutes(app, { ...deps.settings, ...deps });
  authRoutes(app, deps);
  tokenKeyRoutes(app, deps);
  emailVerificationRoutes(app, deps);
  passwordResetRoutes(app, deps);
  invitationPageRoutes(app, deps);
  meRoutes(app, deps);
  sessionRoutes(app, deps);
  totpRoutes(app, deps);
  storageRoutes(app, { ...deps, fileAccess: fileAccess(deps), isUploaded: isUploaded(deps) });
  unsubscribeRoutes(app, deps);
  clientTokenRoutes(app, deps);
  sealKeyRoutes(app, deps);
  if (deps.scanReports) scanReportRoutes(app, deps.scanReports);
  await app.register(async (clients) => {
    clients.addHook('onRequest', authenticateClients(app, deps));
    boardUserRoutes(clients.withTypeProvider<ZodTypeProvider>(), deps);
  });
  await app.register(async (members) => {
    members.addHook('onRequest', authenticateCallers(app, deps));
    const secured = members.withTypeProvider<ZodTypeProvider>();
    jobRoutes(secured, deps);
    applicationRoutes(secured, deps);
    noteRoutes(secured, deps);
    groupRoutes(secured, deps);
    memberRoutes(secured, deps);
    companyRoutes(secured, deps);
    invitationRoutes(secured, deps);
    messageRoutes(secured, deps);
    readRoutes(secured, deps);
    searchRoutes(secured, deps);
    userRoutes(secured, deps);
    fileRoutes(secured, deps);
    notificationRoutes(secured, deps);
    muteRoutes(secured, deps);
    auditEventRoutes(secured, deps);
    erasureRoutes(secured, deps);
    holdRoutes(secured, deps);
    exportRoutes(secured, deps);
    const lookBack = { ...deps, looks: createSemaphore(LOOKS_BACK) };
    auditStreamRoutes(secured, lookBack);
    auditGroupRoutes(secured, lookBack);
    traceRoutes(secured, lookBack);
    accessGrantRoutes(secured, deps);
    proofRoutes(secured, deps);
    operatorUserRoutes(secured, deps);
    operatorJobRoutes(secured, deps);
    operatorNotificationRoutes(secured, deps);
    operatorReadModelRoutes(secured, deps);
    operatorSystemRoutes(secured, deps);
  });
  await servePage(app, deps.asyncapi);
  refuseTheRest();
  return app as unknown as FastifyInstance;
}
