import { type components, dataOf } from 'slay-e-chat-client';
import { useEffect, useState } from 'react';
import { useAction, useChat, useLoad, usePages } from '../client.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Field, type Fields, Form } from '../parts/form.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { useRead } from './grant.tsx';
import { Person, toFind, toGroup, toPrivacy } from './links.tsx';

type Hold = components['schemas']['Hold'];

/** Holds, erasures and exports of people. */
export function Privacy() {
  return (
    <Page title={words.audit.privacy.title}>
      <Holds />
      <Erasures />
      <Exports />
    </Page>
  );
}

function Holds() {
  const chat = useChat();
  const { query } = useLocation();
  const [said, setSaid] = useState<string>();
  const { items, more, problem, reload } = usePages(
    (cursor) => dataOf(chat.rest.GET('/v1/privacy/holds', { params: { query: { ...cursor } } })),
    [],
  );
  async function place({ groupId = '', reason = '' }: Fields): Promise<void> {
    const body = { groupId: groupId.trim(), reason };
    await dataOf(chat.rest.POST('/v1/privacy/holds', { body }));
    setSaid(words.audit.holds.placed);
    reload();
  }
  const { group, intro, none, place: placeIt, reason, title } = words.audit.holds;
  return (
    <section aria-labelledby="holds">
      <h2 id="holds">{title}</h2>
      <p>{intro}</p>
      <Form send={place} submit={placeIt}>
        {(wrong) => (
          <>
            <Field
              {...{ label: group, name: 'groupId', required: true, problem: wrong }}
              defaultValue={query.get('group') ?? undefined}
            />
            <Field {...{ label: reason, name: 'reason', required: true, problem: wrong }} />
          </>
        )}
      </Form>
      <p role="status">{said}</p>
      <Problem of={problem} retry={reload} />
      {items === undefined && problem === undefined && <Loading />}
      {items?.length === 0 && <p className="quiet">{none}</p>}
      <ul className="cards">
        {items?.map((hold) => (
          <HoldItem
            key={hold.holdId}
            hold={hold}
            onReleased={() => {
              setSaid(words.audit.holds.released);
              reload();
            }}
          />
        ))}
      </ul>
      <More more={more} />
    </section>
  );
}

function HoldItem({ hold, onReleased }: { hold: Hold; onReleased: () => void }) {
  const chat = useChat();
  const [isAsking, setAsking] = useState(false);
  const { holdId, groupId, reason, placedBy, placedAt, releasedAt } = hold;
  const release = useAction(async () => {
    await chat.rest.DELETE('/v1/privacy/holds/{holdId}', { params: { path: { holdId } } });
    onReleased();
  });
  const { active, over, releaseIt, releaseOf, since, sure } = words.audit.holds;
  return (
    <li>
      <p>
        <Link to={toGroup(groupId)}>{groupId}</Link>{' '}
        <span className="tag">{releasedAt === null ? active : over}</span>
      </p>
      <p dir="auto" className="prose">
        {reason}
      </p>
      <p className="quiet">
        {placedBy !== null && <Person userId={placedBy} />} {since} <Time at={placedAt} as="full" />
        {releasedAt !== null && (
          <>
            {' – '}
            <Time at={releasedAt} as="full" />
          </>
        )}
      </p>
      {releasedAt === null && (
        <p className="row">
          <button type="button" aria-label={releaseOf(groupId)} onClick={() => setAsking(true)}>
            {releaseIt}
          </button>
        </p>
      )}
      <Problem of={release.problem} />
      {isAsking && (
        <Confirm question={sure} yes={releaseIt} onYes={release.run} onEnd={() => setAsking(false)} />
      )}
    </li>
  );
}

function Erasures() {
  const chat = useChat();
  const { query } = useLocation();
  const [userId, setUserId] = useState<string>();
  const erasureId = query.get('erasure') ?? undefined;
  const erase = useAction(async (person: string) => {
    const body = { userId: person };
    const erasure = await dataOf(chat.rest.POST('/v1/privacy/erasures', { body }));
    navigate(toPrivacy({ erasure: erasure.erasureId }));
  });
  const {
    all,
    erasureId: idWord,
    intro,
    look,
    request,
    sure,
    title,
    typeIt,
    user,
    yes,
  } = words.audit.erasures;
  return (
    <section aria-labelledby="erasures">
      <h2 id="erasures">{title}</h2>
      <p>{intro}</p>
      <Form send={async ({ userId: asked = '' }) => setUserId(asked.trim())} submit={request}>
        {() => <Field label={user} name="userId" required autoComplete="off" />}
      </Form>
      <Problem of={erase.problem} />
      {userId !== undefined && (
        <Confirm
          question={sure(userId)}
          yes={yes}
          typed={{ label: typeIt, text: userId }}
          onYes={() => erase.run(userId)}
          onEnd={() => setUserId(undefined)}
        />
      )}
      <Form
        key={`look ${erasureId}`}
        send={async ({ erasure }) => navigate(toPrivacy({ erasure: erasure?.trim() }))}
        submit={look}
      >
        {() => <Field label={idWord} name="erasure" required defaultValue={erasureId} />}
      </Form>
      {erasureId !== undefined && <Erasure key={erasureId} erasureId={erasureId} />}
      <p>
        <Link to={toFind({ type: 'ErasureRequested,ErasureWithdrawn,AccountErased' })}>{all}</Link>
      </p>
    </section>
  );
}

/** How often one looks how far an erasure is. */
const LOOK_MS = 3_000;

function Erasure({ erasureId }: { erasureId: string }) {
  const chat = useChat();
  const { data, problem, reload } = useLoad(
    () => dataOf(chat.rest.GET('/v1/privacy/erasures/{erasureId}', { params: { path: { erasureId } } })),
    [erasureId],
  );
  useEffect(() => {
    if (!data || data.state === 'done') return;
    const timer = setTimeout(reload, LOOK_MS);
    return () => clearTimeout(timer);
  }, [data, reload]);
  const { due, erased, states } = words.audit.erasures;
  return (
    <>
      <Problem of={problem} retry={reload} />
      {!data && problem === undefined && <Loading />}
      {data && (
        <div className="notice">
          <p role="status">
            <strong>{states[data.state]}</strong>
          </p>
          <p>
            <Person userId={data.userId} />
          </p>
          <p>
            {data.erasedAt === null ? due : erased} <Time at={data.erasedAt ?? data.dueAt} as="full" />
          </p>
        </div>
      )}
    </>
  );
}

function Exports() {
  const chat = useChat();
  const read = useRead();
  const [said, setSaid] = useState<string>();
  async function save({ userId = '' }: Fields): Promise<void> {
    const person = userId.trim();
    setSaid(undefined);
    const lines = await read(({ headers }) =>
      dataOf(chat.rest.POST('/v1/privacy/exports', { body: { userId: person }, headers, parseAs: 'blob' })),
    );
    download(lines as unknown as Blob, `${person}.ndjson`);
    setSaid(words.audit.exports.saved);
  }
  const { intro, submit, title, user } = words.audit.exports;
  return (
    <section aria-labelledby="exports">
      <h2 id="exports">{title}</h2>
      <p>{intro}</p>
      <Form send={save} submit={submit}>
        {(wrong) => <Field {...{ label: user, name: 'userId', required: true, problem: wrong }} />}
      </Form>
      <p role="status">{said}</p>
    </section>
  );
}

/** Hands the browser a file that is there already. */
function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  // The browser has taken it by the next turn.
  setTimeout(() => URL.revokeObjectURL(url));
}
