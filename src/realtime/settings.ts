import type { Rate } from '../kit/token-bucket.ts';

export interface RealtimeSettings {
  /** Origins of web pages that may connect, besides those of this host. */
  allowedOrigins: readonly string[];
  /** How long access tokens live. */
  accessTokenSeconds: number;
  headsIntervalMs: number;
  maxSocketsPerUser: number;
  maxUnsentBytes: number;
  /** How long after the answer to a ping the next one is sent. */
  pingIntervalMs: number;
  /** What one socket may get refused: answering a flood costs as much as obeying it. */
  refusals: Rate;
}

export const defaultSettings: RealtimeSettings = {
  allowedOrigins: [],
  accessTokenSeconds: 900,
  headsIntervalMs: 15_000,
  maxSocketsPerUser: 20,
  maxUnsentBytes: 1_048_576,
  pingIntervalMs: 25_000,
  // Clients that try again too soon stay far below.
  refusals: { perSecond: 20, burst: 200 },
};
