import { accounts } from './accounts.ts';
import { applications } from './applications.ts';
import { chatGroups } from './chat-groups.ts';
import { conversations } from './conversations.ts';
import { files } from './files.ts';
import { jobs } from './jobs.ts';
import type { Projection } from './projection.ts';

/** All of them, widened: whoever runs a projection hands it only the types that it names. */
export const readModels = [
  accounts,
  jobs,
  applications,
  chatGroups,
  conversations,
  files,
] as unknown as Projection[];
