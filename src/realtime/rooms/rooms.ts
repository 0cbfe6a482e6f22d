import type { GroupId, UserId } from '../../events/ids.ts';

const GROUP = 'group:';

/** The room of the sockets that hear a group. */
export const groupRoom = (groupId: string) => `${GROUP}${groupId}`;
/** The room of all sockets of one user. */
export const userRoom = (userId: UserId) => `user:${userId}`;

/** The group whose room it is; undefined for another room. */
export const groupOfRoom = (room: string): GroupId | undefined =>
  room.startsWith(GROUP) ? (room.slice(GROUP.length) as GroupId) : undefined;

/** The groups among some rooms. */
export const groupsAmong = (rooms: Iterable<string>): GroupId[] =>
  [...rooms].flatMap((room) => groupOfRoom(room) ?? []);
