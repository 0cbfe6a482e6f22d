import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  /** The recipients of the envelope. */
  from: string;
  to: string[];
  raw: string;
  mail: ParsedMail;
}

type Fault =
  | { kind: 'refuse'; at: 'connect' | 'sender' | 'recipient' | 'data'; code: number; answer: string }
  | { kind: 'hang' }
  | { kind: 'slam' }
  | { kind: 'stall' }
  | { kind: 'drop after data' };

/** A real SMTP server on a free port. It stores every mail, even those whose senders get no answer. */
export async function startMailServer({ login }: { login?: { user: string; password: string } } = {}) {
  const mails: ReceivedMail[] = [];
  let fault: Fault | undefined;
  let connections = 0;

  const refusal = (at: (Fault & { kind: 'refuse' })['at']): Error | undefined =>
    fault?.kind === 'refuse' && fault.at === at
      ? Object.assign(new Error(fault.answer), { responseCode: fault.code })
      : undefined;

  const server = new SMTPServer({
    authOptional: login === undefined,
    // No STARTTLS without a trusted certificate.
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    closeTimeout: 100,
    onAuth({ username, password }, _session, callback) {
      const isRight = username === login?.user && password === login?.password;
      callback(isRight ? null : new Error('wrong'), isRight ? { user: username } : undefined);
    },
    onConnect(_session, callback) {
      connections += 1;
      if (fault?.kind === 'slam') everyConnection((socket) => socket.end());
      else if (fault?.kind !== 'hang') callback(refusal('connect'));
    },
    onMailFrom: (_address, _session, callback) => callback(refusal('sender')),
    onRcptTo: (_address, _session, callback) => callback(refusal('recipient')),
    onData(stream, { id, envelope }, callback) {
      void buffer(stream).then(async (raw) => {
        const refused = refusal('data');
        if (refused) return callback(refused);
        const { mailFrom, rcptTo } = envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: raw.toString(),
          mail: await simpleParser(raw),
        });
        if (fault?.kind === 'stall') return stall(id);
        if (fault?.kind === 'drop after data') return everyConnection((socket) => socket.end());
        callback();
        // A connection that breaks off has not sent a mail.
      }, callback);
    },
  });
  server.on('error', () => {});

  const everyConnection = (act: (socket: Socket) => void) =>
    server.connections.forEach(({ _socket }) => act(_socket));
  const disconnect = () => everyConnection((socket) => socket.destroy());

  /** Only the connection that waits for the answer to its mail: another one may be in its greeting. */
  function stall(connectionId: string): void {
    for (const { id, _socket: socket } of server.connections) {
      if (id !== connectionId) continue;
      const timer = setInterval(() => socket.write('250-wait\r\n'), 20);
      socket.once('close', () => clearInterval(timer));
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  const credentials = login ? `${login.user}:${login.password}@` : '';

  return {
    url: `smtp://${credentials}127.0.0.1:${port}`,
    mails,
    /** The number of connections since the start. */
    connections: () => connections,
    refuse(
      at: (Fault & { kind: 'refuse' })['at'],
      code: number,
      answer = '5.1.1 ada@example.org is not known',
    ) {
      fault = { kind: 'refuse', at, code, answer };
    },
    /** Accepts connections and never answers. */
    hang() {
      fault = { kind: 'hang' };
    },
    /** Closes every connection without an answer. */
    slam() {
      fault = { kind: 'slam' };
    },
    /** Stores the mail, and sends an endless answer. */
    stall() {
      fault = { kind: 'stall' };
    },
    /** Stores the mail, then cuts the connection before the answer. */
    dropAfterData() {
      fault = { kind: 'drop after data' };
    },
    works() {
      fault = undefined;
    },
    async close() {
      disconnect();
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

export type MailServer = Awaited<ReturnType<typeof startMailServer>>;
