import { type ChatClient, ChatProblem, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useAction, useChat, useLoad } from '../client.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { Link, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { toSeal } from './links.tsx';
import {
  type Checkpoint,
  type KnownEvent,
  type PublishedKeys,
  type Verdict,
  checkConsistency,
  checkInclusion,
  checkOrder,
  checkSignature,
  publishedKeys,
} from './proof.ts';

/** What was checked in this browser, and how it ended. */
type Check = readonly [what: string, verdict: Verdict];

const checkpointsOf = (chat: ChatClient, query: { after?: number; limit?: number }) =>
  dataOf(chat.rest.GET('/v1/audit/checkpoints', { params: { query } }));

/** Where everybody finds the keys. It is no call of the API, and takes no token. */
const KEYS = '/.well-known/seal-keys.json';

async function keysOf(): Promise<PublishedKeys> {
  const answer = await fetch(KEYS);
  if (!answer.ok) throw new ChatProblem({ code: 'NO_ANSWER', status: answer.status, retryable: true });
  return publishedKeys((await answer.json()) as { keys: Record<string, unknown>[] });
}

/** Resolves with the checkpoint of a size. */
async function checkpointOf(chat: ChatClient, size: number): Promise<Checkpoint | undefined> {
  const { data } = await checkpointsOf(chat, { after: size - 1, limit: 1 });
  return data.find((checkpoint) => checkpoint.size === size);
}

/** Resolves with the last checkpoint: proofs are about it unless another one is asked for. */
async function newestOf(chat: ChatClient): Promise<Checkpoint | undefined> {
  const [first] = (await checkpointsOf(chat, { limit: 1 })).data;
  if (!first) return undefined;
  const params = { query: { position: first.position } };
  const { size } = await dataOf(chat.rest.GET('/v1/audit/proof', { params }));
  return checkpointOf(chat, size);
}

/** Proves in this browser that an event is in the sealed log, and says what that does not prove. */
export function EventProof({ event }: { event: KnownEvent }) {
  const chat = useChat();
  const [checks, setChecks] = useState<{ size: number; list: readonly Check[] }>();
  const { event: ofEvent, path, signature, sealed } = words.audit.seal.checks;
  const check = useAction(async () => {
    setChecks(undefined);
    const params = { query: { position: event.position } };
    const proof = await dataOf(chat.rest.GET('/v1/audit/proof', { params }));
    const [checkpoint, keys] = await Promise.all([checkpointOf(chat, proof.size), keysOf()]);
    if (!checkpoint) return setChecks({ size: proof.size, list: [[sealed, 'broken']] });
    const included = await checkInclusion(event, proof, checkpoint);
    setChecks({
      size: proof.size,
      list: [
        [ofEvent, included.leaf],
        [path(proof.size), included.path],
        [signature(proof.size), await checkSignature(checkpoint, keys)],
      ],
    });
  });
  const { notProven, verify } = words.audit.seal;
  return (
    <>
      <button type="button" className="main" onClick={() => check.run()} aria-disabled={check.isRunning}>
        {verify}
      </button>
      <Problem of={check.problem} />
      {checks && <Checks checks={checks.list} unchecked={notProven} />}
    </>
  );
}

/** What holds, what does not, and what nobody has looked at. */
function Checks({ checks, unchecked }: { checks: readonly Check[]; unchecked: readonly string[] }) {
  const { allHold, broken, notChecked } = words.audit.seal;
  const isBroken = checks.some(([, verdict]) => verdict === 'broken');
  const isWhole = checks.every(([, verdict]) => verdict === 'holds');
  return (
    <>
      {isBroken ? (
        <p role="alert" className="problem wrong">
          {broken}
        </p>
      ) : (
        <p role="status">{isWhole ? allHold : words.audit.seal.partly}</p>
      )}
      <ul className="cards">
        {checks.map(([what, verdict]) => (
          <li key={what}>
            <p>
              <VerdictTag verdict={verdict} /> {what}
            </p>
          </li>
        ))}
      </ul>
      <h3>{notChecked}</h3>
      <ul>
        {unchecked.map((what) => (
          <li key={what}>{what}</li>
        ))}
      </ul>
    </>
  );
}

const VerdictTag = ({ verdict }: { verdict: Verdict }) => (
  <strong className={`verdict ${verdict}`}>{words.audit.seal.verdicts[verdict]}</strong>
);

/** The checkpoints of the log, verified in this browser. */
export function Seal() {
  const after = Number(useLocation().query.get('after') ?? 0) || 0;
  const { intro, title } = words.audit.seal;
  return (
    <Page title={title}>
      <p>{intro}</p>
      <Newest />
      <Keys />
      <List key={after} after={after} />
    </Page>
  );
}

const KEPT = 'audit-checkpoint';

/** Returns the checkpoint that the browser keeps, if it keeps anything. */
function keptCheckpoint(): Checkpoint | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null') as Checkpoint | null;
  } catch {
    return null;
  }
}

