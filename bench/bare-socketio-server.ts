import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { joinRoom, sent, visitorOf } from './bare-answers.ts';

/**
 * The peer of `chat`, `idle` and `connections`: Socket.IO that only broadcasts. It stores and checks nothing,
 * but sends the same acks and envelopes as the project. The token names the user and the group.
 */
const http = createServer();
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, serveClient: false });

io.on('connection', (socket) => {
  const visitor = visitorOf(socket.handshake.auth['token'] as string);
  const room = `group:${visitor.groupId}`;
  void socket.join(room);
  socket.emit('joinRoom', joinRoom(visitor));
  socket.on('sendMessage', (message: Parameters<typeof sent>[1], ack) => {
    const { envelope, ack: answer } = sent(visitor, message);
    io.to(room).emit('messageSent', envelope);
    ack(answer);
  });
});

http.listen(0, '127.0.0.1', () => {
  const { port } = http.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.once('disconnect', () => process.exit(0));
