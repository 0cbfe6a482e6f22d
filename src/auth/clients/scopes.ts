/** What a client may do, and what each scope allows. */
const MEANINGS = {
  'users:write': 'Make accounts for the people of the board, change, deactivate and reactivate them',
  'tokens:issue': 'Get access tokens for them',
  'jobs:write': 'Post, change and close jobs for them',
  'applications:write': 'Apply, decide, withdraw, and add and delete notes for them',
  'messages:write': 'Write messages, react, read up to a message, change members and upload files for them',
  'messages:read': 'Read their groups, the messages there, and the state of files',
} as const;
export type Scope = keyof typeof MEANINGS;

export const scopeMeanings: Readonly<Record<Scope, string>> = MEANINGS;
export const SCOPES = Object.keys(MEANINGS) as Scope[];

const isScope = (text: string): text is Scope => SCOPES.some((scope) => scope === text);

/** Returns the scopes of a list separated by spaces (RFC 6749 §3.3); undefined when one is unknown, or there is none. */
export function scopesIn(text: string): Scope[] | undefined {
  const names = text.split(' ').filter((name) => name !== '');
  return names.length > 0 && names.every(isScope) ? names : undefined;
}