/** The last checkpoint: its signature, and whether the log still begins with what was kept here. */
function Newest() {
  const chat = useChat();
  const { consistency, keptKey, signature } = words.audit.seal.checks;
  const { data, problem, reload } = useLoad(async () => {
    const [newest, keys] = await Promise.all([newestOf(chat), keysOf()]);
    if (!newest) return { checks: [] };
    const kept = keptCheckpoint();
    const checks: Check[] = [[signature(newest.size), await checkSignature(newest, keys)]];
    if (kept) {
      const params = { query: { from: kept.size, to: newest.size } };
      // A log that is shorter than what was kept, or has no such checkpoint any more, has been replaced.
      const proof =
        kept.size <= newest.size && (await checkpointOf(chat, kept.size))
          ? await dataOf(chat.rest.GET('/v1/audit/consistency', { params }))
          : undefined;
      checks.push([consistency(kept.size), proof ? await checkConsistency(kept, newest, proof) : 'broken']);
      checks.push([keptKey, kept.keyId === newest.keyId ? 'holds' : 'broken']);
    }
    return { newest, kept, checks };
  }, []);
  const [said, setSaid] = useState<string>();
  const keep = useAction(async (checkpoint: Checkpoint) => {
    localStorage.setItem(KEPT, JSON.stringify(checkpoint));
    setSaid(words.audit.seal.kept(checkpoint.size));
    reload();
  });
  const { keep: keepIt, newest, none, notKept, notProvenOfSeal } = words.audit.seal;
  return (
    <section aria-labelledby="newest">
      <h2 id="newest">{newest}</h2>
      <Problem of={problem} retry={reload} />
      {!data && problem === undefined && <Loading />}
      {data && !data.newest && <p role="status">{none}</p>}
      {data?.newest && (
        <>
          <Facts checkpoint={data.newest} />
          <Checks
            checks={data.checks}
            unchecked={data.kept ? notProvenOfSeal : [notKept, ...notProvenOfSeal]}
          />
          <button type="button" onClick={() => keep.run(data.newest)}>
            {keepIt}
          </button>
          <Problem of={keep.problem} />
        </>
      )}
      <p role="status">{said}</p>
    </section>
  );
}

function Facts({ checkpoint: { size, at, root, keyId } }: { checkpoint: Checkpoint }) {
  const { events, key, root: rootWord } = words.audit.seal;
  return (
    <>
      <p>
        <strong>{events(size)}</strong> <Time at={at} as="exact" />
      </p>
      <p className="quiet">
        {rootWord} <code>{root}</code>
      </p>
      <p className="quiet">
        {key} <code>{keyId}</code>
      </p>
    </>
  );
}

function Keys() {
  const { data, problem, reload } = useLoad(keysOf, []);
  const { keys, keysHint } = words.audit.seal;
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">{keys}</h2>
      <p>
        {keysHint} <a href={KEYS}>{KEYS}</a>
      </p>
      <Problem of={problem} retry={reload} />
      <ul className="plain">
        {data &&
          [...data.keys()].map((keyId) => (
            <li key={keyId}>
              <code>{keyId}</code>
            </li>
          ))}
      </ul>
    </section>
  );
}

/** The checkpoints, oldest first, page by page. */
function List({ after }: { after: number }) {
  const chat = useChat();
  const { data, problem, reload } = useLoad(async () => {
    const [page, keys] = await Promise.all([checkpointsOf(chat, { after }), keysOf()]);
    const checked = page.data.map(async (checkpoint, at) => {
      const before = page.data[at - 1];
      return {
        checkpoint,
        signature: await checkSignature(checkpoint, keys),
        order: before
          ? await checkOrder(before, checkpoint)
          : after === 0 && checkpoint.previous !== null
            ? 'broken'
            : undefined,
      } as const;
    });
    return { rows: await Promise.all(checked), next: page.nextCursor };
  }, [after]);
  const { all, follows, next, none, signed } = words.audit.seal;
  return (
    <section aria-labelledby="all">
      <h2 id="all">{all}</h2>
      <Problem of={problem} retry={reload} />
      {!data && problem === undefined && <Loading />}
      {data?.rows.length === 0 && <p className="quiet">{none}</p>}
      <ol className="cards">
        {data?.rows.map(({ checkpoint, signature, order }) => (
          <li key={checkpoint.size}>
            <Facts checkpoint={checkpoint} />
            <p>
              <VerdictTag verdict={signature} /> {signed}
            </p>
            {order && (
              <p>
                <VerdictTag verdict={order} /> {follows}
              </p>
            )}
          </li>
        ))}
      </ol>
      {data && data.next !== null && (
        <Link className="button" to={toSeal({ after: data.next })} rel="next">
          {next}
        </Link>
      )}
    </section>
  );
}
