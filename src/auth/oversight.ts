import type { UserId } from '../events/ids.ts';
import type { Credentials } from './credentials.ts';
import type { SecondFactorStore } from './second-factor/second-factors.ts';
import type { OpenSession, SessionStore } from './sessions.ts';

/** What operators see and do of accounts. Each act changes nothing where there is nothing to change. */
export interface Oversight {
  sessionsOf(userId: UserId): Promise<OpenSession[]>;
  /** Resolves with the reason against an act; undefined without one. */
  obstacleTo: {
    suspend(userId: UserId): Promise<'LAST_OPERATOR' | undefined>;
    endSession(userId: UserId, sessionId: string): Promise<'SESSION_NOT_FOUND' | undefined>;
    resetSecondFactor(userId: UserId): Promise<'TOTP_NOT_SET_UP' | undefined>;
    verifyEmail(userId: UserId): Promise<'NO_EMAIL_ADDRESS' | undefined>;
  };
  /** Resolves with the number of sessions that ended; undefined when nobody else could operate the server then. */
  suspend(userId: UserId): Promise<number | undefined>;
  restore(userId: UserId): Promise<void>;
  /** Ends one session of the user, or all of them. Resolves with the number of those that were open. */
  endSessions(userId: UserId, sessionId: string | null): Promise<number>;
  resetSecondFactor(userId: UserId): Promise<void>;
  verifyEmail(userId: UserId): Promise<void>;
}

/** Creates what operators see and do of accounts. `onEnded` is called at once with every session that ends. */
export function createOversight({
  credentials,
  sessions,
  secondFactors,
  onEnded,
}: {
  credentials: Credentials;
  sessions: SessionStore;
  secondFactors: SecondFactorStore;
  onEnded: (sessionId: string) => void;
}): Oversight {
  const tell = (ended: readonly string[]): number => {
    ended.forEach(onEnded);
    return ended.length;
  };

  return {
    sessionsOf: (userId) => sessions.ofUser(userId),
    obstacleTo: {
      suspend: async (userId) => ((await credentials.isLastOperator(userId)) ? 'LAST_OPERATOR' : undefined),
      endSession: async (userId, sessionId) =>
        (await sessions.ofUser(userId)).some((open) => open.sessionId === sessionId)
          ? undefined
          : 'SESSION_NOT_FOUND',
      resetSecondFactor: async (userId) =>
        (await secondFactors.find(userId)) ? undefined : 'TOTP_NOT_SET_UP',
      verifyEmail: async (userId) =>
        (await credentials.ofUser(userId))?.email == null ? 'NO_EMAIL_ADDRESS' : undefined,
    },
    async suspend(userId) {
      const ended = await credentials.suspendForOperator(userId);
      return ended && tell(ended);
    },
    async restore(userId) {
      await credentials.restore(userId);
    },
    async endSessions(userId, sessionId) {
      if (sessionId === null) return tell(await sessions.revokeAllOf(userId));
      return (await sessions.revokeOneOf(userId, sessionId)) ? tell([sessionId]) : 0;
    },
    async resetSecondFactor(userId) {
      await secondFactors.remove(userId);
    },
    async verifyEmail(userId) {
      await credentials.vouch(true, userId);
    },
  };
}
