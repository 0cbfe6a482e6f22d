import { ZodError, type z } from 'zod';
import {
  EmailTaken,
  LinkTokenInvalid,
  OwnersPassword,
  PasswordQueueFull,
  WrongPassword,
} from '../auth/credentials.ts';
import { RoleFixed } from '../auth/clients/board-users.ts';
import { TokenRefused } from '../auth/clients/service-client.ts';
import { IssuerUnreachable } from '../auth/clients/token-exchange.ts';
import { AuthenticationFailed, RevocationsUnknown, ScopeMissing } from '../auth/session.ts';
import { SecondFactorRefused, WrongCode } from '../auth/second-factor/second-factors.ts';
import { RateLimited } from './rate-limits.ts';
import { CommandRejected, AutomationRefused, type RejectionCode } from '../commands/rejection.ts';
import { EventStoreUnavailable } from '../events/event-store.ts';
import { StorageFull, StorageUnavailable } from '../files/storage.ts';
import { NotCaughtUp } from '../projections/projection.ts';

/** A problem of RFC 9457 with a stable `code`, `retryable` and, for bad input, `errors`. Acks of the socket carry it too. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance?: string;
  code: string;
  retryable: boolean;
  errors?: { pointer: string; message: string }[];
  /** Absent when waiting does not help. */
  retryAfterMs?: number;
  /** The value of `Retry-After`; not part of the body. */
  retryAfterSeconds?: number;
}

type OtherCode =
  | AuthenticationFailed['code']
  | TokenRefused['code']
  | 'SCOPE_MISSING'
  | 'ROLE_FIXED'
  | SecondFactorRefused['code']
  | 'BAD_REQUEST'
  | 'FORBIDDEN'
  | 'LINK_INVALID'
  | 'FILE_EXISTS'
  | 'RANGE_NOT_SATISFIABLE'
  | 'GROUP_FILES_FULL'
  | 'INSUFFICIENT_STORAGE'
  | 'NOT_FOUND'
  | 'CHECKPOINT_NOT_FOUND'
  | 'NOT_SEALED'
  | 'SEAL_BROKEN'
  | 'READ_MODEL_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'EMAIL_TAKEN'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'IDEMPOTENCY_KEY_IN_USE'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'RATE_LIMITED'
  | 'TOO_MANY_SOCKETS'
  | 'TOO_MANY_EXPORTS'
  | 'EVENT_NOT_FOUND'
  | 'STREAM_NOT_FOUND'
  | 'UNKNOWN_EVENT'
  | 'NOT_CAUGHT_UP'
  | 'POSITION_UNKNOWN'
  | 'UNAVAILABLE'
  | 'INTERNAL';
export type ProblemCode = RejectionCode | OtherCode;

