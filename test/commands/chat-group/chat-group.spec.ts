import fc from 'fast-check';
import { addMember } from '../../../src/commands/chat-group/add-member.ts';
import { chatGroupOf } from '../../../src/commands/chat-group/chat-group.ts';
import { closeGroup } from '../../../src/commands/chat-group/close-group.ts';
import { removeMember } from '../../../src/commands/chat-group/remove-member.ts';
import type { ActorOrSystem } from '../../../src/commands/command.ts';
import type { HandleCommand } from '../../../src/commands/handle-command.ts';
import { sendMessage } from '../../../src/commands/message/send-message.ts';
import { CommandRejected } from '../../../src/commands/rejection.ts';
import type { GroupRole } from '../../../src/events/chat-group.ts';
import { ClientMsgId, type UserId } from '../../../src/events/ids.ts';
import { newId } from '../../../src/kit/uuids.ts';
import { commands } from '../../support/language/command-stage.ts';
import {
  acme,
  ada,
  applied,
  bob,
  eve,
  groupCreated,
  groupId,
  otherGroupId,
  registered,
  rival,
  uuid,
} from '../../support/language/example-events.ts';

const people = [acme, ada, bob, eve, rival];
/** Everybody but Rival has applied. */
const history = [...people.map((each) => registered(each)), ...[ada, bob, eve].map(applied), groupCreated];
const person = fc.constantFrom(...people);
const actor = fc.oneof(
  { weight: 6, arbitrary: person },
  { weight: 1, arbitrary: fc.constant('system' as const) },
);
const role = fc.option(fc.constantFrom<GroupRole>('admin', 'member'), { nil: undefined });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), by: actor, who: person, role }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove' as const), by: actor, who: person }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), by: person }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), by: actor }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A minimal model of a group: its members with their roles, and whether it is closed. */
class Model {
  readonly members = new Map<UserId, GroupRole>([[acme.userId, 'admin']]);
  isClosed = false;

  mayRun = (by: ActorOrSystem) => by === 'system' || this.members.get(by.userId) === 'admin';
  admins = (besides?: UserId) => [...this.members].filter(([id, is]) => is === 'admin' && id !== besides);

  /** Takes the step if it is allowed. Returns whether it is. */
  take(each: Step): boolean {
    switch (each.do) {
      case 'send':
        return this.members.has(each.by.userId) && !this.isClosed;
      case 'close':
        if (this.mayRun(each.by)) this.isClosed = true;
        return this.mayRun(each.by);
      case 'remove': {
        const { userId } = each.who;
        const isSelf = each.by !== 'system' && each.by.userId === userId;
        if (!this.members.has(userId)) return each.by === 'system';
        if (!isSelf && !this.mayRun(each.by)) return false;
        const isDone = this.isClosed && this.members.size === 1;
        if (!isDone && (userId === acme.userId || this.admins(userId).length === 0)) return false;
        this.members.delete(userId);
        return true;
      }
      case 'add': {
        const { userId } = each.who;
        const isOwner = userId === acme.userId;
        if (!this.mayRun(each.by) && !(isOwner && each.by === acme)) return false;
        const isHere = this.members.has(userId);
        if (each.who === rival && !isHere && each.by !== 'system') return false;
        const wanted = each.role ?? (isOwner ? 'admin' : (this.members.get(userId) ?? 'member'));
        if (this.members.get(userId) === wanted && each.by !== 'system') return true;
        if (this.isClosed && !isOwner && each.by !== 'system') return false;
        const stepsDown = this.members.get(userId) === 'admin' && wanted === 'member';
        if (wanted === 'member' && (isOwner || (stepsDown && this.admins(userId).length === 0))) return false;
        this.members.set(userId, wanted);
        return true;
      }
    }
  }
}

async function take(handle: HandleCommand, each: Step): Promise<boolean> {
  const request = { actor: each.by, correlationId: uuid(0xc0) };
  const clientMsgId = ClientMsgId.parse(newId());
  try {
    if (each.do === 'send') await handle(sendMessage, { groupId, clientMsgId, text: 'Hello' }, request);
    else if (each.do === 'close') await handle(closeGroup, { groupId }, request);
    else if (each.do === 'remove') await handle(removeMember, { groupId, userId: each.who.userId }, request);
    else
      await handle(
        addMember,
        { groupId, userId: each.who.userId, ...(each.role && { role: each.role }) },
        request,
      );
    return true;
  } catch (error) {
    if (error instanceof CommandRejected) return false;
    throw error;
  }
}

describe('any sequence of commands on a group', () => {
  test('lets only members send, keeps an admin, and looks the same to every process', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }), async (steps) => {
        const here = await commands({ history });
        const there = await commands({ store: here.store });
        const model = new Model();
        for (const [each, isHere] of steps) {
          const isTaken = await take((isHere ? here : there).handle, each);
          expect([each, isTaken]).toStrictEqual([each, model.take(each)]);
          if (!model.isClosed) expect(model.members.get(acme.userId)).toBe('admin');
        }
        const states = await Promise.all(
          [here, there].map(({ loader }) => loader.refresh(chatGroupOf(groupId))),
        );
        for (const { state } of states)
          expect(state).toMatchObject({
            status: model.isClosed ? 'closed' : 'open',
            members: expect.anything(),
          });
        for (const { state } of states)
          expect(state.status === 'none' ? [] : [...state.members].toSorted()).toStrictEqual(
            [...model.members].toSorted(),
          );
      }),
      { numRuns: 150 },
    ));

  test('folds to the same group, in whatever parts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat({ max: 40 }), async (steps, cut) => {
        const stage = await commands({ history });
        for (const each of steps) await take(stage.handle, each);
        const { stream, aggregate } = chatGroupOf(groupId);
        const events = await stage.store.readStream(stream);
        const fold = (from: typeof aggregate.initial, part: typeof events) =>
          part.reduce((state, each) => aggregate.evolve(state, each as never), from);
        const before = fold(aggregate.initial, events.slice(0, cut));
        const frozen = JSON.stringify(before);
        const inPieces = fold(before, events.slice(cut));
        expect(JSON.stringify(inPieces)).toBe(JSON.stringify(fold(aggregate.initial, events)));
        expect(JSON.stringify(before)).toBe(frozen);
      }),
      { numRuns: 50 },
    );
  });

  test('An unknown group ignores events before its creation', () => {
    const { aggregate } = chatGroupOf(otherGroupId);
    const events = [
      { type: 'MemberJoined', data: { groupId, userId: ada.userId, role: 'admin' } },
      { type: 'GroupClosed', data: { groupId } },
    ];
    for (const each of events)
      expect(aggregate.evolve(aggregate.initial, each as never)).toBe(aggregate.initial);
  });
});
