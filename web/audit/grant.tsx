import { ChatProblem, dataOf } from 'slay-e-chat-client';
import {
  type ReactNode,
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { type Loaded, useAction, useChat, useLoad, useUser } from '../client.tsx';
import { useAnnounce } from '../parts/announcer.tsx';
import { Problem } from '../parts/page.tsx';
import { tabStorage } from '../tab-storage.ts';
import { words } from '../words.ts';

/** What an open grant is for. */
export type Scope = { groupId: string } | { userId: string };

/** A grant that this page uses. */
export interface OpenGrant {
  grantId: string;
  scope: Scope;
  reason: string;
  /** By the clock of this browser, in milliseconds since 1970. */
  endsAt: number;
}

interface Access {
  grant: OpenGrant | undefined;
  use: (grant: OpenGrant) => void;
  /** Uses it no more: it has ended, or is not wanted here. */
  forget: (grantId: string) => void;
}

const AccessContext = createContext<Access | undefined>(undefined);

export function useAccess(): Access {
  const access = useContext(AccessContext);
  if (!access) throw new Error('There is no access around this part');
  return access;
}

const MINUTE_MS = 60_000;
/** How often the remaining time is written anew. */
const TICK_MS = 5_000;

/** Returns the grant of this tab, which is kept over a reload. Another user of the browser never gets it. */
function useKept(userId: string) {
  const key = `audit-grant ${userId}`;
  const [grant, setGrant] = useState<OpenGrant | undefined>(() => {
    const kept = JSON.parse(tabStorage.get(key) ?? 'null') as OpenGrant | null;
    return kept && kept.endsAt > Date.now() ? kept : undefined;
  });
  // Written at once: the next page, which reads it, may be drawn before this one again.
  const keep = useCallback(
    (next: OpenGrant | undefined) => {
      if (next) tabStorage.set(key, JSON.stringify(next));
      else tabStorage.remove(key);
      setGrant(next);
    },
    [key],
  );
  return [grant, keep] as const;
}

/** What is around the pages of auditors: the grant with which they read, and the banner that says so. */
export function AccessArea({ children }: { children: ReactNode }) {
  const { id } = useUser();
  const [grant, keep] = useKept(id);
  const announce = useAnnounce();
  const [hasEnded, setEnded] = useState(false);
  const current = useRef(grant);
  current.current = grant;
  const forget = useCallback(
    (grantId: string) => {
      if (current.current?.grantId !== grantId) return;
      keep(undefined);
      setEnded(true);
      announce(words.audit.access.ended);
    },
    [keep, announce],
  );
  const use = useCallback(
    (next: OpenGrant) => {
      keep(next);
      setEnded(false);
    },
    [keep],
  );
  useEffect(() => {
    if (!grant) return;
    const timer = setTimeout(() => forget(grant.grantId), grant.endsAt - Date.now());
    return () => clearTimeout(timer);
  }, [grant, forget]);
  const access = useMemo(() => ({ grant, use, forget }), [grant, use, forget]);
  return (
    <AccessContext value={access}>
      {grant && <GrantBanner grant={grant} />}
      {!grant && hasEnded && <p className="notice">{words.audit.access.ended}</p>}
      {children}
    </AccessContext>
  );
}

function GrantBanner({ grant: { grantId, scope, reason, endsAt } }: { grant: OpenGrant }) {
  const chat = useChat();
  const { forget } = useAccess();
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const end = useAction(async () => {
    await chat.rest.DELETE('/v1/audit/access-grants/{grantId}', { params: { path: { grantId } } });
    forget(grantId);
  });
  const { banner, endNow, openTo, remaining } = words.audit.access;
  return (
    <section aria-label={banner} className="notice">
      <p>
        <strong>{openTo(scope)}</strong> <span dir="auto">{reason}</span>
      </p>
      <p className="row">
        <span role="timer">{remaining(Math.max(1, Math.ceil((endsAt - now) / MINUTE_MS)))}</span>
        <button type="button" onClick={() => end.run()} aria-disabled={end.isRunning}>
          {endNow}
        </button>
      </p>
      <Problem of={end.problem} />
    </section>
  );
}

/** What a read of the log takes along. */
export interface Reading {
  signal?: AbortSignal;
  headers: Record<string, string>;
}

/** Returns a function that reads with the grant, if there is one, and forgets a grant that is over. */
export function useRead(): <T>(read: (asked: Reading) => Promise<T>, signal?: AbortSignal) => Promise<T> {
  const { grant, forget } = useAccess();
  return async (read, signal) => {
    const headers: Record<string, string> = grant ? { 'x-access-grant': grant.grantId } : {};
    try {
      return await read({ ...(signal && { signal }), headers });
    } catch (error) {
      if (grant && error instanceof ChatProblem && error.code === 'GRANT_NOT_OPEN') forget(grant.grantId);
      throw error;
    }
  };
}

/** Loads what the grant may open, and again when that changes. What was read with another grant is not shown. */
export function useLook<T>(read: (asked: Reading) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const { grant } = useAccess();
  const reading = useRead();
  const by = grant?.grantId;
  const { data, problem, reload } = useLoad(
    async (signal) => ({ by, read: await reading(read, signal) }),
    [by, ...keys],
  );
  const isOver = problem instanceof ChatProblem && problem.code === 'GRANT_NOT_OPEN';
  return {
    data: data && data.by === by ? data.read : undefined,
    // It is loaded again without the grant.
    problem: isOver ? undefined : problem,
    reload,
  };
}

/** Gives oneself a grant. */
export function useGrantAccess(): (asked: {
  reason: string;
  scope: Scope;
  minutes: number;
}) => Promise<void> {
  const chat = useChat();
  const { use } = useAccess();
  return async ({ reason, scope, minutes }) => {
    const endsAt = Date.now() + minutes * MINUTE_MS;
    const body = { reason, scope, minutes };
    const { grantId } = await dataOf(chat.rest.POST('/v1/audit/access-grants', { body }));
    use({ grantId, scope, reason, endsAt });
  };
}
