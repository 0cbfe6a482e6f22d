import { randomUUID } from 'node:crypto';
import { type Session, call, signUp } from '../../../tools/rest.ts';
import { until } from '../../../tools/until.ts';

/** A group in which somebody has taken something back. */
export interface Audited {
  acme: Session;
  ada: Session;
  jobId: string;
  groupId: string;
  /** What was said, and then deleted. */
  secret: string;
}

/** Makes one REST call for somebody. */
export const ask = <T = Record<string, string>>(
  { url, accessToken }: Session,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> => call<T>(url, method, path, { token: accessToken, body });

/** Says something in a group. Resolves with the id of the message. */
export const tell = async (who: Session, groupId: string, text: string): Promise<string> => {
  const said = await ask(who, 'POST', `/v1/groups/${groupId}/messages`, { clientMsgId: randomUUID(), text });
  return said['messageId']!;
};

/** Lets a company and an applicant talk, of whom the applicant deletes what it said first. */
export async function talkedAbout(url: string, secret: string): Promise<Audited> {
  const acme = await signUp(url, { role: 'company', displayName: 'Acme' });
  const ada = await signUp(url, { role: 'applicant', displayName: 'Ada' });
  const job = { title: 'Engineer', description: 'Builds engines', conversations: 'group' };
  const { jobId, groupId } = await ask<{ jobId: string; groupId: string }>(acme, 'POST', '/v1/jobs', job);
  await ask(ada, 'POST', `/v1/jobs/${jobId}/applications`, {});
  const first = await tell(ada, groupId, secret);
  await tell(acme, groupId, 'Thank you');
  await ask(ada, 'DELETE', `/v1/groups/${groupId}/messages/${first}`);
  return { acme, ada, jobId, groupId, secret };
}

/** Waits until all that was said so far is sealed. */
export async function sealed(auditor: Session, position: string): Promise<void> {
  await until(
    () =>
      ask(auditor, 'GET', `/v1/audit/proof?position=${position}`).then(
        () => true,
        () => false,
      ),
    'the event is sealed',
    30_000,
  );
}
