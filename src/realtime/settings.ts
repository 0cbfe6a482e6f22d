export interface RealtimeSettings {
  /** Origins of web pages that may connect, besides those of this host. */
  allowedOrigins: readonly string[];
  headsIntervalMs: number;
  maxSocketsPerUser: number;
  maxUnsentBytes: number;
  /** How long after the answer to a ping the next one is sent. */
  pingIntervalMs: number;
}

export const defaultSettings: RealtimeSettings = {
  allowedOrigins: [],
  headsIntervalMs: 15_000,
  maxSocketsPerUser: 20,
  maxUnsentBytes: 1_048_576,
  pingIntervalMs: 25_000,
};