/** The status and title of each code. `detail` tells the caller what to do about it. */
const catalogue: Record<ProblemCode, [status: number, title: string]> = {
  BAD_REQUEST: [400, 'The request is not valid'],
  UNAUTHORIZED_CLIENT: [400, 'The client may not use this grant'],
  UNSUPPORTED_GRANT_TYPE: [400, 'This grant type is not supported'],
  INVALID_SCOPE: [400, 'The scope is unknown, or more than the client has'],
  INVALID_TARGET: [400, 'Tokens are issued for this server only'],
  SUBJECT_TOKEN_INVALID: [400, 'The subject token is not valid here'],
  TOKEN_MISSING: [401, 'No access token was given'],
  TOKEN_INVALID: [401, 'The access token is not valid'],
  TOKEN_EXPIRED: [401, 'The access token has expired'],
  TOKEN_REVOKED: [401, 'The session has ended'],
  BAD_CREDENTIALS: [401, 'Wrong e-mail address or password'],
  ACCOUNT_SUSPENDED: [403, 'This account is suspended'],
  TOTP_REQUIRED: [401, 'A code of the second factor is needed'],
  TOTP_INVALID: [401, 'The code is wrong or has been used'],
  INVALID_CLIENT: [401, 'The client is not known, or has not proved who it is'],
  REFRESH_TOKEN_INVALID: [401, 'The refresh token is not valid'],
  FORBIDDEN: [403, 'Not allowed'],
  USER_TOKEN_REQUIRED: [
    403,
    'This call is for users: a client names one in X-Act-As, where it may act for users',
  ],
  CLIENT_TOKEN_REQUIRED: [403, 'This needs the access token of a client'],
  SCOPE_MISSING: [403, 'The client lacks the scope that this needs'],
  SECOND_FACTOR_REQUIRED: [403, 'Set up a second factor first'],
  ROLE_NOT_ALLOWED: [403, 'Your role may not do this'],
  NOT_JOB_OWNER: [403, 'Only the company that posted the job may do this'],
  NOT_APPLICANT: [403, 'Only the applicant may do this'],
  NOT_GROUP_ADMIN: [403, 'Only an admin of the group may do this'],
  NOT_MESSAGE_AUTHOR: [403, 'Only the author may edit a message; only the author or an admin may delete it'],
  NOT_NOTE_AUTHOR: [403, 'Only the author, or an owner of the company, may delete the note'],
  GRANT_NOT_OPEN: [403, 'The access grant is not yours, has ended, or has expired'],
  NOT_FOUND: [404, 'There is nothing here'],
  USER_NOT_FOUND: [404, 'No such user'],
  SESSION_NOT_FOUND: [404, 'No such session'],
  JOB_NOT_FOUND: [404, 'No such job'],
  APPLICATION_NOT_FOUND: [404, 'No such application'],
  NOTE_NOT_FOUND: [404, 'No such note'],
  GROUP_NOT_FOUND: [404, 'No such group'],
  MEMBER_NOT_FOUND: [404, 'No such member'],
  MESSAGE_NOT_FOUND: [404, 'No such message'],
  REPLY_TARGET_NOT_FOUND: [404, 'The message replied to is not in this group'],
  FILE_NOT_FOUND: [404, 'No such file'],
  GRANT_NOT_FOUND: [404, 'You have no such access grant'],
  EVENT_NOT_FOUND: [404, 'The log has no such event'],
  STREAM_NOT_FOUND: [404, 'The log has no such stream'],
  CHECKPOINT_NOT_FOUND: [404, 'No such checkpoint'],
  LINK_INVALID: [403, 'The link is invalid or has expired'],
  FILE_EXISTS: [412, 'The file has been uploaded already'],
  RANGE_NOT_SATISFIABLE: [416, 'The file is shorter than the range'],
  METHOD_NOT_ALLOWED: [405, 'This method is not supported here'],
  EMAIL_TAKEN: [409, 'The e-mail address is registered already'],
  ROLE_FIXED: [409, 'The role of an account cannot change'],
  TOTP_ENABLED: [409, 'A second factor is active already'],
  TOTP_NOT_SET_UP: [409, 'No second factor has been set up'],
  JOB_CLOSED: [409, 'The job is closed'],
  APPLICATION_WITHDRAWN: [409, 'The application was withdrawn'],
  APPLICATION_DECIDED: [409, 'The application has been decided'],
  GROUP_CLOSED: [409, 'The group is closed'],
  LAST_ADMIN: [409, 'A group with members needs an admin'],
  JOB_OWNER_STAYS: [409, 'The company that posted the job stays an admin of its group'],
  COMPANY_NOT_FOUND: [404, 'No such company'],
  INVITATION_NOT_FOUND: [404, 'The invitation does not exist, was used, or has expired'],
  NOT_COMPANY_OWNER: [403, 'Only an owner of the company may do this'],
  COMPANY_NOT_EMPTY: [409, 'Your own company has jobs or other people'],
  TOO_MANY_INVITATIONS: [409, 'The company has reached the limit of open invitations'],
  LAST_OWNER: [409, 'A company needs an owner'],
  APPLICANT_STAYS: [409, 'An applicant is not put out of its own thread'],
  CONVERSATIONS_FIXED: [409, 'Somebody has applied: the conversations of the job stay as they are'],
  REMOVED_FROM_GROUP: [409, 'An admin has removed you from the group of this job'],
  FILE_NOT_UPLOADED: [409, 'The bytes of the file have not been uploaded'],
  GROUP_FILES_FULL: [409, 'The files of the group have reached the limit of their sizes'],
  FILE_REFUSED: [409, 'The file was refused'],
  FILE_CLEARED: [409, 'The file has already been cleared'],
  FILE_EXPIRED: [409, 'The file was uploaded too long ago: upload it again'],
  MESSAGE_DELETED: [409, 'The message was deleted'],
  MESSAGE_EMPTY: [409, 'A message needs a text or at least one file'],
  TOO_MANY_REACTIONS: [409, 'You have reached the limit of reactions to this message'],
  TOO_MANY_MUTED: [409, 'You have muted as many groups as you can'],
  CLIENT_MSG_ID_REUSED: [409, 'This clientMsgId was used for another message or note'],
  ERASURE_NOT_FOUND: [404, 'No such erasure'],
  ERASURE_DONE: [409, 'The person is erased: that cannot be undone'],
  HOLD_NOT_FOUND: [404, 'No such hold'],
  READ_MODEL_NOT_FOUND: [404, 'No such read model'],
  OWN_ACCOUNT: [409, 'An operator does not do this to its own account'],
  LAST_OPERATOR: [409, 'Nobody else could operate the server then'],
  NO_EMAIL_ADDRESS: [409, 'The account has no e-mail address'],
  REBUILD_RUNNING: [409, 'The read model is being rebuilt'],
  NOTHING_KEPT: [409, 'No earlier version of the read model was kept'],
  POSITION_UNKNOWN: [
    409,
    'The log has no such position: it was restored to an earlier state since, or moved',
  ],
  STREAM_DAMAGED: [409, 'The history that this relies on was deleted or damaged'],
  NOT_SEALED: [409, 'The checkpoint does not cover this event'],
  SEAL_BROKEN: [409, 'The log is not what was sealed'],
  IDEMPOTENCY_KEY_IN_USE: [409, 'The first request with this key is still running'],
  PAYLOAD_TOO_LARGE: [413, 'The body is too large'],
  FILE_TOO_LARGE: [413, 'The file is too large'],
  FILE_TYPE_NOT_ALLOWED: [415, 'Files of this type are not allowed'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Only application/json is understood'],
  IDEMPOTENCY_KEY_REUSED: [422, 'This idempotency key was used for another request'],
  RATE_LIMITED: [429, 'Too many requests'],
  TOO_MANY_SOCKETS: [429, 'Too many open sockets'],
  TOO_MANY_EXPORTS: [429, 'As many exports as this server allows are running'],
  UNKNOWN_EVENT: [404, 'No such event'],
  INTERNAL: [500, 'Something went wrong on our side'],
  NOT_CAUGHT_UP: [503, 'This view has not caught up with the position asked for'],
  UNAVAILABLE: [503, 'The service cannot answer right now'],
  INSUFFICIENT_STORAGE: [507, 'There is no room for more files right now'],
};

export const problemCodes = Object.keys(catalogue) as [ProblemCode, ...ProblemCode[]];

const retryableCodes = new Set<ProblemCode>([
  'IDEMPOTENCY_KEY_IN_USE',
  'RATE_LIMITED',
  'TOO_MANY_SOCKETS',
  'TOO_MANY_EXPORTS',
  'NOT_CAUGHT_UP',
  'UNAVAILABLE',
  'INSUFFICIENT_STORAGE',
  'TOKEN_EXPIRED',
]);

/** An error that carries its problem, for rules of the transport rather than of the domain. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.title);
    this.problem = problem;
  }
}

export function problem(code: ProblemCode, extra: Partial<Problem> = {}): Problem {
  const [status, title] = catalogue[code];
  const type = `urn:problem:${code.toLowerCase().replaceAll('_', '-')}`;
  const { retryAfterSeconds } = extra;
  const waiting = retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1_000 };
  const retryable = retryableCodes.has(code);
  return { type, title, status, detail: title, code, retryable, ...waiting, ...extra };
}

/** Returns a problem whose code has another status and title in one place. */
const meaning = (code: ProblemCode, status: number, title: string): Problem => ({
  ...problem(code),
  ...{ status, title, detail: title },
});
export const LINK_TOKEN_INVALID = meaning('TOKEN_INVALID', 400, 'The link is invalid or has expired');
export const HEADERS_TOO_LARGE = meaning('BAD_REQUEST', 431, 'Request Header Fields Too Large');
export const WRONG_PASSWORD = meaning('BAD_CREDENTIALS', 403, 'Wrong password');
export const WRONG_CODE = meaning('TOTP_INVALID', 403, 'The code is wrong or has been used');

const pointer = (path: readonly PropertyKey[]) =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Limits of the list of faults and of each message, so that a hostile body does not cause a long answer. */
const MAX_ERRORS = 20;
const MAX_LENGTH = 200;

/** A fault of the input; `path` leads to the faulty part. */
export interface Fault {
  path: readonly PropertyKey[];
  message: string;
}

export function badInput(faults: readonly Fault[], where = ''): Problem {
  const errors = faults.slice(0, MAX_ERRORS).map(({ path, message }) => ({
    pointer: pointer(path).slice(0, MAX_LENGTH),
    message: message.slice(0, MAX_LENGTH),
  }));
  const [first] = errors;
  const detail = first && `${where && `${where} `}${first.pointer || '/'}: ${first.message}`;
  return problem('BAD_REQUEST', { ...(detail && { detail }), errors });
}

const toFaults = (issue: z.core.$ZodIssue): Fault[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => ({ path: [...issue.path, key], message: 'Unknown field' }))
    : [issue];

/** Returns the problem for zod's issues. `where` names the part of the request, such as `querystring`. */
export const badRequest = (issues: readonly z.core.$ZodIssue[], where?: string): Problem =>
  badInput(issues.flatMap(toFaults), where);

const UNREACHABLE = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);
/**
 * SQLSTATE classes of transient errors (PostgreSQL, Appendix A): lost connections, serialization failures and
 * deadlocks, insufficient resources, program limits, unavailable locks, cancelled statements and shutdowns, errors of
 * the disk; and a database that is read-only, as a standby is.
 */
