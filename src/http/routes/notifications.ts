import { ECDH } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Account, standardPreferences } from '../../commands/account/account.ts';
import {
  type SetNotificationPreferences,
  setNotificationPreferences,
} from '../../commands/account/set-notification-preferences.ts';
import type { HandleCommand } from '../../commands/handle-command.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { NotificationPreferences, QuietHours, TeamNews } from '../../events/account.ts';
import type { UserId } from '../../events/ids.ts';
import { pushEndpoint } from '../../notifications/deliver/push-endpoints.ts';
import type { PushSubscriptions } from '../../notifications/deliver/push-subscriptions.ts';
import { commandRequest } from '../command-request.ts';
import type { Positions } from '../../protocol/positions.ts';
import { ProblemError, problem } from '../../protocol/problem.ts';
import type { HttpApp } from '../route-deps.ts';
import { Empty, Id, Position } from '../../protocol/schemas.ts';

export interface NotificationRoutes {
  handle: HandleCommand;
  positions: Positions;
  /** Resolves with the current state of the account, by the log. */
  loadAccount: (userId: UserId) => Promise<Account>;
  pushSubscriptions: Pick<PushSubscriptions, 'add' | 'remove'>;
  /** The public VAPID key; undefined when there are no pushes. */
  pushPublicKey: string | undefined;
  /** Push services that may live at a private address. */
  pushPrivateHosts: readonly string[];
}

const NamedQuietHours = QuietHours.meta({ id: 'QuietHours' });
const Shown = z.object({
  email: z.boolean(),
  push: z.boolean(),
  muted: z.array(Id),
  quietHours: NamedQuietHours.optional(),
  digestMinutes: NotificationPreferences.shape.digestMinutes,
  team: TeamNews.optional(),
});
const Preferences = Shown.meta({ id: 'NotificationPreferences' });
const PreferencesSet = Shown.extend({ position: Position }).meta({ id: 'NotificationPreferencesSet' });

/** Omitted fields stay as they are. */
const Change = z
  .strictObject({
    email: NotificationPreferences.shape.email.exactOptional(),
    push: NotificationPreferences.shape.push.exactOptional(),
    muted: NotificationPreferences.shape.muted.exactOptional(),
    quietHours: NamedQuietHours.nullable().exactOptional().describe('null: none'),
    digestMinutes: NotificationPreferences.shape.digestMinutes.exactOptional(),
    team: TeamNews.nullable().exactOptional().describe('null: as the role in the company has it'),
  })
  .meta({ id: 'ChangeNotificationPreferences', example: { email: false } });

/** Omitted fields take their default. The answers of GET and PUT are valid bodies of a PUT. */
const Wanted = z
  .strictObject({
    email: NotificationPreferences.shape.email.default(standardPreferences.email),
    push: NotificationPreferences.shape.push.default(standardPreferences.push),
    muted: NotificationPreferences.shape.muted.default([...standardPreferences.muted]),
    quietHours: NamedQuietHours.nullable().default(standardPreferences.quietHours),
    digestMinutes: NotificationPreferences.shape.digestMinutes.default(standardPreferences.digestMinutes),
    team: TeamNews.nullable()
      .default(null)
      .describe('Of applications and their threads that are assigned to nobody; null: `all` for owners only'),
    position: Position.optional().describe('As the last answer had it; says nothing'),
  })
  .meta({
    id: 'SetNotificationPreferences',
    example: {
      push: false,
      quietHours: { start: '22:00', end: '07:00', timeZone: 'Europe/Berlin' },
      digestMinutes: 30,
    },
  });

function isPoint(key: string): boolean {
  try {
    // Throws for bytes that are not a point of the curve. Uncompressed points begin with 4 (SEC 1 §2.3.3).
    ECDH.convertKey(key, 'prime256v1', 'base64url');
    return Buffer.from(key, 'base64url')[0] === 4;
  } catch {
    return false;
  }
}

/** Accepts base64url without padding, as browsers write it, and standard base64, as other libraries do. */
const inBase64Url = z.string().overwrite((key) =>
  key
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/={1,2}$/, ''),
);

const exampleOf = {
  endpoint: 'https://push.example.org/send/0199f5a0',
  p256dh: 'BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM',
};

/** Their lengths are 65 and 16 bytes (RFC 8291 §3.1, §3.2). */
const P256DH = inBase64Url
  .regex(/^[\w-]{87}$/, { error: 'Must be 65 bytes in base64url', abort: true })
  .refine(isPoint, 'Must be an uncompressed point of P-256')
  .meta({
    description: 'An uncompressed point of P-256 in base64url',
    pattern: '^[A-Za-z0-9_+/-]{87}={0,2}$',
    example: exampleOf.p256dh,
  });
const AUTH = inBase64Url
  .regex(/^[\w-]{22}$/, 'Must be 16 bytes in base64url')
  .meta({ pattern: '^[A-Za-z0-9_+/-]{22}={0,2}$' });
const Keys = z.strictObject({ p256dh: P256DH, auth: AUTH }).meta({ id: 'PushKeys' });
const ExpirationTime = z.number().nullable().optional();

const tags = ['Notifications'];

const shown = ({ quietHours, ...rest }: NotificationPreferences): z.infer<typeof Shown> =>
  quietHours === null ? rest : { ...rest, quietHours };

