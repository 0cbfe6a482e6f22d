/** What should become of queries against one text, and only that. */
export interface Text {
  text: string;
  /** Found with the words as typed. */
  found?: string[];
  /** Found after those, because accents differ. */
  accents?: string[];
  missed?: string[];
}

/** Texts of one language, or signs of one kind, after what a search engine documents. */
export interface Block {
  of: string;
  after: string;
  texts: Text[];
}
