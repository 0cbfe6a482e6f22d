import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SignedLinks } from '../../../auth/tokens/signed-links.ts';
import type { Account, RegisteredAccount } from '../../../commands/account/account.ts';
import { setNotificationPreferences } from '../../../commands/account/set-notification-preferences.ts';
import type { HandleCommand } from '../../../commands/handle-command.ts';
import { UserId } from '../../../events/ids.ts';
import { markup } from '../../../notifications/templates/html.ts';
import { page, sendPage } from '../../pages.ts';
import { ProblemError, problem } from '../../../protocol/problem.ts';
import type { HttpApp } from '../../route-deps.ts';
import { LinkQuery } from '../../../protocol/schemas.ts';

export interface UnsubscribeRoutes {
  links: Pick<SignedLinks, 'open'>;
  handle: HandleCommand;
  /** Resolves with the current state of the account, by the log. */
  loadAccount: (userId: UserId) => Promise<Account>;
}

const PATH = '/v1/unsubscribe';
/** The body is ignored, because the link contains everything. */
const BODY_LIMIT = 4_096;
/** The path of the link in a mail. Its token is signed for the purpose `unsubscribe` and contains the `userId`. */
export const unsubscribePath = (token: string): string => `${PATH}?token=${encodeURIComponent(token)}`;

const TITLE = 'Notifications by e-mail';
const QUESTION = page(
  TITLE,
  markup`
    <p>Do you want no more notifications by e-mail?</p>
    <form method="post">
      <button name="List-Unsubscribe" value="One-Click">Unsubscribe</button>
    </form>`,
);
const DONE = page(
  TITLE,
  markup`
    <p>You will get no more notifications by e-mail.</p>
    <p>You can turn them on again in your preferences.</p>`,
);

/** Ends the mails to the link's user without a login (RFC 8058). In a context of its own, for its own bodies. */
export function unsubscribeRoutes(parent: FastifyInstance, deps: UnsubscribeRoutes): void {
  void parent.register(async (app) => {
    // Mail providers send either type (RFC 8058 §3.2).
    app.addContentTypeParser(
      ['application/x-www-form-urlencoded', 'multipart/form-data'],
      { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
      async () => undefined,
    );
    routes(app.withTypeProvider<ZodTypeProvider>(), deps);
  });
}

function routes(app: HttpApp, { links, handle, loadAccount }: UnsubscribeRoutes): void {
  const common = {
    tags: ['Notifications'],
    security: [],
    produces: ['text/html'],
    querystring: LinkQuery,
    response: { 200: z.string() },
  };

  /** Returns the user of the link. Throws LINK_INVALID. */
  async function accountOf(token: string): Promise<RegisteredAccount & { userId: UserId }> {
    const userId = UserId.safeParse(links.open('unsubscribe', token)?.['userId']).data;
    const account = userId && (await loadAccount(userId));
    if (account?.status !== 'registered') throw new ProblemError(problem('LINK_INVALID'));
    return { ...account, userId: userId! };
  }

  app.get(
    PATH,
    {
      config: { refusals: ['LINK_INVALID'] },
      schema: {
        ...common,
        operationId: 'askToUnsubscribe',
        summary: 'A page that asks; it changes nothing, because scanners of mail follow every link',
      },
    },
    async ({ query: { token } }, reply) => {
      await accountOf(token);
      return sendPage(reply, QUESTION);
    },
  );

  app.post(
    PATH,
    {
      config: { refusals: ['LINK_INVALID'] },
      schema: {
        ...common,
        operationId: 'unsubscribe',
        summary: 'End the notifications by e-mail (RFC 8058); again is no fault',
        consumes: ['application/x-www-form-urlencoded', 'multipart/form-data'],
      },
    },
    async ({ id, query: { token } }, reply) => {
      const { userId, role } = await accountOf(token);
      const change = { userId, preferences: { email: false } };
      await handle(setNotificationPreferences, change, { actor: { userId, role }, correlationId: id });
      return sendPage(reply, DONE);
    },
  );
}
