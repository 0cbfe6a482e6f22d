import { type components, dataOf } from 'slay-e-chat-client';
import { useChat, usePages } from '../client.tsx';
import { Loading, More, Page, Problem } from '../parts/page.tsx';
import { SearchForm } from '../parts/search-form.tsx';
import { PATHS } from '../paths.ts';
import { Link, navigate, useLocation } from '../router.tsx';
import { words } from '../words.ts';
import { Filter, queryOf } from './filter.tsx';

type AccountItem = components['schemas']['Account'];

/** All accounts, or those that a search finds. */
export function Accounts() {
  const chat = useChat();
  const { query } = useLocation();
  const asked = queryOf(query, ['q', 'role', 'status']);
  const { items, more, problem, reload } = usePages(
    (cursor) =>
      dataOf(
        chat.rest.GET('/v1/admin/users', {
          params: { query: { ...(asked as Pick<AccountItem, 'role'>), ...cursor } },
        }),
      ),
    [JSON.stringify(asked)],
  );
  const { none, role, search, status, statuses, submit, title } = words.admin.users;
  const go = (changes: Record<string, string>) =>
    navigate(`${PATHS.adminUsers}?${new URLSearchParams({ ...asked, ...changes })}`);
  return (
    <Page title={title}>
      <SearchForm label={search} submit={submit} value={asked['q'] ?? ''} onSearch={(q) => go({ q })} />
      <div className="row">
        <Filter
          label={role}
          options={words.admin.roles}
          value={asked['role']}
          onChoose={(to) => go({ role: to })}
        />
        <Filter
          label={status}
          options={statuses}
          value={asked['status']}
          onChoose={(to) => go({ status: to })}
        />
      </div>
      <Problem of={problem} retry={reload} />
      {items === undefined && problem === undefined && <Loading />}
      {items?.length === 0 && <p role="status">{none}</p>}
      <ul className="rows">
        {items?.map((account) => (
          <li key={account.userId}>
            <Link to={`${PATHS.adminUsers}/${account.userId}`}>
              <span className="name" dir="auto">
                {nameOf(account)}
              </span>
              <span className="quiet" dir="auto">
                {account.email ?? account.userId}
              </span>
              <Marks of={account} />
            </Link>
          </li>
        ))}
      </ul>
      <More more={more} />
    </Page>
  );
}

export const nameOf = ({ displayName, isErased }: Pick<AccountItem, 'displayName' | 'isErased'>): string =>
  isErased ? words.admin.users.erased : displayName;

/** What is to be known of an account at a glance. */
export function Marks({ of: account }: { of: AccountItem }) {
  const { secondFactor, suspended, unverified } = words.admin.users;
  return (
    <span className="row">
      <span className="tag">{words.admin.roles[account.role]}</span>
      {account.isSuspended && <span className="tag wrong">{suspended}</span>}
      {account.email !== null && !account.emailVerified && <span className="tag">{unverified}</span>}
      {account.hasSecondFactor && <span className="tag">{secondFactor}</span>}
    </span>
  );
}
