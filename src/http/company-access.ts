import type { Actor } from '../commands/command.ts';
import { type Company, companyOf } from '../commands/company/company.ts';
import type { Teammate } from '../commands/company/rights.ts';
import { ensure } from '../commands/rejection.ts';
import type { UserId } from '../events/ids.ts';
import { ownGroupsAccess } from './group-access.ts';
import type { RouteDeps } from './route-deps.ts';

/** Returns a function that resolves with the company that somebody acts for: the one that it has joined, or its own. */
export const ownCompany = ({
  queries,
  ...deps
}: Pick<RouteDeps, 'queries' | 'progress' | 'head'>): ((actor: Actor) => Promise<UserId>) => {
  const inOwn = ownGroupsAccess(deps);
  return ({ userId }) => inOwn(() => queries.companyOfUser(userId));
};

/** The company of a user, and its place there. */
export interface CompanyOfCaller {
  companyId: UserId;
  company: Company;
  me: Teammate;
}

/**
 * Returns a function that resolves with the company of a user, of which the log says what is in it. Throws
 * ROLE_NOT_ALLOWED for people who look for work, and COMPANY_NOT_FOUND for the founder of a company who has left it.
 */
export const companyAccess = ({
  loader,
  ...deps
}: Pick<RouteDeps, 'loader' | 'progress' | 'queries' | 'head'>) => {
  const companyIdOf = ownCompany(deps);
  return async (actor: Actor): Promise<CompanyOfCaller> => {
    ensure(actor.role === 'company', 'ROLE_NOT_ALLOWED');
    const companyId = await companyIdOf(actor);
    const { state: company } = await loader.refresh(companyOf(companyId));
    const me = company.members.get(actor.userId);
    ensure(me !== undefined, 'COMPANY_NOT_FOUND');
    return { companyId, company, me };
  };
};
