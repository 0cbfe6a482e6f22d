import { type components, dataOf } from 'slay-e-chat-client';
import { useAction, useChat, usePages, useUser } from '../client.tsx';
import { Choice, Field, type Fields, Form } from '../parts/form.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { type Scope, useAccess, useGrantAccess } from './grant.tsx';
import { Person, ScopeLink } from './links.tsx';

type Grant = components['schemas']['AccessGrant'];

const MOST_MINUTES = 60;
const USUAL_MINUTES = 30;

/** Opens personal text for a reason and a while, and lists who has done so. */
export function AccessPage() {
  const chat = useChat();
  const { items, more, problem, reload } = usePages(
    (cursor) => dataOf(chat.rest.GET('/v1/audit/access-grants', { params: { query: { ...cursor } } })),
    [],
  );
  const { intro, list, none, title } = words.audit.access;
  return (
    <Page title={title}>
      <section aria-label={words.audit.access.open}>
        <p>{intro}</p>
        <OpenForm onOpened={reload} />
      </section>
      <section aria-labelledby="grants">
        <h2 id="grants">{list}</h2>
        <Problem of={problem} retry={reload} />
        {items === undefined && problem === undefined && <Loading />}
        {items?.length === 0 && <p className="quiet">{none}</p>}
        <ul className="cards">
          {items?.map((grant) => (
            <GrantItem key={grant.grantId} grant={grant} onChanged={reload} />
          ))}
        </ul>
        <More more={more} />
      </section>
    </Page>
  );
}

function OpenForm({ onOpened }: { onOpened: () => void }) {
  const { query } = useLocation();
  const open = useGrantAccess();
  const [group, user, next] = ['group', 'user', 'next'].map((name) => query.get(name) ?? undefined);

  async function send({ of, id = '', reason = '', minutes }: Fields): Promise<void> {
    const scope: Scope = of === 'user' ? { userId: id.trim() } : { groupId: id.trim() };
    await open({ scope, reason, minutes: Number(minutes) });
    if (next?.startsWith('/audit')) navigate(next, { replaces: true });
    else onOpened();
  }
  const {
    id,
    idHint,
    minutes,
    ofGroup,
    ofUser,
    open: openIt,
    reason,
    reasonHint,
    whose,
  } = words.audit.access;
  return (
    <Form send={send} submit={openIt}>
      {(problem) => (
        <>
          <Field {...{ label: reason, hint: reasonHint, name: 'reason', required: true, problem }} />
          <Choice
            legend={whose}
            name="of"
            chosen={user === undefined ? 'group' : 'user'}
            options={[
              ['group', ofGroup],
              ['user', ofUser],
            ]}
          />
          <Field
            {...{ label: id, hint: idHint, name: 'id', required: true, problem }}
            defaultValue={group ?? user}
          />
          <Field
            {...{ label: minutes, name: 'minutes', type: 'number', required: true, problem }}
            {...{ min: 1, max: MOST_MINUTES, defaultValue: USUAL_MINUTES, inputMode: 'numeric' }}
          />
        </>
      )}
    </Form>
  );
}

function GrantItem({ grant, onChanged }: { grant: Grant; onChanged: () => void }) {
  const chat = useChat();
  const user = useUser();
  const access = useAccess();
  const { grantId, auditorId, reason, grantedAt, expiresAt, endedAt } = grant;
  const scope = grant.scope as Scope;
  const end = useAction(async () => {
    await chat.rest.DELETE('/v1/audit/access-grants/{grantId}', { params: { path: { grantId } } });
    access.forget(grantId);
    onChanged();
  });
  const isOpen = endedAt === null && Date.parse(expiresAt) > Date.now();
  const { end: endIt, from, until, use } = words.audit.access;
  const { ended, expired, open } = words.audit.access.states;
  return (
    <li>
      <p>
        <ScopeLink scope={scope}>{words.audit.access.scope(scope)}</ScopeLink>{' '}
        <span className="tag">{isOpen ? open : endedAt === null ? expired : ended}</span>
      </p>
      <p dir="auto" className="prose">
        {reason}
      </p>
      <p className="quiet">
        <Person userId={auditorId} />, {from} <Time at={grantedAt} as="full" /> {until}{' '}
        <Time at={endedAt ?? expiresAt} as="full" />
      </p>
      {isOpen && auditorId === user.id && (
        <p className="row">
          {access.grant?.grantId !== grantId && (
            <button
              type="button"
              onClick={() => access.use({ grantId, scope, reason, endsAt: Date.parse(expiresAt) })}
            >
              {use}
            </button>
          )}
          <button type="button" onClick={() => end.run()} aria-disabled={end.isRunning}>
            {endIt}
          </button>
        </p>
      )}
      <Problem of={end.problem} />
    </li>
  );
}
