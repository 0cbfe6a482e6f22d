import { registerAccount } from '../commands/account/register-account.ts';
import type { HandleCommand, Request } from '../commands/handle-command.ts';
import type { Role } from '../events/account.ts';
import type { Position } from '../events/event-store.ts';
import { UserId } from '../events/ids.ts';
import { type Credential, type Credentials, EmailTaken } from './credentials.ts';
import type { PasswordHashes } from './passwords/password-hashes.ts';

export interface NewAccount {
  email: string;
  password: string;
  role: Role;
  displayName: string;
  /** True if a link in a letter to the address has proved it. */
  emailVerified?: boolean;
}

export interface Registration {
  /** Throws `EmailTaken`, `PasswordQueueFull` and `EventStoreUnavailable`. After the last it is safe to repeat. */
  register(account: NewAccount): Promise<{ userId: UserId; position: Position }>;
  /** Appends the event of a credential that was stored before a crash. Does nothing when the log has it already. */
  complete(credential: Credential): Promise<void>;
  /** Completes all interrupted registrations. Called at the start. */
  completeAll(): Promise<void>;
}

/**
 * Appends the event of a stored account, once, and marks it. Resolves with the position of the event. May be repeated.
 */
export async function recordAccount(
  { userId, role, displayName }: Pick<Credential, 'userId' | 'role' | 'displayName'>,
  {
    handle,
    credentials,
    request,
  }: { handle: HandleCommand; credentials: Pick<Credentials, 'markRegistered'>; request: Request },
): Promise<Position> {
  const { position } = await handle(
    registerAccount,
    { userId, role, displayName },
    { ...request, key: userId },
  );
  await credentials.markRegistered(userId);
  return position;
}

/** Creates the registration. An account is a credential, which can be erased, and then an event, which cannot. */
export function createRegistration({
  credentials,
  hashes,
  handle,
  newId,
}: {
  credentials: Credentials;
  hashes: PasswordHashes;
  handle: HandleCommand;
  newId: () => string;
}): Registration {
  /** Addresses being registered. A second registration during the first is not a repetition of it. */
  const underway = new Set<string>();

  const record = (account: Parameters<typeof recordAccount>[0]) =>
    recordAccount(account, {
      ...{ handle, credentials },
      request: { actor: 'system', correlationId: newId() },
    });

  /**
   * Returns the credential that an earlier attempt stored without recording it in the log. Only its owner has
   * the password.
   */
  async function leftBehind({
    email,
    password,
    role,
    displayName,
  }: NewAccount): Promise<Credential | undefined> {
    const found = await credentials.ofEmail(email);
    if (!found) return undefined;
    const isSame = !found.registered && found.role === role && found.displayName === displayName;
    const verify = () => hashes.verify(password, found.passwordHash ?? undefined);
    if (isSame && (await hashes.limited(verify)) !== 'wrong') return found;
    throw new EmailTaken();
  }

  async function add({ password, ...account }: NewAccount) {
    const passwordHash = await hashes.limited(() => hashes.hash(password));
    const credential = { ...account, userId: UserId.parse(newId()), passwordHash };
    await credentials.add(credential);
    return credential;
  }

  async function complete(credential: Credential): Promise<void> {
    if (!credential.registered) await record(credential);
  }

  return {
    async register(account) {
      const { email } = account;
      if (underway.has(email)) throw new EmailTaken();
      underway.add(email);
      try {
        const credential = (await leftBehind(account)) ?? (await add(account));
        return { userId: credential.userId, position: await record(credential) };
      } finally {
        underway.delete(email);
      }
    },
    complete,
    async completeAll() {
      for (const credential of await credentials.unregistered()) await complete(credential);
    },
  };
}
