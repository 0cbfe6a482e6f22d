import type { Set as ImmutableSet } from 'immutable';
import type { CompanyRole } from '../../events/company.ts';
import type { JobId, UserId } from '../../events/ids.ts';

/** What a right is about: everything of the company, the jobs of the person, or the applications assigned to it. */
export type Reach = 'all' | 'jobs' | 'assigned' | 'none';

/** Everything that the people of a company may do, and with what. All that decides about rights reads this table. */
const rights = {
  /** Invite, change and remove teammates; rename the company. */
  manageTeam: { owner: 'all', recruiter: 'none', interviewer: 'none', viewer: 'none' },
  /** A new job is none of those that a person is limited to. */
  postJobs: { owner: 'all', recruiter: 'jobs', interviewer: 'none', viewer: 'none' },
  changeJobs: { owner: 'all', recruiter: 'jobs', interviewer: 'none', viewer: 'none' },
  /** Change the status of an application, and assign it. */
  decide: { owner: 'all', recruiter: 'jobs', interviewer: 'none', viewer: 'none' },
  /** Delete messages of others in a thread or the team's room, and add people to it. */
  manageRooms: { owner: 'all', recruiter: 'jobs', interviewer: 'none', viewer: 'none' },
  readThreads: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'jobs' },
  writeThreads: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'none' },
  readFiles: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'none' },
  readNotes: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'jobs' },
  writeNotes: { owner: 'all', recruiter: 'jobs', interviewer: 'assigned', viewer: 'none' },
  /** Delete notes of others. */
  manageNotes: { owner: 'all', recruiter: 'none', interviewer: 'none', viewer: 'none' },
  readTeamRoom: { owner: 'all', recruiter: 'jobs', interviewer: 'jobs', viewer: 'jobs' },
  writeTeamRoom: { owner: 'all', recruiter: 'jobs', interviewer: 'jobs', viewer: 'none' },
  /** Write in a job's group, as one of its members. */
  writeGroups: { owner: 'all', recruiter: 'all', interviewer: 'all', viewer: 'none' },
} as const satisfies Record<string, Record<CompanyRole, Reach>>;

export type CompanyRight = keyof typeof rights;

/** What somebody may do in a room: read it, write, see its files, and manage its members and messages. */
export type RoomRight = 'read' | 'write' | 'files' | 'manage';

/** The rights that people of the company need in the rooms that it holds in private. */
export const roomRights: Record<'team' | 'thread', Record<RoomRight, CompanyRight>> = {
  team: { read: 'readTeamRoom', write: 'writeTeamRoom', files: 'writeTeamRoom', manage: 'manageRooms' },
  thread: { read: 'readThreads', write: 'writeThreads', files: 'readFiles', manage: 'manageRooms' },
};
export const companyRights = Object.keys(rights) as CompanyRight[];

/** The place of a person in a company. */
export interface Teammate {
  role: CompanyRole;
  /** Null for all jobs. */
  jobIds: ImmutableSet<JobId> | null;
}

/** What a right is asked for: a job, and of an application to it the person that it is assigned to. */
export interface Matter {
  jobId?: JobId | null | undefined;
  assigneeId?: UserId | null | undefined;
  /** The person was added to the room that this is about. */
  isAdded?: boolean;
}

/** Returns how far a right of a role reaches. */
export const reachOf = (right: CompanyRight, role: CompanyRole): Reach => rights[right][role];

/** Returns true if the person may do this. */
export function may(
  right: CompanyRight,
  userId: UserId,
  { role, jobIds }: Teammate,
  { jobId, assigneeId, isAdded = false }: Matter = {},
): boolean {
  const hasJob = jobIds === null || (jobId != null && jobIds.has(jobId));
  switch (reachOf(right, role)) {
    case 'all':
      return true;
    case 'jobs':
      return hasJob || isAdded;
    case 'assigned':
      return (hasJob && assigneeId === userId) || isAdded;
    case 'none':
      return false;
  }
}
