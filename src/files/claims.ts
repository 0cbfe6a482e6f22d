/** Lets go of a claim. */
export type Release = () => Promise<void>;

/** The port by which processes share out work: one at a time has a claim to a name, and a crash lets go of it at once. */
export interface Claims {
  /** Undefined while another process has it. Rejects when nobody can tell. */
  claim(name: string): Promise<Release | undefined>;
}
