import { z } from 'zod';
import type { GrantEvent } from '../../events/domain-event.ts';
import { GrantId } from '../../events/ids.ts';
import { grantStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Grant, grantOf, isOpen } from './grant.ts';

const input = z.strictObject({ grantId: GrantId });

/** Ends a grant before its time, by the auditor who has it. A grant that is over stays as it is. */
export const endAccess = defineCommand<z.infer<typeof input>, { grant: Grant }, GrantEvent>({
  name: 'EndAccess',
  input,
  refuses: ['GRANT_NOT_FOUND'],
  writes: ({ grantId }) => grantStream(grantId),
  reads: ({ grantId }) => ({ grant: grantOf(grantId) }),
  decide: ({ grantId }, { grant }, { actor, now }) => {
    ensure(grant.status !== 'none' && grant.auditorId === actorId(actor), 'GRANT_NOT_FOUND');
    return isOpen(grant, now) ? [{ type: 'AccessEnded', data: { grantId } }] : [];
  },
});
