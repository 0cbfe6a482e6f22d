import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { countedAddress } from '../../../auth/client-address.ts';
import type { SecondFactors } from '../../../auth/second-factor/second-factors.ts';
import type { Authenticate } from '../../../auth/session.ts';
import { WRONG_CODE, WRONG_PASSWORD } from '../../../protocol/problem.ts';
import type { RateLimits } from '../../../protocol/rate-limits.ts';
import { PresentPassword, TotpCode } from '../../../protocol/schemas.ts';
import { authenticateRequests } from '../../hooks/authenticate-request.ts';

export interface TotpRoutes {
  secondFactors: SecondFactors;
  authenticate: Authenticate;
  rateLimits: RateLimits;
}

const BeginTotp = z
  .strictObject({ password: PresentPassword })
  .meta({ id: 'BeginTotp', example: { password: 'a long enough secret' } });
const ConfirmTotp = z
  .strictObject({ code: TotpCode.describe('The code that the authenticator app shows') })
  .meta({ id: 'ConfirmTotp', example: { code: '123456' } });
const RemoveTotp = z
  .strictObject({ password: PresentPassword, code: TotpCode.describe('Of the app, or a recovery code') })
  .meta({ id: 'RemoveTotp', example: { password: 'a long enough secret', code: '123456' } });

const TotpKey = z
  .object({
    secret: z.string().describe('In base32, to type into an app'),
    otpauthUrl: z.string().describe('To show as a QR code'),
  })
  .meta({ id: 'TotpKey' });
const RecoveryCodes = z
  .object({
    recoveryCodes: z
      .array(z.string())
      .describe('Ten, shown this once: each stands for a code of the app, one time'),
  })
  .meta({ id: 'RecoveryCodes' });

/** Checks of passwords and codes wait for the processor, like logins. */
const PASSWORD_MS = 8_000;

const tags = ['Authentication'];

/**
 * Defines the routes of the caller's second factor. They take no `Idempotency-Key`, because kept answers would
 * hold the secret and the recovery codes as they are.
 */
export function totpRoutes(plainApp: FastifyInstance, deps: TotpRoutes): void {
  const { secondFactors } = deps;
  const app = plainApp.withTypeProvider<ZodTypeProvider>();
  const onRequest = authenticateRequests(plainApp, deps);
  const config = { for: 'everybody', answerMs: PASSWORD_MS, beforeSecondFactor: true } as const;

  app.post(
    '/v1/me/totp',
    {
      onRequest,
      config: { ...config, refusals: [WRONG_PASSWORD, 'TOTP_ENABLED'] },
      schema: {
        tags,
        summary: 'Make the secret of a second factor, which waits for its first code; again makes another',
        operationId: 'beginTotp',
        body: BeginTotp,
        response: { 201: TotpKey },
      },
    },
    async ({ session, body, ip }, reply) => {
      const asked = { ...body, address: countedAddress(ip) };
      return reply.code(201).send(await secondFactors.begin(session.actor.userId, asked));
    },
  );

  app.post(
    '/v1/me/totp/confirm',
    {
      onRequest,
      config: { ...config, refusals: [WRONG_CODE, 'TOTP_ENABLED', 'TOTP_NOT_SET_UP'] },
      schema: {
        tags,
        summary: 'Activate the second factor with its first code; every other session ends',
        operationId: 'confirmTotp',
        body: ConfirmTotp,
        response: { 200: RecoveryCodes },
      },
    },
    async ({ session, body, ip }) => {
      const asked = { ...body, address: countedAddress(ip), kept: session.sessionId };
      return { recoveryCodes: await secondFactors.confirm(session.actor.userId, asked) };
    },
  );

  app.delete(
    '/v1/me/totp',
    {
      onRequest,
      config: { ...config, refusals: [WRONG_PASSWORD, WRONG_CODE, 'TOTP_NOT_SET_UP'] },
      schema: {
        tags,
        summary: 'Remove the second factor',
        operationId: 'removeTotp',
        body: RemoveTotp,
        response: { 204: z.undefined().describe('Logins need no code any more') },
      },
    },
    async ({ session, body, ip }, reply) => {
      await secondFactors.remove(session.actor.userId, { ...body, address: countedAddress(ip) });
      return reply.code(204).send();
    },
  );
}