const PASSES = /^(?:(?:08|40|53|54|55|57|58)...|25006)$/;
/** The driver's messages about a connection that failed, was lost or timed out. These errors have no code. */
const LOST =
  /^(?:Connection terminated|Query read timeout$|timeout exceeded when trying to connect|timeout expired$|Client has encountered a connection error)/;

/** Class 22 is bad data. Libraries wrap the error that has the code, so the causes are examined too. */
function fromDatabase(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as { code?: unknown }).code;
  const known = typeof code === 'string' ? code : '';
  if (/^22...$/.test(known)) return problem('BAD_REQUEST');
  const passes = PASSES.test(known) || UNREACHABLE.has(known) || LOST.test(error.message);
  return passes ? problem('UNAVAILABLE', { retryAfterSeconds: 1 }) : fromDatabase(error.cause);
}

/** Errors after which the same request may succeed in a moment. */
const PASSING = [
  ...[EventStoreUnavailable, AutomationRefused, RevocationsUnknown],
  ...[IssuerUnreachable, StorageUnavailable, PasswordQueueFull],
] as const;

/** Returns the problem for an error. An unknown error is INTERNAL, without any detail. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (
    error instanceof CommandRejected ||
    error instanceof AuthenticationFailed ||
    error instanceof SecondFactorRefused ||
    error instanceof RoleFixed
  )
    return problem(error.code);
  if (error instanceof TokenRefused || error instanceof ScopeMissing)
    return problem(error.code, { detail: error.message });
  if (error instanceof ZodError) return badRequest(error.issues);
  if (error instanceof RateLimited) {
    const retryAfterSeconds = Math.ceil(error.quota.resetMs / 1000);
    return problem('RATE_LIMITED', { detail: `Try again in ${retryAfterSeconds} s`, retryAfterSeconds });
  }
  if (error instanceof StorageFull) return problem('INSUFFICIENT_STORAGE', { retryAfterSeconds: 60 });
  if (error instanceof EmailTaken) return problem('EMAIL_TAKEN');
  if (error instanceof LinkTokenInvalid) return LINK_TOKEN_INVALID;
  if (error instanceof WrongPassword) return WRONG_PASSWORD;
  if (error instanceof WrongCode) return WRONG_CODE;
  if (error instanceof OwnersPassword) return badInput([{ path: [error.field], message: error.message }]);
  if (PASSING.some((kind) => error instanceof kind)) return problem('UNAVAILABLE', { retryAfterSeconds: 1 });
  if (error instanceof NotCaughtUp) return problem('NOT_CAUGHT_UP', { retryAfterSeconds: 1 });
  return fromDatabase(error) ?? problem('INTERNAL');
}
