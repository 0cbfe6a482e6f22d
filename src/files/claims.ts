/** Releases a claim. */
export type Release = () => Promise<void>;

/**
 * The port by which processes share work. One process at a time holds the claim to a name, and a crash
 * releases it at once.
 */
export interface Claims {
  /** Resolves with undefined while another process holds the claim. Rejects when that cannot be determined. */
  claim(name: string): Promise<Release | undefined>;
}
