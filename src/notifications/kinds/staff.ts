import { accountOf, standardPreferences } from '../../commands/account/account.ts';
import type { Members } from '../../commands/chat-group/chat-group.ts';
import { type Company, companyOf, hasRight } from '../../commands/company/company.ts';
import type { CompanyRight } from '../../commands/company/rights.ts';
import type { JobId, UserId } from '../../events/ids.ts';
import type { Deciding } from './kind.ts';

interface Subject {
  companyId: UserId;
  jobId: JobId | null;
  assigneeId: UserId | null;
  /** Of the room; those of the company were added to it. */
  members?: Members;
}

const isAllowed = (
  company: Company,
  right: CompanyRight,
  userId: UserId,
  { companyId, members, ...matter }: Subject,
) => {
  const isAdded = userId !== companyId && members?.has(userId) === true;
  return hasRight(company, right, userId, { ...matter, isAdded });
};

/**
 * Resolves with the people of a company who are told of an application or its thread: the person that it is assigned to,
 * else those who may read it and have chosen to be told of what is assigned to nobody. Owners are unless they chose not to.
 */
export async function staffToTell(subject: Subject, { state }: Pick<Deciding, 'state'>): Promise<UserId[]> {
  const company = await state(companyOf(subject.companyId));
  const { assigneeId } = subject;
  if (assigneeId !== null && isAllowed(company, 'readThreads', assigneeId, subject)) return [assigneeId];
  const told: UserId[] = [];
  for (const [userId, { role }] of company.members) {
    if (!isAllowed(company, 'readThreads', userId, subject)) continue;
    const account = await state(accountOf(userId));
    if (account.status === 'erased') continue;
    const { team } = account.status === 'none' ? standardPreferences : account.preferences;
    const chosen = team ?? (role === 'owner' ? 'all' : 'assigned');
    if (chosen === 'all') told.push(userId);
  }
  return told;
}

/** Resolves with the people who may read the team's room of a job. */
export async function teamOf(
  subject: Omit<Subject, 'assigneeId'>,
  { state }: Pick<Deciding, 'state'>,
): Promise<UserId[]> {
  const company = await state(companyOf(subject.companyId));
  const room = { ...subject, assigneeId: null };
  return [...company.members.keys()].filter((userId) => isAllowed(company, 'readTeamRoom', userId, room));
}
