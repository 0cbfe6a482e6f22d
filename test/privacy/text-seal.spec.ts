import { randomUUID } from 'node:crypto';
import type { Open, TextSeal, Unopened } from '../../src/events/personal-text.ts';
import { createKeyRing, masterKeyOf } from '../../src/privacy/key-ring.ts';
import { createTextSeal, monthKey, personKey } from '../../src/privacy/text-seal.ts';
import { textKeysInMemory } from '../support/language/text-keys.ts';

const GROUP = '0197a000-0000-7000-8000-00000000000c';
const STREAM = `conversation-${GROUP}` as const;
const PEOPLE = ['0197a000-0000-7000-8000-00000000000a', '0197a000-0000-7000-8000-00000000000b'];
const occurredAt = '2026-11-30T12:00:00.000Z';

/** A seal with keys of its own, and messages of two people in turn that it has sealed. */
async function sealedMessages(count: number) {
  const { stored } = textKeysInMemory();
  const ring = createKeyRing({ stored, masters: [masterKeyOf(Buffer.alloc(32, 1))] });
  const seal = createTextSeal(ring);
  const said: Unopened[] = [];
  for (let n = 0; n < count; n += 1) {
    const [id, senderId] = [randomUUID(), PEOPLE[n % 2]!];
    const data = { groupId: GROUP, messageId: randomUUID(), senderId, text: `Grüße Nr. ${n} 🎉` };
    const shape = { type: 'MessageSent', v: 1, data };
    const metadata = { actorId: senderId, correlationId: id, causationId: null };
    const append = { stream: STREAM, expected: 'any', occurredAt, metadata, events: [{ id, event: shape }] };
    const sealing = await seal.sealFor(append as unknown as Parameters<TextSeal['sealFor']>[0]);
    const sealed = sealing(shape, id, 0);
    said.push({ ...shape, data: sealed, id, stream: STREAM, occurredAt, metadata });
  }
  return { ring, seal, said };
}

const textAt = (open: Open, said: readonly Unopened[], n: number) =>
  (open(said[n]!, n) as { text: string | null }).text;
const change = (event: Unopened, data: object): Unopened => ({
  ...event,
  data: { ...(event.data as object), ...data },
});
const sealedIn = ({ data }: Unopened) => (data as { text: { sealed: string } }).text;

// A page is opened in a thread, a few events are not.
describe.each([
  ['a few events', 3],
  ['a page', 500],
] as const)('opening %s', (_, count) => {
  test('yields the texts that were sealed', async () => {
    const { seal, said } = await sealedMessages(count);
    const open = await seal.openFor(said);
    expect(said.map((__, n) => textAt(open, said, n))).toEqual(said.map((__, n) => `Grüße Nr. ${n} 🎉`));
    for (const event of said) expect(JSON.stringify(event)).not.toContain('Grüße');
  });

  test('shows null in place of an erased person’s text, and the others', async () => {
    const { ring, seal, said } = await sealedMessages(count);
    await ring.destroy([personKey(PEOPLE[0]!)]);
    const open = await seal.openFor(said);
    expect([0, 1, 2].map((n) => textAt(open, said, n))).toEqual([null, 'Grüße Nr. 1 🎉', null]);
  });

  test('shows null once the month has expired', async () => {
    const { ring, seal, said } = await sealedMessages(count);
    await ring.destroy([monthKey(GROUP, '2026-11')]);
    const open = await seal.openFor(said);
    expect([0, 1, 2].map((n) => textAt(open, said, n))).toEqual([null, null, null]);
  });

  test('refuses only the event whose text was changed, cut or moved', async () => {
    const { seal, said } = await sealedMessages(count);
    const { sealed } = sealedIn(said[1]!);
    const flipped = Buffer.from(sealed, 'base64url');
    flipped[20]! ^= 1;
    const wrong = [
      flipped.toString('base64url'),
      sealed.slice(0, 8),
      '',
      sealedIn(said[0]!).sealed,
      `B${sealed.slice(1)}`,
    ];
    for (const text of wrong) {
      const changed = said.with(1, change(said[1]!, { text: { sealed: text } }));
      const open = await seal.openFor(changed);
      expect(textAt(open, changed, 0)).toBe('Grüße Nr. 0 🎉');
      expect(() => textAt(open, changed, 1)).toThrow('its text was changed, or belongs elsewhere');
      expect(textAt(open, changed, 2)).toBe('Grüße Nr. 2 🎉');
    }
    const elsewhere = said.with(1, { ...said[1]!, stream: `conversation-${randomUUID()}` });
    const open = await seal.openFor(elsewhere);
    expect(() => textAt(open, elsewhere, 1)).toThrow('its text was changed, or belongs elsewhere');
  });

  test('names a key that is missing, for its event alone', async () => {
    const { said } = await sealedMessages(count);
    const other = await sealedMessages(1);
    const open = await other.seal.openFor(said);
    // Keys of another ring: one person has none, the other has another one.
    expect(() => textAt(open, said, 1)).toThrow(`one of its keys is missing: ${personKey(PEOPLE[1]!)}`);
    expect(() => textAt(open, said, 0)).toThrow('its text was changed, or belongs elsewhere');
  });

  test('keeps pages that are opened at the same time apart', async () => {
    const [one, two] = [await sealedMessages(count), await sealedMessages(count)];
    const opens = await Promise.all([one, two, one].map(async ({ seal, said }) => seal.openFor(said)));
    expect(opens.map((open, n) => textAt(open, n === 1 ? two.said : one.said, 2))).toEqual(
      Array(3).fill('Grüße Nr. 2 🎉'),
    );
  });
});
