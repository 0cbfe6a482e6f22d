import type { Actor } from '../commands/command.ts';
import { type Company, companyOf } from '../commands/company/company.ts';
import type { Teammate } from '../commands/company/rights.ts';
import { ensure } from '../commands/rejection.ts';
import type { UserId } from '../events/ids.ts';
import { caughtUp } from '../projections/projection.ts';
import type { RouteDeps } from './route-deps.ts';

/** The company of a user, and its place there. */
export interface OwnCompany {
  companyId: UserId;
  company: Company;
  me: Teammate;
}

/**
 * Finds the company of a user. A read model says which one, at least as of now; the log says what is in it. Throws
 * ROLE_NOT_ALLOWED for people who look for work, and COMPANY_NOT_FOUND for the founder of a company who has left it.
 */
export const companyAccess =
  ({ loader, progress, queries, head }: Pick<RouteDeps, 'loader' | 'progress' | 'queries' | 'head'>) =>
  async ({ role, userId }: Actor): Promise<OwnCompany> => {
    ensure(role === 'company', 'ROLE_NOT_ALLOWED');
    await caughtUp(progress, await head(), ['chat_groups', 'accounts']);
    const companyId = await queries.companyOfUser(userId);
    const { state: company } = await loader.refresh(companyOf(companyId));
    const me = company.members.get(userId);
    ensure(me !== undefined, 'COMPANY_NOT_FOUND');
    return { companyId, company, me };
  };
