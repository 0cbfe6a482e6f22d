import { readFileSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type ServerUrl, parseServerUrl } from '../../kit/server-url.ts';
import { reasonOf } from '../../kit/reason.ts';

const ADMINS = '$admins';
const ANSWER_MS = 10_000;

/**
 * Gives the application's user access to a server, as its administrator: creates the user or resets its password,
 * and lets only it and the administrators read all events and read and write streams. Only administrators may
 * delete streams and change their metadata. Doing it twice changes nothing. Other users of the server lose the
 * default rights. Rejects with the answer of the server, or when no node answers.
 */
export async function grantAccess(url: string, user: string, password: string): Promise<void> {
  await createUser(url, user, password);
  await restrictStreams(url, user);
}

/** Creates the user, or resets its password. Asks the nodes of a cluster in turn. */
export async function createUser(url: string, user: string, password: string): Promise<void> {
  const server = parseServerUrl(url)!;
  const profile = { loginName: user, fullName: 'The chat', groups: [], password };
  const created = await ask(server, '/users/', profile);
  if (created.status === 201) return;
  const path = `/users/${encodeURIComponent(user)}/command/reset-password`;
  const reset = created.status === 409 ? await ask(server, path, { newPassword: password }) : created;
  if (reset.status < 200 || reset.status > 299)
    throw new Error(`EventStoreDB answered ${reset.status} ${reset.body}`.trim());
}

/** Restricts all streams, and the reading of the whole log, to the user and the administrators. */
export async function restrictStreams(url: string, user: string): Promise<void> {
  const client = EventStoreDBClient.connectionString(url);
  const mine = [user, ADMINS];
  const data = {
    $userStreamAcl: { $r: mine, $w: mine, $d: ADMINS, $mr: mine, $mw: ADMINS },
    $systemStreamAcl: { $r: ADMINS, $w: ADMINS, $d: ADMINS, $mr: ADMINS, $mw: ADMINS },
  };
  try {
    await client.setStreamMetadata('$all', { acl: { readRoles: mine, metaReadRoles: mine } });
    await client.appendToStream('$settings', jsonEvent({ type: 'update-default-acl', data }));
  } finally {
    await client.dispose();
  }
}

async function ask(server: ServerUrl, path: string, body: object): Promise<{ status: number; body: string }> {
  const { username = '', password = '', query, hosts } = server;
  // The client reads the names of parameters in any case.
  const parameters = new Map(Array.from(query, ([name, value]) => [name.toLowerCase(), value]));
  const authority = parameters.get('tlscafile');
  const ca = authority === undefined ? {} : { ca: readFileSync(authority) };
  const request = parameters.get('tls') === 'false' ? requestHttp : requestHttps;
  let reason = '';
  for (const { host, port = 2113 } of hosts)
    try {
      const call = request({
        ...{ host, port, path, method: 'POST', auth: `${username}:${password}`, timeout: ANSWER_MS, ...ca },
        headers: { 'Content-Type': 'application/json' },
      });
      const answer = await send(call, body);
      return { status: answer.statusCode!, body: await text(answer) };
    } catch (error) {
      reason = reasonOf(error);
    }
  throw new Error(`no node of EventStoreDB answers: ${reason}`);
}

function send(call: ClientRequest, body: object): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  call.on('response', resolve).on('error', reject);
  call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
  call.end(JSON.stringify(body));
  return promise;
}
