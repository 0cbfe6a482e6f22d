import { type components, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useChat } from '../client.tsx';
import { Loading, Page, Problem } from '../parts/page.tsx';
import { Time } from '../parts/time.tsx';
import { words } from '../words.ts';
import { Act } from './act.tsx';
import { useWatch } from './watch.ts';

type ReadModel = components['schemas']['ReadModel'];
type Rebuild = components['schemas']['Rebuild'];

const EVERY_MS = 5_000;
const WHILE_BUILDING_MS = 1_500;

const isUnderWay = (rebuild: Rebuild | null): boolean =>
  rebuild?.state === 'requested' || rebuild?.state === 'running';

/** How far the read models are, and how far those that are built anew. */
export function ReadModels() {
  const chat = useChat();
  const { data, problem, reload } = useWatch(
    () => dataOf(chat.rest.GET('/v1/admin/read-models')),
    (found) => (found?.data.some(({ rebuild }) => isUnderWay(rebuild)) ? WHILE_BUILDING_MS : EVERY_MS),
  );
  const [said, setSaid] = useState<string>();
  const { events, title } = words.admin.readModels;
  const done = (what: string) => {
    setSaid(what);
    reload();
  };
  return (
    <Page title={title}>
      <Problem of={problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      {data && <p>{events(data.head)}</p>}
      <p role="status">{said}</p>
      <ul className="cards">
        {data?.data.map((model) => (
          <Item key={model.name} of={model} done={done} />
        ))}
      </ul>
    </Page>
  );
}

function Item({ of: model, done }: { of: ReadModel; done: (what: string) => void }) {
  const chat = useChat();
  const { name, version, latestVersion, behind, previousKept, rebuild } = model;
  const params = { path: { name } };
  const { behindBy, build, caughtUp, force, notMade, rollBack, versionOf } = words.admin.readModels;
  return (
    <li>
      <h2>{name}</h2>
      <p>
        {behind === null ? notMade : behind === 0 ? caughtUp : behindBy(behind)}
        {version !== null && <span className="quiet"> · {versionOf(version, latestVersion)}</span>}
      </p>
      {rebuild && <Progress of={rebuild} name={name} />}
      {!isUnderWay(rebuild) && (
        <div className="row">
          <Act
            label={build.label}
            name={build.name(name)}
            question={build.question(name)}
            act={async ({ reason, fields }) => {
              const body = { reason, force: fields['force'] === 'true' };
              await chat.rest.POST('/v1/admin/read-models/{name}/rebuild', { params, body });
              done(build.done(name));
            }}
          >
            <label className="choice">
              <input type="checkbox" name="force" value="true" />
              {force}
            </label>
          </Act>
          {previousKept && (
            <Act
              label={rollBack.label}
              name={rollBack.name(name)}
              question={rollBack.question(name)}
              act={async ({ reason }) => {
                const body = { reason };
                await chat.rest.POST('/v1/admin/read-models/{name}/rollback', { params, body });
                done(rollBack.done(name));
              }}
            />
          )}
        </div>
      )}
    </li>
  );
}

function Progress({ of: { state, position, head, finishedAt, error }, name }: { of: Rebuild; name: string }) {
  const { failed, finished, progress, reached, requested } = words.admin.readModels;
  if (state === 'requested') return <p role="status">{requested}</p>;
  if (state === 'running')
    return (
      <p role="status">
        <progress aria-label={progress(name)} value={position ?? 0} max={head || 1} />{' '}
        {reached(position ?? 0, head ?? 0)}
      </p>
    );
  return (
    <p className={state === 'failed' ? 'wrong' : 'quiet'}>
      {state === 'failed' ? failed(error ?? '') : finished}{' '}
      {finishedAt !== null && <Time at={finishedAt} as="full" />}
    </p>
  );
}
