import { REDACTED, nobodysText, redacted, within } from '../../src/audit/redact.ts';
import { toLine, toLines } from '../../src/audit/line.ts';
import { type EventType, eventSchemas } from '../../src/events/domain-event.ts';
import { ERASED, personalText } from '../../src/events/personal-text.ts';
import {
  accessGranted,
  ada,
  adaApplied,
  adaIs,
  bob,
  groupId,
  helloSent,
  otherGroupId,
  registered,
} from '../support/language/example-events.ts';
import { recorded } from '../support/language/projection.ts';

const any = (type: string, data: unknown, v = 1) => ({ type, v, data, metadata: { actorId: ada.userId } });
const stored = (type: string, data: string, v = 1) => ({
  ...{ position: 7, stream: 'conversation-x' as const, revision: 0, id: 'id', type, v },
  ...{ occurredAt: '2026-01-01T00:00:00.000Z', recordedAt: null, data },
  metadata: JSON.stringify({ actorId: ada.userId, correlationId: 'c', causationId: null }),
});

describe('redaction', () => {
  test.each(
    Object.entries(personalText).map(([type, { fields }]) => [type as EventType, fields as string[]]),
  )('hides the personal text of %s, whatever its form', (type, fields) => {
    for (const value of ['text', { key: 'k', text: 'sealed' }, ['text'], 7, true, '']) {
      const shown = redacted(any(type, Object.fromEntries(fields.map((field) => [field, value]))));
      expect(shown).toStrictEqual(Object.fromEntries(fields.map((field) => [field, REDACTED])));
    }
    const empty = Object.fromEntries(fields.map((field) => [field, null]));
    expect(redacted(any(type, { ...empty, groupId }))).toStrictEqual({ ...empty, groupId });
  });

  test('leaves everything else as it is', () => {
    const personal = new Set(Object.keys(personalText));
    for (const type of Object.keys(eventSchemas).filter((each) => !personal.has(each)))
      expect(redacted(any(type, { groupId, name: 'Engineer' }))).toStrictEqual({ groupId, name: 'Engineer' });
  });

  test('shows that a name was erased', () => {
    const erased = { ...registered(ada).data, displayName: ERASED };
    expect(redacted(any('AccountRegistered', erased))).toStrictEqual(erased);
  });

  test('hides all of an event that newer code wrote', () => {
    expect(redacted(any('Whispered', { text: 'psst' }))).toBe(REDACTED);
    expect(redacted(any('MessageSent', { content: 'psst' }, 99))).toBe(REDACTED);
  });

  test.each([
    ['a group covers what concerns the group', { groupId }, helloSent, true],
    ['a group covers no other group', { groupId: otherGroupId }, helloSent, false],
    ['a group covers its applications', { groupId }, adaApplied, true],
    ['a user covers what the user wrote', { userId: ada.userId }, helloSent, true],
    ['a user covers what the user was told', { userId: ada.userId }, adaIs('rejected', 'No'), true],
    ['a user covers nobody else', { userId: bob.userId }, helloSent, false],
    ['a user covers the name of the user', { userId: ada.userId }, registered(ada), true],
    ['a group covers no names', { groupId }, registered(ada), false],
  ])('a grant for %s', (_, scope, { type, data }, covered) =>
    expect(within(scope)(any(type, data))).toBe(covered),
  );

  test('makes one line of an event, without its stored text', () => {
    const [sent] = recorded([helloSent]);
    const line = toLine(sent!, nobodysText);
    expect(line).toMatchObject({
      position: '1',
      revision: 0,
      type: 'MessageSent',
      data: { groupId, text: REDACTED },
    });
    expect(toLine(sent!, within({ groupId })).data).toStrictEqual(helloSent.data);
  });

  test('shows decoded text only to those who may read it, and never the stored one', async () => {
    const events = [stored('MessageSent', JSON.stringify({ ...helloSent.data, text: { sealed: 'x' } }))];
    const decode = async () => new Map([[7, { v: 1, data: { ...helloSent.data, text: 'Hello' } }]]);
    const linesFor = async (scope: Parameters<typeof within>[0], read = decode) =>
      (await toLines(events, { mayRead: within(scope), decode: read })).map(({ data }) => data);
    expect(await linesFor({ groupId })).toMatchObject([{ text: 'Hello' }]);
    expect(await linesFor({ groupId: otherGroupId })).toMatchObject([{ text: REDACTED }]);
    expect(await linesFor({ groupId }, async () => new Map())).toMatchObject([{ text: REDACTED }]);
  });

  test('survives data that is not JSON', async () => {
    const [line] = await toLines([stored('MessageSent', '{"text": "cut'), stored('AccessGranted', 'x')]);
    expect(line?.data).toBe(REDACTED);
    expect(accessGranted.type).toBe('AccessGranted');
  });
});
