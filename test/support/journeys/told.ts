import { expect } from '@jest/globals';
import type { MailServer } from '../servers/mail-server.ts';

/** Which letters told a person of something: their Message-IDs, a repetition being the same letter. */
export const lettersTelling = (mails: MailServer['mails'], address: string, text: string): Set<string> =>
  new Set(
    mails
      .filter(({ to, mail }) => to.includes(address) && (mail.text ?? '').includes(text))
      .map(({ mail }) => mail.messageId ?? 'none'),
  );

/** Each was told of each exactly once, after repetitions are dropped. Fails with the list of those who were not. */
export function expectToldOnce(
  mails: MailServer['mails'],
  addresses: readonly string[],
  texts: readonly string[],
): void {
  const wrong = addresses.flatMap((address) =>
    texts.flatMap((text) => {
      const { size } = lettersTelling(mails, address, text);
      return size === 1 ? [] : [`${address} was told of “${text}” ${size} times`];
    }),
  );
  expect(wrong).toEqual([]);
}
