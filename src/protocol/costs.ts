import type { Bucket } from './rate-limits.ts';

/** What a call takes: points of the caller's general budget, or one of a bucket that is there for such calls alone. */
export type Cost = number | Extract<Bucket, 'messages' | 'uploads' | 'logins' | 'verification-letters'>;

/** What a call takes that stands in no table, so that whatever is added later is counted. */
export const DEFAULT_COSTS = {
  /** GET, HEAD and OPTIONS. */
  query: 1,
  /** A query with a text to look for in `q`. */
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
 * Every exception. A REST operation goes by its `operationId`, which a socket event with the same effect shares; an alias
 * takes what the operation takes that it stands for.
 */
const costs: Readonly<Record<string, Cost>> = {
  // Counted by the contract, or kept on disk, each by itself.
  sendMessage: 'messages',
  requestUpload: 'uploads',
  register: 'logins',
  logIn: 'logins',
  requestPasswordReset: 'logins',
  requestEmailVerification: 'verification-letters',
  // Stored for ever and told to all members, like a message.
  editMessage: 10,
  deleteMessage: 10,
  addReaction: 10,
  removeReaction: 10,
  // Long lists, which are stored as they come.
  setNotificationPreferences: 20,
  // A password is checked, and another one hashed.
  changePassword: 20,
  changeEmail: 20,
  // Strangers may call them, and they ask the database.
  refresh: 20,
  confirmEmail: 20,
  resetPassword: 20,
  metrics: 5,
  // Read or forwarded only.
  sync: 1,
  joinRoom: 1,
  leaveRoom: 1,
  typing: 1,
  // By a link, or by a scanner, that this server has been asked for before.
  upload: 1,
  orderScan: 1,
  reportScan: 1,
  // Nothing is asked of anything.
  live: 0,
};

/** The names in the table, for the documents that are made of it. */
export const exceptions: readonly (readonly [name: string, cost: Cost])[] = Object.entries(costs);

/** What the table says of an operation or a socket event; undefined for all that takes the usual. */
export function costOf(operation = ''): Cost | undefined {
  const name = operation.replace(/Alias$/, '');
  return Object.hasOwn(costs, name) ? costs[name] : undefined;
}

/** The number of groups of a `sync` that take one more point. */
export const SYNC_GROUPS_PER_POINT = 10;
