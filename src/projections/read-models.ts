import { accounts } from './accounts.ts';
import { applications } from './applications.ts';
import { chatGroups } from './chat-groups.ts';
import { conversations } from './conversations.ts';
import { files } from './files.ts';
import { jobs } from './jobs.ts';
import type { Projection } from './projection.ts';

/** Lists every read model, the largest first. The type is widened: a runner passes each projection only the types in `handles`. */
export const readModels = [
  conversations,
  accounts,
  jobs,
  applications,
  chatGroups,
  files,
] as unknown as Projection[];
