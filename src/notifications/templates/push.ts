import type { PushPayload } from '../deliver/pusher.ts';
import { type News, kindNames, kinds } from '../kinds/kinds.ts';
import type { NotificationKind } from '../notification.ts';
import { oneLine } from './wording.ts';

/**
 * A push service need not take more than 4,096 bytes (RFC 8030, 7.2), 103 of them for the encryption. In JSON
 * a UTF-16 unit takes at most 6 bytes, so these limits come to 2,400 bytes.
 */
const MAX_TITLE = 100;
const MAX_BODY = 300;

/**
 * Builds the push of a batch: its most important kind of news, with the last of them and the number of the
 * others.
 */
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
