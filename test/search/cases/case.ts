/** The expected results of queries against one text. */
export interface Text {
  text: string;
  /** Found with the words as typed. */
  found?: string[];
  /** Found in the second rank, because accents differ. */
  accents?: string[];
  missed?: string[];
}

/** Texts of one language or with one kind of characters, based on the documentation of a search engine. */
export interface Block {
  of: string;
  after: string;
  texts: Text[];
}
