import { type components, dataOf } from 'slay-e-chat-client';
import { useState } from 'react';
import { useAction, useChat, useLoad } from '../client.tsx';
import { Link } from '../router.tsx';
import { words } from '../words.ts';
import { useAnnounce } from './announcer.tsx';
import { Confirm } from './confirm.tsx';
import { Field, Form } from './form.tsx';
import { Notes } from './notes.tsx';
import { Problem, Prose } from './page.tsx';
import { Time } from './time.tsx';

type Data = components['schemas']['Application'];
type Status = components['schemas']['ChangeApplicationStatus']['status'];

/** Those that the applicant can withdraw. */
const OPEN: ReadonlySet<Data['status']> = new Set(['submitted', 'screening', 'interview', 'offer']);
const CHOSEN: readonly Status[] = ['screening', 'interview', 'offer', 'hired', 'rejected'];

/** An application, as the applicant or the company's people see it. */
export function Application({
  application,
  onChanged,
  isOfStaff = false,
}: {
  application: Data;
  onChanged: () => void;
  isOfStaff?: boolean;
}) {
  const { applicant, coverLetter, groupId, reason, status, submittedAt } = application;
  const { cover, statuses } = words.applications;
  const Heading = isOfStaff ? 'h3' : 'h2';
  return (
    <li>
      <Heading dir="auto">
        {isOfStaff ? applicant.displayName : <JobTitle jobId={application.jobId} />}
      </Heading>
      <p>
        <span className="tag">{statuses[status]}</span> <Time at={submittedAt} />
        {reason !== null && <span dir="auto"> {reason}</span>}
      </p>
      {coverLetter !== null && (
        <details>
          <summary>{cover}</summary>
          <Prose text={coverLetter} />
        </details>
      )}
      <p>
        <Link to={`/c/${groupId}`}>{words.job.open}</Link>
      </p>
      {isOfStaff && status !== 'withdrawn' && <Change application={application} onChanged={onChanged} />}
      {isOfStaff && <Notes applicationId={application.id} of={applicant.displayName} />}
      {!isOfStaff && OPEN.has(status) && <Withdraw application={application} onChanged={onChanged} />}
    </li>
  );
}

function JobTitle({ jobId }: { jobId: string }) {
  const chat = useChat();
  const { data } = useLoad(
    () => dataOf(chat.rest.GET('/v1/jobs/{jobId}', { params: { path: { jobId } } })),
    [jobId],
  );
  return <Link to={`/jobs/${jobId}`}>{data?.title ?? words.loading}</Link>;
}

function Withdraw({ application, onChanged }: { application: Data; onChanged: () => void }) {
  const chat = useChat();
  const announce = useAnnounce();
  const [isAsking, setAsking] = useState(false);
  const withdraw = useAction(async () => {
    const params = { path: { applicationId: application.id } };
    await dataOf(chat.rest.DELETE('/v1/applications/{applicationId}', { params }));
    announce(words.applications.withdrawn);
    onChanged();
  });
  const { withdraw: withdrawIt, withdrawSure } = words.applications;
  return (
    <>
      <p>
        <button type="button" aria-disabled={withdraw.isRunning} onClick={() => setAsking(true)}>
          {withdrawIt}
        </button>
      </p>
      <Problem of={withdraw.problem} />
      {isAsking && (
        <Confirm
          question={withdrawSure}
          yes={withdrawIt}
          onYes={withdraw.run}
          onEnd={() => setAsking(false)}
        />
      )}
    </>
  );
}

function Change({ application, onChanged }: { application: Data; onChanged: () => void }) {
  const chat = useChat();
  const announce = useAnnounce();
  const [isOpen, setOpen] = useState(false);
  const { change, changed, of, reason, reasonHint, status, statuses } = words.applications;
  const id = `status-${application.id}`;
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {change}
        <span className="hidden"> {of(application.applicant.displayName)}</span>
      </summary>
      <Form
        submit={change}
        send={async ({ status: next, reason: why }) => {
          const body = { status: next as Status, ...(why !== undefined && { reason: why }) };
          const params = { path: { applicationId: application.id } };
          await dataOf(chat.rest.PATCH('/v1/applications/{applicationId}', { params, body }));
          announce(changed);
          setOpen(false);
          onChanged();
        }}
      >
        {(problem) => (
          <>
            <div className="field">
              <label htmlFor={id}>{status}</label>
              <select id={id} name="status" defaultValue={application.status}>
                {CHOSEN.map((each) => (
                  <option key={each} value={each}>
                    {statuses[each]}
                  </option>
                ))}
              </select>
            </div>
            <Field label={reason} name="reason" hint={reasonHint} problem={problem} />
          </>
        )}
      </Form>
    </details>
  );
}
