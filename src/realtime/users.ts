import type { UserId } from '../events/ids.ts';
import type { User } from './connection.ts';

/** The users of this node. */
export class Users {
  readonly #byId = new Map<UserId, User>();
  readonly #maxSockets: number;

  constructor(maxSocketsPerUser: number) {
    this.#maxSockets = maxSocketsPerUser;
  }

  find(userId: UserId): User | undefined {
    return this.#byId.get(userId);
  }

  all(): Iterable<User> {
    return this.#byId.values();
  }

  /** Reserves a socket for a handshake until it is settled; undefined when the user has too many here. */
  admit(userId: UserId): User | undefined {
    const user = this.#byId.get(userId) ?? {
      id: userId,
      sockets: new Set(),
      arriving: 0,
      membershipChanges: 0,
      absence: undefined,
    };
    if (user.sockets.size + user.arriving >= this.#maxSockets) return undefined;
    this.#byId.set(userId, user);
    user.arriving += 1;
    return user;
  }

  /** A handshake has been decided. */
  settle(user: User): void {
    // By then Socket.IO has made the socket, or has dropped it because its client had gone.
    setImmediate(() => {
      user.arriving -= 1;
      this.forget(user);
    });
  }

  /** Drops a user that has no sockets, and whose absence has been announced or never needed it. */
  forget(user: User): void {
    const isPresent = user.sockets.size + user.arriving > 0 || user.absence !== undefined;
    if (!isPresent && this.#byId.get(user.id) === user) this.#byId.delete(user.id);
  }

  isOnline(userId: UserId): boolean {
    return this.#byId.has(userId);
  }
}
