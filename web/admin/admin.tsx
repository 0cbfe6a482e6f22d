import type { ReactNode } from 'react';
import type { PageName } from '../paths.ts';
import { Notifications } from './notifications.tsx';
import { Postings } from './postings.tsx';
import { ReadModels } from './read-models.tsx';
import { System } from './system.tsx';
import { Account } from './account.tsx';
import { Accounts } from './accounts.tsx';

const pages = {
  admin: () => <System />,
  adminUsers: () => <Accounts />,
  adminUser: (userId) => <Account key={userId} userId={userId} />,
  adminJobs: () => <Postings />,
  adminNotifications: () => <Notifications />,
  adminReadModels: () => <ReadModels />,
} satisfies Partial<Record<PageName, (named: string) => ReactNode>>;

/** The pages of operators. */
export const Admin = ({ page, named = '' }: { page: keyof typeof pages; named?: string }) =>
  pages[page](named);
