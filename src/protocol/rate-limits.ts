/** The limits that are counted exactly, call by call. */
export type Bucket =
  | 'messages'
  | 'uploads'
  | 'failed-logins'
  | 'logins'
  | 'verification-letters'
  | 'address-changes'
  | 'invitations'
  | 'invitation-letters';

/** The points that all other calls take: from the budget of a user, of a client, or of an unknown caller's address. */
export type Budget = 'requests' | 'clients' | 'anonymous';

/** Length of a window. The first use of a key starts its window. */
export const WINDOW_SECONDS = 60;

/**
 * Limits per hour, of a user, and of letters to an address whoever asks for them. No setting changes them, because they
 * protect the mailboxes of strangers.
 */
export const PER_HOUR = {
  'verification-letters': 3,
  'address-changes': 5,
  invitations: 60,
  'invitation-letters': 3,
} as const;

export const windowSecondsOf = (bucket: Bucket): number =>
  Object.hasOwn(PER_HOUR, bucket) ? 3_600 : WINDOW_SECONDS;

/** The size of each bucket and budget, for one key and window. */
export interface PerMinute {
  messagesPerMinute: number;
  uploadsPerMinute: number;
  failedLoginsPerMinute: number;
  loginsPerMinute: number;
  /** Points, for a user, for a client, and for an unknown caller's address. */
  requestsPerMinute: number;
  clientRequestsPerMinute: number;
  anonymousRequestsPerMinute: number;
}

/** The rest of a quota, for the RateLimit fields. */
export interface Quota {
  bucket: Bucket | Budget;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Time until a new window starts. */
  resetMs: number;
}

/** The result of `spend`. */
interface Spent extends Quota {
  /** Time to wait before the work begins. It slows down a caller that spends a minute's points within seconds. */
  delayMs: number;
}

export class RateLimited extends Error {
  override readonly name = 'RateLimited';
  readonly quota: Quota;

  constructor(quota: Quota) {
    super(`more than ${quota.limit} ${quota.bucket} in ${quota.windowSeconds} s`);
    this.quota = quota;
  }
}

/** The port of the counters: in memory for one node, Redis for many. */
export interface RateLimits {
  /** Takes one from the bucket. Rejects with `RateLimited` when it is empty. */
  consume(bucket: Bucket, key: string): Promise<Quota>;
  /** Takes nothing. Rejects with `RateLimited` when the bucket is empty. */
  check(bucket: Bucket, key: string): Promise<Quota>;
  /**
   * Takes points from the budget. It is synchronous: nodes exchange their sums a moment later, so two of them may
   * grant the same points. Throws `RateLimited` and takes nothing when fewer are left.
   */
  spend(budget: Budget, key: string, points: number): Spent;
}

/**
 * The cost of a call: points of the caller's budget, or one of the bucket for calls of its kind. A client that acts for
 * a user pays points for every call, and takes from the user's buckets as the user would.
 */
export type Cost =
  number | Extract<Bucket, 'messages' | 'uploads' | 'logins' | 'verification-letters' | 'invitations'>;

/** The costs of calls without an entry in `costs`. New calls are thus counted from the start. */
export const DEFAULT_COSTS = {
  /** GET, HEAD and OPTIONS. */
  query: 1,
  /** A query with a search text in `q`. */
  search: 10,
  /** Every other method. */
  command: 5,
  socketEvent: 5,
  /** Puts a socket into the rooms of all groups of its user. */
  connection: 10,
  /** A request or a connection with a token that is not valid, charged to its address. */
  badToken: 5,
} as const;

/**
 * The exceptions, by `operationId` of the REST operation, or by name of the socket event. An event and an operation
 * with the same effect share a name. An alias costs as much as its operation.
 */
const costs: Readonly<Record<string, Cost>> = {
  // The public contract limits these one by one, or each of them takes disk space.
  sendMessage: 'messages',
  requestUpload: 'uploads',
  register: 'logins',
  logIn: 'logins',
  requestPasswordReset: 'logins',
  requestEmailVerification: 'verification-letters',
  inviteTeammate: 'invitations',
  // Stored for ever and pushed to all members, like a message.
  editMessage: 10,
  deleteMessage: 10,
  addReaction: 10,
  removeReaction: 10,
  // Up to a hundred files, each of which may be in another group.
  listFiles: 10,
  // Long lists, stored as a whole.
  setNotificationPreferences: 20,
  changeNotificationPreferences: 20,
  muteGroup: 20,
  unmuteGroup: 20,
  // One password is checked and another one hashed.
  changePassword: 20,
  changeEmail: 20,
  eraseMe: 20,
  beginTotp: 20,
  removeTotp: 20,
  // An account, or a session, is stored.
  putUser: 10,
  issueUserToken: 10,
  // It reads the log for as long as its reader wants.
  exportEvents: 20,
  // These may read a whole stream.
  getPastStream: 20,
  getPastGroup: 20,
  traceEvent: 20,
  // These read all that is stored about a person.
  exportPerson: 20,
  exportOwnData: 20,
  // It looks at everything.
  getSystem: 5,
  // These replace whole read models.
  rebuildReadModel: 20,
  rollBackReadModel: 20,
  // These query the database for strangers.
  issueToken: 20,
  refresh: 20,
  confirmEmail: 20,
  resetPassword: 20,
  metrics: 5,
  // These only read or forward.
  sync: 1,
  joinRoom: 1,
  leaveRoom: 1,
  typing: 1,
  // Called with a link that this server has issued, or by its scanner.
  upload: 1,
  orderScan: 1,
  reportScan: 1,
  // Queries nothing.
  live: 0,
};

/** The entries of the table, for the generated documents. */
export const exceptions: readonly (readonly [name: string, cost: Cost])[] = Object.entries(costs);

/** Returns the cost of an operation or a socket event; undefined when the default applies. */
export function costOf(operation = ''): Cost | undefined {
  const name = operation.replace(/Alias$/, '');
  return Object.hasOwn(costs, name) ? costs[name] : undefined;
}

/** Number of groups in a `sync` for each further point. */
export const SYNC_GROUPS_PER_POINT = 10;
