import { type components, dataOf } from 'slay-e-chat-client';
import { useChat } from '../client.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../words.ts';
import { useWatch } from './watch.ts';

type SystemState = components['schemas']['System'];

const EVERY_MS = 5_000;

/** How the deployment is: its parts, processes, leases and what waits. */
export function System() {
  const chat = useChat();
  const { data, problem, reload } = useWatch(
    () => dataOf(chat.rest.GET('/v1/admin/system')),
    () => EVERY_MS,
  );
  const { notReady, ready, title } = words.admin.system;
  return (
    <Page title={title}>
      <Problem of={problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      {data && (
        <>
          <p role="status">{data.status === 'ready' ? ready : notReady}</p>
          <Parts of={data} />
          <Work of={data} />
          <Processes of={data} />
          <Leases of={data} />
        </>
      )}
    </Page>
  );
}

function Parts({ of: { dependencies } }: { of: SystemState }) {
  const { parts, statuses } = words.admin.system;
  return (
    <section aria-labelledby="parts">
      <h2 id="parts">{parts}</h2>
      <dl>
        {Object.entries(dependencies).map(([name, { status, detail }]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className={status === 'ok' ? undefined : 'wrong'} dir="auto">
              {statuses[status]}
              {detail !== undefined && `: ${detail}`}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Work({ of: { filesToScan, queues } }: { of: SystemState }) {
  const { nothingWaits, queueNames, waits, work } = words.admin.system;
  const all = Object.entries({ ...queues, files: filesToScan });
  return (
    <section aria-labelledby="work">
      <h2 id="work">{work}</h2>
      <dl>
        {all.map(([name, { count, oldestSeconds }]) => (
          <div key={name}>
            <dt>{queueNames[name] ?? name}</dt>
            <dd>{count === 0 ? nothingWaits : waits(count, oldestSeconds)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Processes({ of: { nodes } }: { of: SystemState }) {
  const { processes, since, version } = words.admin.system;
  return (
    <section aria-labelledby="processes">
      <h2 id="processes">{processes}</h2>
      <ul className="cards">
        {nodes.map((node) => (
          <li key={node.nodeId}>
            <p>
              {node.host} <span className="quiet">{version(node.version)}</span>
            </p>
            <p>{words.list(node.roles)}</p>
            <p className="quiet">
              {since} <Time at={node.startedAt} as="full" /> · {node.nodeId}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Leases({ of: { leases, nodes } }: { of: SystemState }) {
  const { leases: title, nobody } = words.admin.system;
  const hosts = new Map(nodes.map(({ nodeId, host }) => [nodeId, host]));
  return (
    <section aria-labelledby="leases">
      <h2 id="leases">{title}</h2>
      <dl>
        {leases.map(({ name, nodeId, vacantSeconds }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className={nodeId === null ? 'wrong' : undefined}>
              {nodeId === null ? nobody(vacantSeconds) : (hosts.get(nodeId) ?? nodeId)}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
