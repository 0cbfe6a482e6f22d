import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { NewPassword } from '../../../auth/credentials.ts';
import { EmailAddress } from '../../../auth/email-address.ts';
import type { Passwords } from '../../../auth/passwords/passwords.ts';
import { type Html, markup } from '../../../notifications/templates/html.ts';
import { isForm, jsonOrForm, page, sendPage, servePages } from '../../pages.ts';
import { LINK_TOKEN_INVALID } from '../../../protocol/problem.ts';
import { Empty, LinkQuery, LinkToken } from '../../../protocol/schemas.ts';

export interface PasswordResetRoutes {
  passwords: Passwords;
}

const PATH = '/v1/auth/password-reset';
const CONFIRM = `${PATH}/confirm`;

/** The path of the link in the letter. */
export const resetPath = (token: string): string => `${CONFIRM}?token=${encodeURIComponent(token)}`;

/** Hashing waits for the processor, as at a login. */
const HASH_MS = 8_000;

const TITLE = 'Choose a new password';
const form = (token: string) => markup`
    <form method="post" action="confirm">
      <input type="hidden" name="token" value="${token}">
      <p><label>New password, at least 8 characters<br>
        <input type="password" name="password" autocomplete="new-password" required minlength="8" maxlength="128">
      </label></p>
      <button>Change the password</button>
    </form>`;
const question = (token: string) => page(TITLE, form(token));
const DONE = page(
  TITLE,
  markup`<p>Your password is changed, and every session has ended. Log in with the new one.</p>`,
);
const refusal = (why: string, again: Html[]) => page(TITLE, markup`<p>${why}.</p>${again}`);

/** The form's body. A refusal shows the form again. */
const Typed = z.object({ token: LinkToken, password: z.string() });

const tags = ['Authentication'];
const RequestPasswordReset = z
  .strictObject({ email: EmailAddress })
  .meta({ id: 'RequestPasswordReset', example: { email: 'ada@example.com' } });
const ResetPassword = z.strictObject({ token: LinkToken, password: NewPassword }).meta({
  id: 'ResetPassword',
  example: { token: 'That of the link in the letter', password: 'another long secret' },
});

/** Defines the routes that give a user a new password for a forgotten one. */
export function passwordResetRoutes(parent: FastifyInstance, { passwords }: PasswordResetRoutes): void {
  parent.withTypeProvider<ZodTypeProvider>().post(
    PATH,
    {
      config: { idempotentAs: 'RequestPasswordReset' },
      schema: {
        tags,
        summary:
          'Ask for a letter to choose a new password; the answer does not tell whether the address is known',
        operationId: 'requestPasswordReset',
        security: [],
        body: RequestPasswordReset,
        response: { 202: Empty },
      },
    },
    async ({ body: { email } }, reply) => {
      await passwords.forgotten(email);
      return reply.code(202).send({});
    },
  );

  void parent.register(async (context) => {
    servePages(context, ({ body }, why) => {
      const typed = Typed.safeParse(body).data;
      return refusal(why, typed ? [form(typed.token)] : []);
    });
    const app = context.withTypeProvider<ZodTypeProvider>();

    app.get(
      CONFIRM,
      {
        config: { refusals: [LINK_TOKEN_INVALID] },
        schema: {
          tags,
          summary: 'A page to type the new password on',
          operationId: 'askForNewPassword',
          security: [],
          produces: ['text/html'],
          querystring: LinkQuery,
          response: { 200: z.string() },
        },
      },
      async ({ query: { token } }, reply) => {
        await passwords.requireReset(token);
        return sendPage(reply, question(token));
      },
    );

    app.post(
      CONFIRM,
      {
        config: { idempotentAs: 'ResetPassword', answerMs: HASH_MS, refusals: [LINK_TOKEN_INVALID] },
        schema: {
          tags,
          summary: 'Choose a new password, once for each letter; every session of the account ends',
          operationId: 'resetPassword',
          security: [],
          ...jsonOrForm,
          body: ResetPassword,
          response: {
            200: {
              description: 'The same, as a page for the form of one',
              content: { 'text/html': { schema: z.string() } },
            },
            204: z.undefined().describe('The password is changed'),
          },
        },
      },
      async (request, reply) => {
        await passwords.reset(request.body.token, request.body.password);
        return isForm(request) ? sendPage(reply, DONE) : reply.code(204).send();
      },
    );
  });
}
