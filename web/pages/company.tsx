import { type components, dataOf } from 'slay-e-chat-client';
import { type ReactNode, useId, useState } from 'react';
import { useAction, useChat, useLoad, usePages, useUser } from '../client.tsx';
import { useAnnounce } from '../parts/announcer.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Field, Form } from '../parts/form.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { shortly } from '../parts/time.tsx';
import { words } from '../words.ts';

type CompanyData = components['schemas']['Company'];
type Teammate = components['schemas']['Teammate'];
type Role = Teammate['role'];
type Job = components['schemas']['Job'];

const ROLES: readonly Role[] = ['owner', 'recruiter', 'interviewer', 'viewer'];

/** The company of a person: who is in it, in which role, and who is invited. */
export function Company() {
  const chat = useChat();
  const { data, problem, reload } = useLoad(() => dataOf(chat.rest.GET('/v1/company')), []);
  const jobs = usePages(
    (cursor) =>
      dataOf(chat.rest.GET('/v1/jobs', { params: { query: { mine: 'true', limit: 100, ...cursor } } })),
    [],
  );
  const isOwner = data?.myRole === 'owner';
  return (
    <Page title={data?.name ?? words.company.title}>
      <Problem of={problem ?? jobs.problem} retry={reload} />
      {data === undefined && problem === undefined && <Loading />}
      {data && (
        <>
          <Team company={data} jobs={jobs} onChanged={reload} />
          {isOwner && <Invitations jobs={jobs} />}
          {isOwner && <Name company={data} onChanged={reload} />}
        </>
      )}
    </Page>
  );
}

type Jobs = Pick<ReturnType<typeof usePages<Job>>, 'items' | 'more'>;

function Name({ company, onChanged }: { company: CompanyData; onChanged: () => void }) {
  const chat = useChat();
  const [said, setSaid] = useState<string>();
  const { name, rename } = words.company;
  return (
    <section aria-labelledby="rename">
      <h2 id="rename">{rename}</h2>
      <Form
        submit={words.save}
        send={async ({ name: next = '' }) => {
          await dataOf(chat.rest.PATCH('/v1/company', { body: { name: next } }));
          setSaid(words.saved);
          onChanged();
        }}
      >
        {(problem) => (
          <Field {...{ label: name, name: 'name', required: true, problem }} defaultValue={company.name} />
        )}
      </Form>
      <p role="status">{said}</p>
    </section>
  );
}

function Team({ company, jobs, onChanged }: { company: CompanyData; jobs: Jobs; onChanged: () => void }) {
  const chat = useChat();
  const user = useUser();
  const announce = useAnnounce();
  const [leaving, setLeaving] = useState<Teammate>();
  const { items, more, problem, reload } = usePages(
    (cursor) => dataOf(chat.rest.GET('/v1/company/members', { params: { query: { ...cursor } } })),
    [],
  );
  const remove = useAction(async ({ userId }: Teammate) => {
    const params = { path: { userId } };
    await dataOf(chat.rest.DELETE('/v1/company/members/{userId}', { params }));
    announce(words.company.removed);
    reload();
    if (userId === user.id) onChanged();
  });
  const isOwner = company.myRole === 'owner';
  const { leave, leaveSure, remove: removeIt, removeOf, removeSure, roles, team } = words.company;
  return (
    <section aria-labelledby="team">
      <h2 id="team">{team}</h2>
      {items === undefined && problem === undefined && <Loading />}
      <Problem of={problem} retry={reload} />
      <Problem of={remove.problem} />
      <ul className="cards">
        {items?.map((teammate) => {
          const { userId, displayName, jobIds, role } = teammate;
          const isOwn = userId === user.id;
          return (
            <li key={userId}>
              <h3 dir="auto">
                {displayName}
                {isOwn && ` (${words.conversation.you})`}
              </h3>
              <p>
                <span className="tag">{roles[role]}</span> <JobsOf jobIds={jobIds} jobs={jobs} />
              </p>
              {isOwner && (
                <Place
                  // Another one when somebody else has changed it.
                  key={JSON.stringify([role, jobIds])}
                  {...{ teammate, jobs }}
                  onChanged={() => {
                    reload();
                    if (isOwn) onChanged();
                  }}
                />
              )}
              {(isOwner || isOwn) && (
                <p>
                  <button
                    type="button"
                    aria-label={isOwn ? leave : removeOf(displayName)}
                    onClick={() => setLeaving(teammate)}
                  >
                    {isOwn ? leave : removeIt}
                  </button>
                </p>
              )}
            </li>
          );
        })}
      </ul>
      <More more={more} />
      {leaving && (
        <Confirm
          question={leaving.userId === user.id ? leaveSure : removeSure(leaving.displayName)}
          yes={leaving.userId === user.id ? leave : removeIt}
          onYes={() => remove.run(leaving)}
          onEnd={() => setLeaving(undefined)}
        />
      )}
    </section>
  );
}

function JobsOf({ jobIds, jobs }: { jobIds: readonly string[] | null; jobs: Jobs }) {
  if (jobIds === null) return <span className="quiet">{words.company.allJobs}</span>;
  const titles = jobIds.flatMap((jobId) => jobs.items?.find((job) => job.jobId === jobId)?.title ?? []);
  return (
    <span className="quiet" dir="auto">
      {words.company.someJobs(jobIds.length, titles)}
    </span>
  );
}

