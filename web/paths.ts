/** The pages, by their paths. The server answers each of these, and no others, with the page. */
export const PATHS = {
  inbox: '/',
  logIn: '/log-in',
  signUp: '/sign-up',
  forgot: '/forgot-password',
  jobs: '/jobs',
  newJob: '/jobs/new',
  job: '/jobs/:jobId',
  applications: '/applications',
  conversation: '/c/:groupId',
  search: '/search',
  settings: '/settings',
  audit: '/audit',
  auditStream: '/audit/streams/:stream',
  auditEvent: '/audit/events/:eventId',
  auditGroup: '/audit/groups/:groupId',
  auditSeal: '/audit/checkpoints',
  auditAccess: '/audit/access',
  auditPrivacy: '/audit/privacy',
  admin: '/admin',
  adminUsers: '/admin/users',
  adminUser: '/admin/users/:userId',
  adminJobs: '/admin/jobs',
  adminNotifications: '/admin/notifications',
  adminReadModels: '/admin/read-models',
  company: '/company',
  invitation: '/invitation',
} as const;

export type PageName = keyof typeof PATHS;

/** Returns the page of a path, and what the path names; undefined for an unknown one. */
export function pageAt(path: string): { page: PageName; named: string } | undefined {
  const parts = path.split('/');
  for (const [page, pattern] of Object.entries(PATHS) as [PageName, string][]) {
    const wanted = pattern.split('/');
    const fits = wanted.every((part, at) => (part.startsWith(':') ? parts[at] !== '' : part === parts[at]));
    if (fits && wanted.length === parts.length) return { page, named: decoded(parts.at(-1)!) };
  }
  return undefined;
}

/** Returns what a part of a path stands for; the part itself if it is no such form of anything. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
