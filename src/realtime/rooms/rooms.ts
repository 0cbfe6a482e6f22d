import type { GroupId, UserId } from '../../events/ids.ts';

const GROUP = 'group:';

/** Returns the room of the sockets that get the events of a group. */
export const groupRoom = (groupId: string) => `${GROUP}${groupId}`;
/** Returns the room of all sockets of one user. */
export const userRoom = (userId: UserId) => `user:${userId}`;

/** Returns the group of a room; undefined for a room of another kind. */
export const groupOfRoom = (room: string): GroupId | undefined =>
  room.startsWith(GROUP) ? (room.slice(GROUP.length) as GroupId) : undefined;

/** Returns the groups among some rooms. */
export const groupsAmong = (rooms: Iterable<string>): GroupId[] =>
  [...rooms].flatMap((room) => groupOfRoom(room) ?? []);