/** The exact text with which it was added. */
const spelt = (endpoint: string): string => (URL.canParse(endpoint) ? new URL(endpoint).href : endpoint);

const Endpoint = z.string().max(2_048).transform(spelt).meta({
  format: 'uri',
  pattern: '^https://[!-~]+$',
  description: 'The URL of a push service on the public Internet, without a user name or password',
  example: exampleOf.endpoint,
});
const AddPushSubscription = z
  .strictObject({ endpoint: Endpoint, expirationTime: ExpirationTime, keys: Keys })
  .meta({
    id: 'AddPushSubscription',
    description: 'A PushSubscription, as browsers write it as JSON',
    example: {
      endpoint: exampleOf.endpoint,
      expirationTime: null,
      keys: { p256dh: exampleOf.p256dh, auth: 'tBHItJI5svbpez7KI4CCXg' },
    },
  });
const RemovePushSubscription = z
  .strictObject({
    endpoint: z.string().max(2_048).transform(spelt),
    expirationTime: ExpirationTime,
    keys: z.unknown().optional(),
  })
  .meta({ id: 'RemovePushSubscription', example: { endpoint: exampleOf.endpoint } });
const PushKey = z.object({ publicKey: z.string().nullable() }).meta({ id: 'PushKey' });

/** Defines the routes of the caller's notification preferences and push subscriptions. */
export function notificationRoutes(app: HttpApp, deps: NotificationRoutes): void {
  const { handle, positions, pushSubscriptions, pushPublicKey, pushPrivateHosts } = deps;

  const subscription = AddPushSubscription.refine(
    ({ endpoint }) => pushEndpoint(endpoint, pushPrivateHosts),
    {
      path: ['endpoint'],
      message: 'Must be the https URL of a public push service',
    },
  );

  /** Reads the log instead of a read model, so that callers see their own writes. */
  async function preferencesOf(userId: UserId) {
    const account = await deps.loadAccount(userId);
    if (account.status === 'none') throw new CommandRejected('USER_NOT_FOUND');
    return shown(account.preferences);
  }

  async function set(request: FastifyRequest, preferences: SetNotificationPreferences['preferences']) {
    const { userId } = request.session.actor;
    const change = { userId, preferences };
    const { position } = await handle(setNotificationPreferences, change, commandRequest(request));
    return { ...(await preferencesOf(userId)), position: positions.encode(position) };
  }

  app.get(
    '/v1/me/notification-preferences',
    {
      config: { refusals: ['USER_NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'getNotificationPreferences',
        summary: 'How the caller wants to be notified while away',
        response: { 200: Preferences },
      },
    },
    ({ session }) => preferencesOf(session.actor.userId),
  );

  app.put(
    '/v1/me/notification-preferences',
    {
      config: { refusals: [...setNotificationPreferences.refuses] },
      schema: {
        tags,
        operationId: 'setNotificationPreferences',
        summary: 'Set all of it: what is left out takes its standard value',
        description:
          'Takes what GET and PUT answer. To change one of them, use PATCH: of two changes at the same time both are then kept.',
        body: Wanted,
        response: { 200: PreferencesSet },
      },
    },
    (request) => {
      const { position: _, ...preferences } = request.body;
      return set(request, preferences);
    },
  );

  app.patch(
    '/v1/me/notification-preferences',
    {
      config: { refusals: [...setNotificationPreferences.refuses] },
      schema: {
        tags,
        operationId: 'changeNotificationPreferences',
        summary: 'Change some of it: what is left out stays as it is',
        description: 'Null takes quiet hours away, and lets the role in the company decide for `team`.',
        body: Change,
        response: { 200: PreferencesSet },
      },
    },
    (request) => set(request, request.body),
  );

  app.get(
    '/v1/push-key',
    {
      schema: {
        tags,
        operationId: 'getPushKey',
        summary: 'The applicationServerKey for pushManager.subscribe; null when there are no pushes',
        response: { 200: PushKey },
      },
    },
    () => ({ publicKey: pushPublicKey ?? null }),
  );

  app.post(
    '/v1/me/push-subscriptions',
    {
      config: { idempotentAs: 'AddPushSubscription' },
      schema: {
        tags,
        operationId: 'addPushSubscription',
        summary:
          'Notify the caller on this browser: its PushSubscription as it is; the oldest of more than 20 gives way',
        description:
          'The same endpoint again replaces the keys. A subscription that its push service reports as gone is removed.',
        body: subscription,
        response: { 200: Empty.describe('It was there already'), 201: Empty },
      },
    },
    async ({ session, body: { endpoint, keys } }, reply) => {
      const isNew = await pushSubscriptions.add(session.actor.userId, { endpoint, keys });
      return reply.code(isNew ? 201 : 200).send({});
    },
  );

  app.delete(
    '/v1/me/push-subscriptions',
    {
      config: { refusals: ['NOT_FOUND'] },
      schema: {
        tags,
        operationId: 'removePushSubscription',
        summary: 'Notify the caller on this browser no longer',
        body: RemovePushSubscription,
        response: { 204: z.undefined().describe('Nothing more is sent to it') },
      },
    },
    async ({ session, body: { endpoint } }, reply) => {
      if (!(await pushSubscriptions.remove(session.actor.userId, endpoint)))
        throw new ProblemError(problem('NOT_FOUND'));
      return reply.code(204).send();
    },
  );
}
