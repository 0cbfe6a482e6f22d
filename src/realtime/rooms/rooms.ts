import type { GroupId, UserId } from '../../events/ids.ts';
import type { ChatSocket } from '../connection/connection.ts';

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

/** Puts a socket into a group's room. Returns false when it is there already, has left by `leaveRoom`, or is cut off. */
export function putIn(socket: ChatSocket, groupId: GroupId): boolean {
  const { leftRooms, wire } = socket.data;
  if (wire.isCut || leftRooms.has(groupId) || socket.rooms.has(groupRoom(groupId))) return false;
  void socket.join(groupRoom(groupId));
  return true;
}

/** Takes a socket out of a group's room. Returns false when it was neither in the room nor had left it by `leaveRoom`. */
export function takeOut(socket: ChatSocket, groupId: GroupId): boolean {
  const wasInside = socket.rooms.has(groupRoom(groupId)) || socket.data.leftRooms.delete(groupId);
  void socket.leave(groupRoom(groupId));
  return wasInside;
}
