import { chatGroups } from '../../src/projections/chat-groups.ts';
import {
  acme,
  ada,
  bob,
  event,
  group,
  groupClosed,
  groupCreated,
  groupId,
  joined,
  left,
  removed,
  rival,
  teammateJoined,
} from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(chatGroups);
beforeAll(open);
afterAll(close);

const member = (user_id: string, role: string, is_active: boolean, joinedAt: number) => ({
  user_id,
  role,
  is_active,
  joined_at: new Date(at(joinedAt)),
});
const columns = 'user_id, role, is_active, joined_at';

describe('the chat groups read model', () => {
  test('makes the creator of a group its admin', () =>
    given(groupCreated).then('groups', 'group_id, name, status, roster, member_count, position', [
      { group_id: groupId, name: 'Engineer', status: 'open', roster: 1, member_count: 1, position: 1 },
    ]));

  test('counts the members, and has the version of their list', () =>
    given(...group, left(ada)).then('groups', 'roster, member_count', [{ roster: 4, member_count: 2 }]));

  test('marks a member that left as inactive', () =>
    given(...group, left(ada), removed(bob)).then('members', columns, [
      member(acme.userId, 'admin', true, 1),
      member(ada.userId, 'member', false, 2),
      member(bob.userId, 'member', false, 3),
    ]));

  test('records the creator of the group for each member, whoever the admin is now', () =>
    given(groupCreated, joined(ada, 'admin'), removed(acme), joined(bob)).then(
      'members',
      'user_id, owner_id',
      [
        { user_id: acme.userId, owner_id: acme.userId },
        { user_id: ada.userId, owner_id: acme.userId },
        { user_id: bob.userId, owner_id: acme.userId },
      ],
    ));

  test('dates a returning member from its return', () =>
    given(...group, left(ada), joined(ada, 'admin')).then('members', columns, [
      member(acme.userId, 'admin', true, 1),
      member(ada.userId, 'admin', true, 5),
      member(bob.userId, 'member', true, 3),
    ]));

  test('does not treat a new role as a new membership', () =>
    given(groupCreated, joined(ada), joined(ada, 'admin'), joined(acme, 'member')).then('members', columns, [
      member(acme.userId, 'member', true, 1),
      member(ada.userId, 'admin', true, 2),
    ]));

  test('ends in the same state after repeated joining and leaving', () =>
    given(groupCreated, joined(ada), left(ada), joined(ada), removed(ada)).then('members', columns, [
      member(acme.userId, 'admin', true, 1),
      member(ada.userId, 'member', false, 4),
    ]));

  test('keeps the members of a closed group', () =>
    given(groupCreated, joined(ada), groupClosed).then('groups', 'status, member_count, roster', [
      { status: 'closed', member_count: 2, roster: 3 },
    ]));

  test('lets nobody but the company into a group that becomes the room of the team', () =>
    given(...group, event('GroupKindChanged', { groupId, kind: 'team', historyFrom: 'start' })).then(
      'members',
      'user_id, is_active',
      [
        { user_id: acme.userId, is_active: true },
        { user_id: ada.userId, is_active: false },
        { user_id: bob.userId, is_active: false },
      ],
    ));

  test('gives a member its own role back when the room of the team becomes a group again', () => {
    const becomes = (kind: 'job' | 'team') =>
      event('GroupKindChanged', { groupId, kind, historyFrom: 'start' });
    const history = [groupCreated, teammateJoined, joined(rival), becomes('team'), becomes('job')];
    return given(...history).then('members', 'user_id, role, is_active', [
      { user_id: acme.userId, role: 'admin', is_active: true },
      { user_id: rival.userId, role: 'member', is_active: true },
    ]);
  });
});
