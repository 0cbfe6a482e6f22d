import type { User } from 'slay-e-chat-client';
import { type ReactNode, lazy } from 'react';
import { Applications } from './pages/applications.tsx';
import { Forgot } from './pages/forgot-password.tsx';
import { Inbox } from './pages/inbox.tsx';
import { Invitation } from './pages/invitation.tsx';
import { Job } from './pages/job.tsx';
import { Jobs } from './pages/jobs.tsx';
import { LogIn } from './pages/log-in.tsx';
import { NewJob } from './pages/new-job.tsx';
import { Search } from './pages/search.tsx';
import { Settings } from './pages/settings.tsx';
import { SignUp } from './pages/sign-up.tsx';
import { Banner } from './parts/banner.tsx';
import { type PageName, PATHS } from './paths.ts';
import { words } from './words.ts';

/** What one kind of visitors sees. Every other page is unknown to them. */
export interface Area {
  /** Where they begin. */
  start: string;
  links: readonly (readonly [to: string, label: string])[];
  /** The pages, each given what its path names. */
  pages: Partial<Record<PageName, (named: string) => ReactNode>>;
  /** What is above every page. */
  head?: ReactNode;
  /** Loads what they are about to need. */
  preload?: () => Promise<unknown>;
}

const { nav } = words;

const loadConversation = () => import('./pages/conversation.tsx');
/** It is the largest page, and never the first. */
const Conversation = lazy(async () => ({ default: (await loadConversation()).Conversation }));
const Company = lazy(async () => ({ default: (await import('./pages/company.tsx')).Company }));
/** Nobody else loads the pages of auditors, nor those of operators. */
const Audit = lazy(async () => ({ default: (await import('./audit/audit.tsx')).Audit }));
const Admin = lazy(async () => ({ default: (await import('./admin/admin.tsx')).Admin }));

/** The pages of those who talk to each other. */
const conversing = {
  start: PATHS.inbox,
  head: <Banner />,
  preload: loadConversation,
  pages: {
    inbox: () => <Inbox />,
    conversation: (groupId) => <Conversation key={groupId} groupId={groupId} />,
    jobs: () => <Jobs />,
    job: (jobId) => <Job key={jobId} jobId={jobId} />,
    search: () => <Search />,
    settings: () => <Settings isTold />,
    invitation: () => <Invitation />,
  },
} satisfies Omit<Area, 'links'>;

const company: Area = {
  ...conversing,
  pages: { ...conversing.pages, newJob: () => <NewJob />, company: () => <Company /> },
  links: [
    [PATHS.inbox, nav.messages],
    [PATHS.jobs, nav.jobs],
    [PATHS.company, nav.company],
    [PATHS.search, nav.search],
    [PATHS.settings, nav.settings],
  ],
};

const applicant: Area = {
  ...conversing,
  pages: { ...conversing.pages, applications: () => <Applications /> },
  links: [
    [PATHS.inbox, nav.messages],
    [PATHS.jobs, nav.jobs],
    [PATHS.applications, nav.applications],
    [PATHS.search, nav.search],
    [PATHS.settings, nav.settings],
  ],
};

const auditor: Area = {
  start: PATHS.audit,
  pages: {
    audit: () => <Audit page="audit" />,
    auditStream: (named) => <Audit page="auditStream" named={named} />,
    auditEvent: (named) => <Audit page="auditEvent" named={named} />,
    auditGroup: (named) => <Audit page="auditGroup" named={named} />,
    auditSeal: () => <Audit page="auditSeal" />,
    auditAccess: () => <Audit page="auditAccess" />,
    auditPrivacy: () => <Audit page="auditPrivacy" />,
    settings: () => <Settings />,
  },
  links: [
    [PATHS.audit, words.audit.nav.find],
    [PATHS.auditSeal, words.audit.nav.seal],
    [PATHS.auditAccess, words.audit.nav.access],
    [PATHS.auditPrivacy, words.audit.nav.privacy],
    [PATHS.settings, nav.settings],
  ],
};

const admin: Area = {
  start: PATHS.admin,
  pages: {
    admin: () => <Admin page="admin" />,
    adminUsers: () => <Admin page="adminUsers" />,
    adminUser: (named) => <Admin page="adminUser" named={named} />,
    adminJobs: () => <Admin page="adminJobs" />,
    adminNotifications: () => <Admin page="adminNotifications" />,
    adminReadModels: () => <Admin page="adminReadModels" />,
    settings: () => <Settings />,
  },
  links: [
    [PATHS.admin, words.admin.nav.system],
    [PATHS.adminUsers, words.admin.nav.users],
    [PATHS.adminJobs, words.admin.nav.jobs],
    [PATHS.adminNotifications, words.admin.nav.notifications],
    [PATHS.adminReadModels, words.admin.nav.readModels],
    [PATHS.settings, nav.settings],
  ],
};

/** What users see, by their role. */
export const areas: Record<User['role'], Area> = { company, applicant, auditor, admin };

/** What those see who are not logged in. */
export const outside: Area = {
  start: PATHS.logIn,
  pages: { logIn: () => <LogIn />, signUp: () => <SignUp />, forgot: () => <Forgot /> },
  links: [
    [PATHS.logIn, nav.logIn],
    [PATHS.signUp, nav.signUp],
  ],
};
