import type { Rate } from '../kit/token-bucket.ts';

export interface RealtimeSettings {
  /** Origins of web pages that may connect, besides those of this host. */
  allowedOrigins: readonly string[];
  /** Lifetime of access tokens. */
  accessTokenSeconds: number;
  headsIntervalMs: number;
  maxSocketsPerUser: number;
  maxUnsentBytes: number;
  /** Time between the answer to a ping and the next ping. */
  pingIntervalMs: number;
  /** Rate of refused events of one socket. Answering a flood costs as much as obeying it. */
  refusals: Rate;
}

export const defaultSettings: RealtimeSettings = {
  allowedOrigins: [],
  accessTokenSeconds: 900,
  headsIntervalMs: 15_000,
  maxSocketsPerUser: 20,
  maxUnsentBytes: 1_048_576,
  pingIntervalMs: 25_000,
  // Clients that retry too soon stay far below this.
  refusals: { perSecond: 20, burst: 200 },
};
