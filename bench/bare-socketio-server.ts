import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import type { Member } from './member.ts';

/**
 * The peer of `chat`, `idle` and `connections`: Socket.IO that only broadcasts. It stores and checks nothing,
 * but sends the same acks and envelopes as the project. The token names the user and the group.
 */
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });
const heads = new Map<string, number>();

io.on('connection', (socket) => {
  const { userId, groupId } = JSON.parse(socket.handshake.auth['token']) as Pick<
    Member,
    'userId' | 'groupId'
  >;
  void socket.join(`group:${groupId}`);
  socket.emit('joinRoom', { groupId, headSeq: heads.get(groupId) ?? 0 });
  socket.on('sendMessage', ({ clientMsgId, text }, ack) => {
    const seq = (heads.get(groupId) ?? 0) + 1;
    heads.set(groupId, seq);
    const occurredAt = new Date().toISOString();
    const messageId = randomUUID();
    const data = { groupId, messageId, senderId: userId, clientMsgId, text, fileIds: [], replyTo: null };
    io.to(`group:${groupId}`).emit('messageSent', {
      id: randomUUID(),
      type: 'MessageSent',
      v: 1,
      groupId,
      seq,
      occurredAt,
      actorId: userId,
      data,
    });
    ack({ ok: true, messageId, seq, occurredAt, duplicate: false, position: String(seq) });
  });
});

http.listen(0, '127.0.0.1', () => {
  const { port } = http.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.once('disconnect', () => process.exit(0));
