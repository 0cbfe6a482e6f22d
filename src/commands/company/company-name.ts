import type { UserId } from '../../events/ids.ts';
import { accountOf } from '../account/account.ts';
import type { AggregateLoader } from '../aggregate-cache.ts';
import { companyOf } from './company.ts';

/** Resolves with the name of a company as of now: until it is renamed, that of its first owner. */
export async function nameOfCompany(
  loader: Pick<AggregateLoader, 'refresh'>,
  companyId: UserId,
): Promise<string> {
  const { state } = await loader.refresh(companyOf(companyId));
  if (state.name !== null) return state.name;
  const { state: founder } = await loader.refresh(accountOf(companyId));
  return founder.status === 'none' ? '' : founder.displayName;
}
