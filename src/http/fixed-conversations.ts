import type { Request } from '../commands/handle-command.ts';
import { fixConversations } from '../commands/job/fix-conversations.ts';
import { jobOf } from '../commands/job/job.ts';
import type { JobId } from '../events/ids.ts';
import type { RouteDeps } from './route-deps.ts';

/** Makes sure that the conversations of a job do not change any more, if `isDue` resolves with true. */
export const letConversationsStay =
  ({ loader, handle }: Pick<RouteDeps, 'loader' | 'handle'>) =>
  async (
    jobId: JobId,
    { correlationId, trace }: Request,
    isDue: () => boolean | Promise<boolean>,
  ): Promise<void> => {
    const { state: job } = await loader.load(jobOf(jobId));
    const isSettled = job.status === 'closed' || (job.status === 'open' && job.isChatFixed);
    if (isSettled || !(await isDue())) return;
    await handle(fixConversations, { jobId }, { actor: 'system', correlationId, trace });
  };
