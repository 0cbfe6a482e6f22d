import type { ReactNode } from 'react';
import type { PageName } from '../paths.ts';
import { AccessPage } from './access.tsx';
import { Event } from './event.tsx';
import { Find } from './find.tsx';
import { AccessArea } from './grant.tsx';
import { Group } from './group.tsx';
import { Privacy } from './privacy.tsx';
import { Seal } from './seal.tsx';
import { Stream } from './stream.tsx';

const pages = {
  audit: () => <Find />,
  auditStream: (stream) => <Stream key={stream} stream={stream} />,
  auditEvent: (eventId) => <Event key={eventId} eventId={eventId} />,
  auditGroup: (groupId) => <Group key={groupId} groupId={groupId} />,
  auditSeal: () => <Seal />,
  auditAccess: () => <AccessPage />,
  auditPrivacy: () => <Privacy />,
} satisfies Partial<Record<PageName, (named: string) => ReactNode>>;

/** The pages of auditors. */
export const Audit = ({ page, named = '' }: { page: keyof typeof pages; named?: string }) => (
  <AccessArea>{pages[page](named)}</AccessArea>
);
