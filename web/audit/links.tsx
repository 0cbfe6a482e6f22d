import type { ReactNode } from 'react';
import { PATHS } from '../paths.ts';
import { Link } from '../router.tsx';
import type { Scope } from './grant.tsx';

type Query = Record<string, string | number | undefined>;

/** Returns a path of a page with its query. */
function path(pattern: string, named: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  const asked = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
  return pattern.replace(/:\w+/, () => encodeURIComponent(named)) + asked;
}

export const toFind = (query: Query): string => path(PATHS.audit, '', query);
export const toStream = (stream: string, query?: Query): string => path(PATHS.auditStream, stream, query);
export const toEvent = (eventId: string): string => path(PATHS.auditEvent, eventId);
export const toGroup = (groupId: string, query?: Query): string => path(PATHS.auditGroup, groupId, query);
export const toAccess = (query?: Query): string => path(PATHS.auditAccess, '', query);
export const toPrivacy = (query?: Query): string => path(PATHS.auditPrivacy, '', query);
export const toSeal = (query?: Query): string => path(PATHS.auditSeal, '', query);

/** Returns the group whose conversation a stream is about; undefined for others. */
export function groupOf(stream: string): string | undefined {
  return /^(?:chatGroup|conversation)-(.+)$/.exec(stream)?.[1];
}

/** A user, who is known to the log by an id. */
export const Person = ({ userId }: { userId: string }) => (
  <Link to={toStream(`account-${userId}`)}>{userId}</Link>
);

/** What a grant is for. */
export const ScopeLink = ({ scope, children }: { scope: Scope; children: ReactNode }) => (
  <Link to={'groupId' in scope ? toGroup(scope.groupId) : toStream(`account-${scope.userId}`)}>
    {children}
  </Link>
);
