import { Page } from '../parts/page.tsx';
import type { PageName } from '../paths.ts';
import { words } from '../words.ts';

export type AuditPage = Extract<PageName, `audit${string}`>;

/** The pages of auditors. */
export function Audit({ page, named = '' }: { page: AuditPage; named?: string }) {
  return (
    <Page key={`${page} ${named}`} title={words.audit.find.title}>
      <p>{named}</p>
    </Page>
  );
}
