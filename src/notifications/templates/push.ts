import type { PushPayload } from '../deliver/pusher.ts';
import { type News, kindNames, kinds } from '../kinds/kinds.ts';
import type { NotificationKind } from '../notification.ts';
import { oneLine } from './wording.ts';

/**
 * A push service need not take more than 4,096 bytes (RFC 8030, 7.2), 103 of them for the encryption; in JSON a UTF-16
 * unit takes 6 bytes at worst, so these are 2,400.
 */
const MAX_TITLE = 100;
const MAX_BODY = 300;

/** What the batch's push says: its most important news, the last of them, and how many more there are. */
export function pushPayload(news: News, tag: string): PushPayload {
  const kind = kindNames.find((each) => news[each].length > 0);
  if (!kind) throw new TypeError('a push without news');
  const { title, body, groupId } = saidOf(kind, news);
  return { tag, title: oneLine(title, MAX_TITLE), body: oneLine(body, MAX_BODY), groupId };
}

function saidOf<K extends NotificationKind>(kind: K, news: News): Omit<PushPayload, 'tag'> {
  const last = news[kind].at(-1)!;
  return { ...kinds[kind].push(news[kind], last), groupId: last.groupId };
}
