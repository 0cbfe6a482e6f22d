import { expect } from '@jest/globals';
import type { MailServer } from '../servers/mail-server.ts';

/** Returns the Message-IDs of the letters to an address that contain a text; repetitions have the same id. */
export const lettersTelling = (mails: MailServer['mails'], address: string, text: string): Set<string> =>
  new Set(
    mails
      .filter(({ to, mail }) => to.includes(address) && (mail.text ?? '').includes(text))
      .map(({ mail }) => mail.messageId ?? 'none'),
  );

/**
 * Expects that each address received each text exactly once, not counting repetitions. Fails with the list of
 * exceptions.
 */
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
