import type { UserId } from '../../events/ids.ts';
import type { ChatSocket, User } from '../connection/connection.ts';

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

  /** Gives one of the user's places to a handshake. Returns undefined when all places on this node are taken. */
  admit(userId: UserId, socket: ChatSocket): User | undefined {
    const user = this.#byId.get(userId) ?? {
      id: userId,
      sockets: new Set(),
      arriving: new Set(),
      waiting: 0,
      waitingBytes: 0,
      membershipChanges: 0,
      placeChangedAt: 0,
      absence: undefined,
    };
    if (placesOf(user) >= this.#maxSockets) return undefined;
    this.#byId.set(userId, user);
    user.arriving.add(socket);
    return user;
  }

  /** Turns a handshake into a socket, which keeps its place. */
  arrived(user: User, socket: ChatSocket): void {
    user.arriving.delete(socket);
    user.sockets.add(socket);
  }

  /** Frees the place of a handshake that has not become a socket and will not. */
  turnAway(user: User, socket: ChatSocket): void {
    if (user.arriving.delete(socket)) this.forget(user);
  }

  /** Drops a user that has no sockets, and whose absence has been announced or never needed it. */
  forget(user: User): void {
    const isPresent = placesOf(user) > 0 || user.absence !== undefined;
    if (!isPresent && this.#byId.get(user.id) === user) this.#byId.delete(user.id);
  }

  isOnline(userId: UserId): boolean {
    return this.#byId.has(userId);
  }
}

/** Returns the number of sockets and handshakes of a user on this node; each is one of the two. */
export const placesOf = ({ sockets, arriving }: User): number => sockets.size + arriving.size;
