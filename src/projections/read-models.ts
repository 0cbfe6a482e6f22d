import { accounts } from './accounts.ts';
import { applications } from './applications.ts';
import { chatGroups } from './chat-groups.ts';
import { conversations } from './conversations.ts';
import { files } from './files.ts';
import { jobs } from './jobs.ts';
import type { Projection } from './projection.ts';

/** All of them, the largest first, widened: whoever runs a projection hands it only the types that it names. */
export const readModels = [
  conversations,
  accounts,
  jobs,
  applications,
  chatGroups,
  files,
] as unknown as Projection[];