function Place({ teammate, jobs, onChanged }: { teammate: Teammate; jobs: Jobs; onChanged: () => void }) {
  const chat = useChat();
  const announce = useAnnounce();
  const [isOpen, setOpen] = useState(false);
  const [jobIds, setJobIds] = useState(teammate.jobIds);
  const { change, changed, changeOf } = words.company;
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary aria-label={changeOf(teammate.displayName)}>{change}</summary>
      <Form
        submit={words.save}
        send={async ({ role }) => {
          const params = { path: { userId: teammate.userId } };
          const body = { role: role as Role, jobIds };
          await dataOf(chat.rest.PATCH('/v1/company/members/{userId}', { params, body }));
          announce(changed);
          setOpen(false);
          onChanged();
        }}
      >
        {() => (
          <>
            <RoleChoice id={`role-${teammate.userId}`} chosen={teammate.role} />
            <JobsChoice {...{ jobs, jobIds }} onChange={setJobIds} />
          </>
        )}
      </Form>
    </details>
  );
}

function RoleChoice({ id, chosen }: { id: string; chosen: Role }) {
  const { role, roleHint, roles } = words.company;
  return (
    <div className="field">
      <label htmlFor={id}>{role}</label>
      <small id={`${id}-hint`} className="quiet">
        {roleHint}
      </small>
      <select id={id} name="role" defaultValue={chosen} aria-describedby={`${id}-hint`}>
        {ROLES.map((each) => (
          <option key={each} value={each}>
            {roles[each]}
          </option>
        ))}
      </select>
    </div>
  );
}

/** All jobs of the company, or some of them; those that come later are in all. */
function JobsChoice({
  jobs,
  jobIds,
  onChange,
}: {
  jobs: Jobs;
  jobIds: readonly string[] | null;
  onChange: (jobIds: string[] | null) => void;
}) {
  const { allJobs, jobs: legend, onlyThese } = words.company;
  const id = useId();
  const choice = (isChecked: boolean, label: ReactNode, onChoose: () => void) => (
    <label className="choice">
      <input type="radio" name={id} checked={isChecked} onChange={onChoose} />
      {label}
    </label>
  );
  return (
    <fieldset>
      <legend>{legend}</legend>
      {choice(jobIds === null, allJobs, () => onChange(null))}
      {choice(jobIds !== null, onlyThese, () => onChange([]))}
      {jobIds !== null && (
        <>
          {jobs.items?.map(({ jobId, title }) => {
            const isChosen = jobIds.includes(jobId);
            return (
              <label key={jobId} className="choice">
                <input
                  type="checkbox"
                  checked={isChosen}
                  onChange={() =>
                    onChange(isChosen ? jobIds.filter((each) => each !== jobId) : [...jobIds, jobId])
                  }
                />
                <span dir="auto">{title}</span>
              </label>
            );
          })}
          <More more={jobs.more} />
        </>
      )}
    </fieldset>
  );
}

function Invitations({ jobs }: { jobs: Jobs }) {
  const chat = useChat();
  const [jobIds, setJobIds] = useState<string[] | null>(null);
  const [turn, setTurn] = useState(0);
  const [said, setSaid] = useState<string>();
  const { items, more, problem, reload } = usePages(
    (cursor) => dataOf(chat.rest.GET('/v1/company/invitations', { params: { query: { ...cursor } } })),
    [],
  );
  const revoke = useAction(async (invitationId: string) => {
    const params = { path: { invitationId } };
    await dataOf(chat.rest.DELETE('/v1/company/invitations/{invitationId}', { params }));
    setSaid(words.company.revoked);
    reload();
  });
  const {
    endsAt,
    invite,
    invitations,
    noInvitations,
    revoke: revokeIt,
    revokeOf,
    roles,
    sent,
  } = words.company;
  return (
    <section aria-labelledby="invitations">
      <h2 id="invitations">{invitations}</h2>
      <Form
        // Another form each time: what was sent is not sent to the next one.
        key={turn}
        submit={invite}
        send={async ({ email = '', role }) => {
          await dataOf(
            chat.rest.POST('/v1/company/invitations', { body: { email, role: role as Role, jobIds } }),
          );
          setSaid(sent(email));
          setJobIds(null);
          setTurn(turn + 1);
          reload();
        }}
      >
        {(wrong) => (
          <>
            <Field
              {...{ label: words.logIn.email, name: 'email', type: 'email', required: true, problem: wrong }}
              autoComplete="off"
              autoFocus={turn > 0}
            />
            <RoleChoice id="invite-role" chosen="recruiter" />
            <JobsChoice {...{ jobs, jobIds }} onChange={setJobIds} />
          </>
        )}
      </Form>
      <p role="status" dir="auto">
        {said}
      </p>
      <Problem of={problem} retry={reload} />
      <Problem of={revoke.problem} />
      {items?.length === 0 && <p className="quiet">{noInvitations}</p>}
      <ul className="cards">
        {items?.map(({ invitationId, email, role, expiresAt, jobIds: invitedTo }) => (
          <li key={invitationId}>
            <p dir="auto">{email}</p>
            <p>
              <span className="tag">{roles[role]}</span> <JobsOf jobIds={invitedTo} jobs={jobs} />
            </p>
            <p className="quiet">{endsAt(shortly(expiresAt))}</p>
            <p>
              <button type="button" aria-label={revokeOf(email)} onClick={() => revoke.run(invitationId)}>
                {revokeIt}
              </button>
            </p>
          </li>
        ))}
      </ul>
      <More more={more} />
    </section>
  );
}
