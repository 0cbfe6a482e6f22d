import { accounts } from './accounts.ts';
import { applications } from './applications.ts';
import { audit } from './audit.ts';
import { chatGroups } from './chat-groups.ts';
import { conversations } from './conversations.ts';
import { files } from './files.ts';
import { jobs } from './jobs.ts';
import type { Projection, ProjectionName } from './projection.ts';

type Name = Exclude<ProjectionName, 'event_ids'>;

const byName = {
  conversations,
  accounts,
  jobs,
  applications,
  chat_groups: chatGroups,
  files,
  audit,
} satisfies { [N in Name]: Pick<Projection<never, N>, 'name'> };

/**
 * All read models, the largest first. The type is widened: a runner passes each projection only the types in
 * `handles`.
 */
export const readModels = Object.values(byName) as unknown as Projection[];
