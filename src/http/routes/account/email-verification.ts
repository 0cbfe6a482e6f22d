import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Addresses } from '../../../auth/addresses.ts';
import type { RateLimits } from '../../../protocol/rate-limits.ts';
import type { Authenticate } from '../../../auth/session.ts';
import { markup } from '../../../notifications/templates/html.ts';
import { authenticateRequests } from '../../hooks/authenticate-request.ts';
import { isForm, jsonOrForm, page, sendPage, servePages } from '../../pages.ts';
import { LINK_TOKEN_INVALID } from '../../../protocol/problem.ts';
import { LinkQuery, LinkToken } from '../../../protocol/schemas.ts';

export interface EmailVerificationRoutes {
  addresses: Addresses;
  authenticate: Authenticate;
  rateLimits: RateLimits;
}

const PATH = '/v1/auth/email-verification';
const CONFIRM = `${PATH}/confirm`;

/** The path of the link in a verification letter. */
export const verificationPath = (token: string): string => `${CONFIRM}?token=${encodeURIComponent(token)}`;

const TITLE = 'Confirm your e-mail address';
/** The form's target: this page, without the parameters that were added to the link. */
const question = (token: string, address: string) =>
  page(
    TITLE,
    markup`
    <p>Is <b>${address}</b> your address, and do you want mail from here to reach it?</p>
    <form method="post" action="confirm">
      <input type="hidden" name="token" value="${token}">
      <button>Confirm the address</button>
    </form>`,
  );
const DONE = page(TITLE, markup`<p>Thank you. Your address is confirmed.</p>`);
const refusal = (why: string) => page(TITLE, markup`<p>${why}.</p><p>Log in and ask for another letter.</p>`);

const tags = ['Authentication'];
const Requested = z
  .object({
    sent: z
      .boolean()
      .describe('False when no address waits for it, or when it has had its three letters of the day'),
  })
  .meta({ id: 'EmailVerificationRequested' });
const ConfirmEmail = z
  .strictObject({ token: LinkToken })
  .meta({ id: 'ConfirmEmail', example: { token: 'That of the link in the letter' } });
const Confirmed = z.object({ emailVerified: z.literal(true) }).meta({ id: 'EmailConfirmed' });

/** Defines the routes of the verification of an address. */
export function emailVerificationRoutes(parent: FastifyInstance, deps: EmailVerificationRoutes): void {
  const { addresses } = deps;
  const onRequest = authenticateRequests(parent, deps);

  parent.withTypeProvider<ZodTypeProvider>().post(
    PATH,
    {
      onRequest,
      config: { for: 'everybody', idempotentAs: 'RequestEmailVerification' },
      schema: {
        tags,
        summary: 'Send the letter of verification again',
        operationId: 'requestEmailVerification',
        response: { 202: Requested },
      },
    },
    async ({ session }, reply) => {
      const sent = await addresses.sendAgain(session.actor.userId);
      return reply.code(202).send({ sent });
    },
  );

  void parent.register(async (context) => {
    servePages(context, (_request, why) => refusal(why));
    const app = context.withTypeProvider<ZodTypeProvider>();

    app.get(
      CONFIRM,
      {
        config: { refusals: [LINK_TOKEN_INVALID] },
        schema: {
          tags,
          summary: 'A page that asks; it confirms nothing, because scanners of mail follow every link',
          operationId: 'askToConfirmEmail',
          security: [],
          produces: ['text/html'],
          querystring: LinkQuery,
          response: { 200: z.string() },
        },
      },
      async ({ query: { token } }, reply) => {
        const { address } = await addresses.provenBy(token);
        return sendPage(reply, question(token, address));
      },
    );

    app.post(
      CONFIRM,
      {
        config: { idempotentAs: 'ConfirmEmail', refusals: [LINK_TOKEN_INVALID, 'EMAIL_TAKEN'] },
        schema: {
          tags,
          summary: 'Confirm the address that a letter went to; again is no fault',
          operationId: 'confirmEmail',
          security: [],
          ...jsonOrForm,
          body: ConfirmEmail,
          response: {
            200: {
              description: 'The address is confirmed',
              content: {
                'application/json': { schema: Confirmed },
                'text/html': { schema: z.string() },
              },
            },
          },
        },
      },
      async (request, reply) => {
        await addresses.confirm(request.body.token);
        if (isForm(request)) return sendPage(reply, DONE);
        return { emailVerified: true as const };
      },
    );
  });
}
