import { createHash, createHmac } from 'node:crypto';

/** No login can be made. The message tells what the operator can do. */
export class NoLogin extends Error {
  override readonly name = 'NoLogin';
}

/** The two users of a database. */
export interface Logins {
  ownerUrl: string;
  applicationUrl: string;
}

/**
 * Returns the users that the settings name. Without an owner, `url` is the owner's, and the password of the application
 * derives from the owner's, so that every process knows it. Throws `NoLogin` when there is none to derive it from.
 */
export const loginsOf = (url: string, ownerUrl?: string): Logins =>
  ownerUrl === undefined
    ? { ownerUrl: url, applicationUrl: derivedUrl(url) }
    : { ownerUrl, applicationUrl: url };

function derivedUrl(ownerUrl: string): string {
  const url = new URL(ownerUrl);
  if (url.password === '')
    throw new NoLogin(
      'DATABASE_URL has no password for that of the application to follow from: set DATABASE_OWNER_URL to it, and DATABASE_URL to a user of the application',
    );
  const user = userOf(decodeURIComponent(url.pathname.slice(1)));
  const ownersPassword = decodeURIComponent(url.password);
  url.username = encodeURIComponent(user);
  url.password = createHmac('sha256', ownersPassword).update(user).digest('base64url');
  return url.href;
}

/** PostgreSQL cuts names off at 63 bytes. */
function userOf(database: string): string {
  const user = `chat_app_${database}`;
  if (Buffer.byteLength(user) <= 63) return user;
  return `chat_app_${createHash('sha256').update(database).digest('hex').slice(0, 32)}`;
}
