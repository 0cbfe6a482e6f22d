import { type ChatClient, type Group, dataOf } from 'slay-e-chat-client';
import { useMemo } from 'react';
import { useChat, useLoad, useStore, useUser } from '../client.tsx';
import { words } from '../words.ts';

const MOST = 100;

/** Resolves with who has applied, by the threads of a job that are named. */
async function applicantsOf(
  chat: ChatClient,
  jobId: string,
  groupIds: Set<string>,
): Promise<[string, string][]> {
  const found: [string, string][] = [];
  let cursor: string | null | undefined;
  while (cursor !== null && groupIds.size > 0) {
    const query = { limit: MOST, ...(cursor !== undefined && { cursor }) };
    const page = await dataOf(
      chat.rest.GET('/v1/jobs/{jobId}/threads', { params: { path: { jobId }, query } }),
    );
    for (const { groupId, applicant } of page.data)
      if (groupIds.delete(groupId)) found.push([groupId, applicant.displayName]);
    cursor = page.nextCursor;
  }
  return found;
}

/** Returns the function that names a conversation: to the company, a thread is that of its applicant. */
export function useNameOf(): (group: Pick<Group, 'groupId' | 'name'>) => string {
  const chat = useChat();
  const user = useUser();
  const { items } = useStore(chat.groups());
  const threads = user.role === 'company' ? items.filter(({ kind }) => kind === 'thread') : [];
  const key = threads
    .map(({ groupId }) => groupId)
    .toSorted()
    .join(' ');
  const { data } = useLoad(async () => {
    const jobs = Map.groupBy(threads, ({ jobId }) => jobId ?? '');
    const lists = [...jobs].map(([jobId, own]) =>
      applicantsOf(chat, jobId, new Set(own.map(({ groupId }) => groupId))),
    );
    return new Map((await Promise.all(lists)).flat());
  }, [key]);
  return useMemo(
    () => (group) => {
      const applicant = data?.get(group.groupId);
      return applicant === undefined ? group.name : words.inbox.thread(applicant, group.name);
    },
    [data],
  );
}
