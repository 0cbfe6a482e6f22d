import { dataOf } from 'slay-e-chat-client';
import { useAction, useChat, useUser } from '../client.tsx';
import { forgetInvitation, invitation } from '../invitation.ts';
import { Page, Problem } from '../parts/page.tsx';
import { PATHS } from '../paths.ts';
import { navigate } from '../router.tsx';
import { words } from '../words.ts';

/** Asks whether to join the team that the invitation is from. */
export function Invitation() {
  const chat = useChat();
  const user = useUser();
  const token = invitation();
  const join = useAction(async () => {
    if (token === undefined) return;
    await dataOf(chat.rest.POST('/v1/invitations/accept', { body: { token } }));
    forgetInvitation();
    navigate(PATHS.company, { replaces: true });
  });
  const leave = useAction(chat.logOut);
  function decline(): void {
    forgetInvitation();
    navigate(PATHS.inbox, { replaces: true });
  }
  const { decline: declineIt, forCompanies, join: joinIt, none, text, title } = words.invitation;
  return (
    <Page title={title}>
      {token === undefined ? (
        <p>{none}</p>
      ) : user.role === 'company' ? (
        <>
          <p>{text(user.displayName)}</p>
          <p className="row">
            <button type="button" className="main" aria-disabled={join.isRunning} onClick={() => join.run()}>
              {joinIt}
            </button>
            <button type="button" onClick={decline}>
              {declineIt}
            </button>
          </p>
          <Problem of={join.problem} />
        </>
      ) : (
        <>
          <p>{forCompanies}</p>
          <p className="row">
            <button type="button" onClick={() => leave.run()}>
              {words.settings.logOut}
            </button>
            <button type="button" onClick={decline}>
              {declineIt}
            </button>
          </p>
        </>
      )}
    </Page>
  );
}
