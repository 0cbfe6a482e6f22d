import type { GroupId } from '../../events/ids.ts';
import type { ChatSocket } from '../connection/connection.ts';
import { groupRoom } from './rooms.ts';

/** Puts a socket into a group's room. Returns false when it is there already, has left by `leaveRoom`, or is cut off. */
export function putIn(socket: ChatSocket, groupId: GroupId): boolean {
  const { unheard, wire } = socket.data;
  if (wire.isCut || unheard.has(groupId) || socket.rooms.has(groupRoom(groupId))) return false;
  void socket.join(groupRoom(groupId));
  return true;
}

/** Takes a socket out of a group's room. Returns false when it was neither in the room nor had left it by `leaveRoom`. */
export function takeOut(socket: ChatSocket, groupId: GroupId): boolean {
  const wasInside = socket.rooms.has(groupRoom(groupId)) || socket.data.unheard.delete(groupId);
  void socket.leave(groupRoom(groupId));
  return wasInside;
}
