import { type components, dataOf } from 'slay-e-chat-client';
import { useChat } from '../client.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { words } from '../words.ts';
import { EventItem } from './event-item.tsx';
import { useLook } from './grant.tsx';
import { EventProof } from './seal.tsx';

type Node = components['schemas']['TraceNode'];

/** An event: why it happened, what followed from it, and the proof that it was not changed. */
export function Event({ eventId }: { eventId: string }) {
  const chat = useChat();
  const { data, problem, reload } = useLook(
    (asked) =>
      dataOf(chat.rest.GET('/v1/audit/trace/{eventId}', { ...asked, params: { path: { eventId } } })),
    [],
  );
  const { causes, effects, noCauses, noEffects, proof, title, truncated } = words.audit.trace;
  return (
    <Page title={data ? data.event.type : title}>
      <Problem of={problem} retry={reload} />
      {!data && problem === undefined && <Loading />}
      {data && (
        <>
          {data.truncated && <p className="notice">{truncated}</p>}
          <EventItem event={data.event} />
          <section aria-labelledby="causes">
            <h2 id="causes">{causes}</h2>
            <Nodes nodes={data.event.causes} side="causes" none={noCauses} />
          </section>
          <section aria-labelledby="effects">
            <h2 id="effects">{effects}</h2>
            <Nodes nodes={data.event.effects} side="effects" none={noEffects} />
          </section>
          <section aria-labelledby="proof">
            <h2 id="proof">{proof}</h2>
            <EventProof event={data.event} />
          </section>
        </>
      )}
    </Page>
  );
}

/** Events with what led to them, or followed from them, one level deeper each. */
function Nodes({ nodes, side, none }: { nodes: readonly Node[]; side: 'causes' | 'effects'; none?: string }) {
  if (nodes.length === 0) return none === undefined ? null : <p className="quiet">{none}</p>;
  return (
    <ul className="branches">
      {nodes.map((node) => (
        <li key={node.id}>
          {node.relation && <p className="quiet">{words.audit.trace.relations[side][node.relation]}</p>}
          <EventItem event={node} />
          <Nodes nodes={node[side]} side={side} />
        </li>
      ))}
    </ul>
  );
}
