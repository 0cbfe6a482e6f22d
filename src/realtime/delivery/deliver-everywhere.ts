import { Server } from 'socket.io';
import { groupIdOf } from '../../protocol/envelope.ts';
import { moveOf } from './what-sockets-hear.ts';
import type { NodeBus } from '../cluster/node-bus.ts';
import type { ChatServer } from '../connection/connection.ts';
import { EVENT_TYPE } from './fan-out.ts';
import {
  type Fence,
  type NodeNewsHandlers,
  type Write,
  nodeBusAdapter,
} from '../cluster/node-bus-adapter.ts';
import type { Push } from './delivery.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';

/** Tells the sockets of all nodes. `here` hears what the other nodes are told. */
export function deliverEverywhere(io: ChatServer, carrier: NodeBus, here?: NodeNewsHandlers): Push {
  const { adapter } = io.of('/');
  return {
    prepare: () => undefined,

    roster(event) {
      const groupId = groupIdOf(event);
      const userId = moveOf(event)?.userId;
      const news = { groupId, revision: event.revision, ...(userId !== undefined && { userId }) };
      io.serverSideEmit('roster', news);
      here?.roster(news);
    },

    group(groupId, name, envelope, needs) {
      const rooms = new Set([groupRoom(groupId)]);
      // Socket.IO hands flags on as they are.
      const flags: Fence = { needs };
      adapter.broadcast({ type: EVENT_TYPE, data: [name, envelope] }, {
        rooms,
        flags,
      } as Parameters<Write>[1]);
    },

    uploader(userId, news) {
      io.to(userRoom(userId)).emit('fileStatusChanged', news);
    },

    told(told) {
      io.serverSideEmit('told', told);
      here?.told(told);
    },

    takenOver: () => carrier.takenOver(),
  };
}

/** What the broadcaster of a process without sockets tells through. */
export function createDeliveryServer(carrier: NodeBus): { push: Push; close(): Promise<void> } {
  const io: ChatServer = new Server({ adapter: carrier.adapter });
  const { adapter } = io.of('/');
  const nothing = () => {};
  nodeBusAdapter(adapter, { write: nothing, handlers: { roster: nothing, told: nothing } });
  return {
    push: deliverEverywhere(io, carrier),
    async close() {
      await adapter.close();
    },
  };
}
