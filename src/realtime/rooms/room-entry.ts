import type { GroupId } from '../../events/ids.ts';
import type { ChatSocket } from '../connection/connection.ts';
import { groupRoom } from './rooms.ts';

/** Puts a socket into a group's room. False when it is there already, or does not want to or cannot hear it. */
export function putIn(socket: ChatSocket, groupId: GroupId): boolean {
  const { unheard, wire } = socket.data;
  if (wire.isCut || unheard.has(groupId) || socket.rooms.has(groupRoom(groupId))) return false;
  void socket.join(groupRoom(groupId));
  return true;
}

/** Takes a socket out of a group's room. False when the group was none of its own. */
export function takeOut(socket: ChatSocket, groupId: GroupId): boolean {
  const wasInside = socket.rooms.has(groupRoom(groupId)) || socket.data.unheard.delete(groupId);
  void socket.leave(groupRoom(groupId));
  return wasInside;
}
