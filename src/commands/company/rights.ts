import type { Set as ImmutableSet } from 'immutable';
import type { CompanyRole } from '../../events/company.ts';
import type { JobId, UserId } from '../../events/ids.ts';

/** What a right is about: everything of the company, the jobs of the person, or the applications assigned to it. */
type Reach = 'all' | 'jobs' | 'assigned' | 'none';

/** Everything that the people of a company may do, and with what. All that decides about rights reads this table. */
const rights = {
  /** Invite, change and remove teammates; rename the company. */
  manageTeam: { owner: 'all', recruiter: 'none', interviewer: 'none', viewer: 'none' },
  postJobs: { owner: 'all', recruiter: 'all', interviewer: 'none', viewer: 'none' },
  changeJobs: { owner: 'all', recruiter: 'jobs', interviewer: 'none', viewer: 'none' },
  /** Change the status of an application, and assign it. */
  decide: { owner: 'all', recruiter: 'jobs', interviewer: 'none', viewer: 'none' },
  readThreads: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'jobs' },
  writeThreads: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'none' },
  readFiles: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'none' },
  readNotes: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'jobs' },
  writeNotes: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'none' },
  readTeamRoom: { owner: 'all', recruiter: 'jobs', interviewer: 'jobs', viewer: 'jobs' },
  writeTeamRoom: { owner: 'all', recruiter: 'jobs', interviewer: 'jobs', viewer: 'none' },
} as const satisfies Record<string, Record<CompanyRole, Reach>>;

export type CompanyRight = keyof typeof rights;
export const companyRights = Object.keys(rights) as CompanyRight[];

/** The place of a person in a company. */
export interface Teammate {
  role: CompanyRole;
  /** Null for all jobs. */
  jobIds: ImmutableSet<JobId> | null;
}

/** What a right is asked for: a job, and of an application to it the person that it is assigned to. */
export interface Matter {
  jobId?: JobId | undefined;
  assigneeId?: UserId | null | undefined;
}

/** Returns true if the person may do this. */
export function may(
  right: CompanyRight,
  userId: UserId,
  { role, jobIds }: Teammate,
  { jobId, assigneeId }: Matter = {},
): boolean {
  const reach: Reach = rights[right][role];
  const hasJob = jobIds === null || (jobId !== undefined && jobIds.has(jobId));
  switch (reach) {
    case 'all':
      return true;
    case 'jobs':
      return hasJob;
    case 'assigned':
      return hasJob && assigneeId === userId;
    case 'none':
      return false;
  }
}
