import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { decodeWith } from '../audit/decode.ts';
import { openGrant } from '../audit/grants.ts';
import type { OpenText } from '../audit/line.ts';
import { within } from '../audit/redact.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { EventStore } from '../events/event-store.ts';
import type { GrantScope } from '../events/audit.ts';
import { GrantId } from '../events/ids.ts';
import { queryHeaders } from './describe-routes.ts';

const ACCESS_GRANT = 'x-access-grant';

const grant = {
  [ACCESS_GRANT]: GrantId.optional().meta({
    description: 'An open access grant of one’s own: personal text in its scope is shown.',
  }),
};
/** The headers of commands whose personal text a grant opens, and of such queries. */
export const grantHeader = z.looseObject(grant);
export const grantHeaders = queryHeaders.extend(grant);

export interface Opened {
  /** Undefined without a grant: everything is redacted. */
  open: OpenText | undefined;
  scope: GrantScope | undefined;
  /** Resolves with false once the grant is over. */
  isStillOpen: () => Promise<boolean>;
}

/** Returns a function that resolves with what the caller's grant opens. It throws GRANT_NOT_OPEN. */
export function accessGrants({
  loader,
  store,
}: {
  loader: Pick<AggregateLoader, 'refresh'>;
  store: Pick<EventStore, 'readStream'>;
}) {
  const decode = decodeWith(store);
  return async ({ headers, session }: FastifyRequest): Promise<Opened> => {
    const grantId = headers[ACCESS_GRANT] as GrantId | undefined;
    if (grantId === undefined) return { open: undefined, scope: undefined, isStillOpen: async () => true };
    const auditorId = session.actor.userId;
    const load = () => openGrant(loader, grantId, { auditorId, now: new Date() });
    const { scope } = await load();
    return {
      open: { mayRead: within(scope), decode },
      scope,
      isStillOpen: () =>
        load().then(
          () => true,
          () => false,
        ),
    };
  };
}
