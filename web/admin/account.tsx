import { type components, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useChat, useLoad, useUser } from '../client.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { PATHS } from '../paths.ts';
import { Link } from '../router.tsx';
import { words } from '../words.ts';
import { Marks, nameOf } from './accounts.tsx';
import { Act } from './act.tsx';

type Details = components['schemas']['AccountDetails'];

/** One account: what is known of it, where it is logged in, and what operators may do. */
export function Account({ userId }: { userId: string }) {
  const chat = useChat();
  const { data, problem, reload } = useLoad(
    () => dataOf(chat.rest.GET('/v1/admin/users/{userId}', { params: { path: { userId } } })),
    [],
  );
  const [said, setSaid] = useState<string>();
  const done = (what: string) => {
    setSaid(what);
    reload();
  };
  return (
    <Page title={data ? nameOf(data) : words.admin.user.title}>
      <Link to={PATHS.adminUsers}>{words.admin.user.back}</Link>
      <Problem of={problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      <p role="status">{said}</p>
      {data && (
        <>
          <p>
            <Marks of={data} />
          </p>
          {data.email !== null && <p dir="auto">{data.email}</p>}
          <p className="quiet">
            {words.admin.user.since} <Time at={data.createdAt} as="full" /> · {data.userId}
          </p>
          {data.role === 'company' && (
            <Link to={`${PATHS.adminJobs}?companyId=${data.userId}`}>{words.admin.user.jobs}</Link>
          )}
          {!data.isErased && <Acts on={data} done={done} />}
          <Sessions of={data} done={done} />
        </>
      )}
    </Page>
  );
}

interface OnAccount {
  done: (what: string) => void;
}

function Acts({ on: account, done }: OnAccount & { on: Details }) {
  const chat = useChat();
  const own = useUser();
  const name = nameOf(account);
  const path = { userId: account.userId };
  const { restore, resetFactor, suspend, title, verify } = words.admin.acts;
  return (
    <section aria-labelledby="acts">
      <h2 id="acts">{title}</h2>
      <div className="row">
        {!account.isSuspended && account.userId !== own.id && (
          <Act
            label={suspend.label}
            question={suspend.question(name)}
            act={async ({ reason }) => {
              await chat.rest.POST('/v1/admin/users/{userId}/suspend', {
                params: { path },
                body: { reason },
              });
              done(suspend.done);
            }}
          />
        )}
        {account.isSuspended && (
          <Act
            label={restore.label}
            question={restore.question(name)}
            act={async ({ reason }) => {
              await chat.rest.POST('/v1/admin/users/{userId}/restore', {
                params: { path },
                body: { reason },
              });
              done(restore.done);
            }}
          />
        )}
        {account.hasSecondFactor && account.userId !== own.id && (
          <Act
            label={resetFactor.label}
            question={resetFactor.question(name)}
            act={async ({ reason }) => {
              const body = { reason };
              await chat.rest.POST('/v1/admin/users/{userId}/reset-second-factor', {
                params: { path },
                body,
              });
              done(resetFactor.done);
            }}
          />
        )}
        {account.email !== null && !account.emailVerified && (
          <Act
            label={verify.label}
            question={verify.question(account.email)}
            act={async ({ reason }) => {
              const body = { reason };
              await chat.rest.POST('/v1/admin/users/{userId}/verify-email', { params: { path }, body });
              done(verify.done);
            }}
          />
        )}
      </div>
    </section>
  );
}

function Sessions({ of: { userId, sessions, ...account }, done }: OnAccount & { of: Details }) {
  const chat = useChat();
  const { endAll, endOne, ended, none, title, unknown } = words.admin.sessions;
  async function end(reason: string, sessionId?: string): Promise<void> {
    const { endedSessions } = await dataOf(
      chat.rest.POST('/v1/admin/users/{userId}/end-sessions', {
        params: { path: { userId } },
        body: { reason, ...(sessionId !== undefined && { sessionId }) },
      }),
    );
    done(ended(endedSessions));
  }
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{title}</h2>
      {sessions.length === 0 && <p className="quiet">{none}</p>}
      <ul className="cards">
        {sessions.map(({ sessionId, createdAt, lastUsedAt, userAgent }) => (
          <li key={sessionId}>
            <p dir="auto">{userAgent ?? unknown}</p>
            <p className="quiet">
              <Time at={createdAt} as="full" /> – <Time at={lastUsedAt} as="full" />
            </p>
            <div className="row">
              <Act
                label={endOne.label}
                name={endOne.name(userAgent ?? unknown)}
                question={endOne.question(nameOf(account))}
                act={({ reason }) => end(reason, sessionId)}
              />
            </div>
          </li>
        ))}
      </ul>
      {sessions.length > 1 && (
        <div className="row">
          <Act
            label={endAll.label}
            question={endAll.question(nameOf(account))}
            act={({ reason }) => end(reason)}
          />
        </div>
      )}
    </section>
  );
}
