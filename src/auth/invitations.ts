import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import { companyOf, openInvitations, requireOwner } from '../commands/company/company.ts';
import { acceptInvitation, inviteTeammate, revokeInvitation } from '../commands/company/invitations.ts';
import type { HandleCommand, Request } from '../commands/handle-command.ts';
import type { OneAtATime } from '../commands/one-at-a-time.ts';
import { CommandRejected, ensure } from '../commands/rejection.ts';
import type { CompanyRole } from '../events/company.ts';
import type { Position } from '../events/event-store.ts';
import { InvitationId, type JobId, type UserId } from '../events/ids.ts';
import type { RateLimits } from '../protocol/rate-limits.ts';
import type { AccountTokens } from './tokens/account-tokens.ts';

/** What is kept of an invitation beside the log, because it must be possible to erase it. */
export interface KeptInvitation {
  invitationId: InvitationId;
  companyId: UserId;
  address: string;
  expiresAt: Date;
}

/** The port of the addresses of invitations. */
export interface InvitationStore {
  /**
   * Keeps the address and writes the letter, in one transaction, once for each invitation. Resolves with the
   * invitation of the company to the same address that this one replaces.
   */
  keep(invitation: KeptInvitation): Promise<InvitationId | undefined>;
  find(invitationId: InvitationId): Promise<KeptInvitation | undefined>;
  ofCompany(companyId: UserId): Promise<KeptInvitation[]>;
  forget(invitationId: InvitationId): Promise<void>;
}

/** What keeps a person from joining a company. */
export interface Bonds {
  /** The company that it has joined, or its own. */
  companyId: UserId;
  /** Whether it has jobs of its own. */
  hasJobs: boolean;
}

/** An invitation that can be accepted. */
export interface OpenInvitation {
  invitationId: InvitationId;
  companyId: UserId;
  address: string;
  role: CompanyRole;
  jobIds: JobId[] | null;
  expiresAt: string;
}

/** An invitation is open while the log has it open and its address is kept. Its letter holds the token. */
export interface Invitations {
  /**
   * Invites an address, whoever it belongs to, and replaces an earlier invitation of the company to it. Rejects like the
   * command, and with `RateLimited` when the address has had its letters.
   */
  invite(
    companyId: UserId,
    asked: { email: string; role: CompanyRole; jobIds?: JobId[] | null | undefined },
    request: Request,
  ): Promise<InvitationId>;
  /** Resolves with the open invitations of a company, oldest first. */
  ofCompany(companyId: UserId): Promise<OpenInvitation[]>;
  revoke(companyId: UserId, invitationId: InvitationId, request: Request): Promise<Position>;
  /** Resolves with the invitation of the token. Throws INVITATION_NOT_FOUND unless it is open. */
  open(token: string): Promise<OpenInvitation>;
  /**
   * Lets the user join, once; again is no fault. Throws INVITATION_NOT_FOUND for a token that is not of an open
   * invitation, and COMPANY_NOT_EMPTY.
   */
  accept(token: string, userId: UserId, request: Request): Promise<Joined>;
  /** Lets the user of an account that was just made join. */
  welcome(token: string, userId: UserId, request: Request): Promise<Joined>;
}

interface Joined {
  companyId: UserId;
  position: Position;
}

interface Sources {
  store: InvitationStore;
  loader: Pick<AggregateLoader, 'refresh'>;
  now: () => Date;
}

/** Creates the functions that find what both the log and the store have open. */
export function findInvitations({ store, loader, now }: Sources) {
  async function openOf(companyId: UserId, kept: readonly KeptInvitation[]): Promise<OpenInvitation[]> {
    const { state } = await loader.refresh(companyOf(companyId));
    const open = openInvitations(state, now());
    return kept.flatMap(({ invitationId, address }) => {
      const invited = open.get(invitationId);
      if (!invited) return [];
      const { role, expiresAt } = invited;
      const jobIds = invited.jobIds && [...invited.jobIds];
      return [{ invitationId, companyId, address, role, jobIds, expiresAt }];
    });
  }

  return {
    /** Resolves with the open invitations of a company, oldest first. */
    ofCompany: async (companyId: UserId): Promise<OpenInvitation[]> =>
      openOf(companyId, await store.ofCompany(companyId)),
    /** Resolves with an invitation; undefined when it is not open. */
    async find(invitationId: InvitationId): Promise<OpenInvitation | undefined> {
      const kept = await store.find(invitationId);
      return kept && (await openOf(kept.companyId, [kept]))[0];
    },
  };
}

/** Creates the invitations to companies. */
export function createInvitations({
  tokens,
  handle,
  bondsOf,
  rateLimits,
  oneAtATime,
  newId,
  ...sources
}: Sources & {
  tokens: Pick<AccountTokens, 'openInvitation'>;
  handle: HandleCommand;
  /** Resolves with the bonds of a user as of now. */
  bondsOf: (userId: UserId) => Promise<Bonds>;
  rateLimits: Pick<RateLimits, 'consume'>;
  oneAtATime: OneAtATime;
  newId: () => string;
}): Invitations {
  const { store, loader } = sources;
  const { ofCompany, find } = findInvitations(sources);
  const companyNow = async (companyId: UserId) => (await loader.refresh(companyOf(companyId))).state;

  function opened(token: string): { invitationId: InvitationId; companyId: UserId } {
    const found = tokens.openInvitation(token);
    ensure(found !== undefined, 'INVITATION_NOT_FOUND');
    return found;
  }

  /** The replaced one lacks its address, so nobody can accept it. The log is to say so too. */
  async function revokeReplaced(companyId: UserId, invitationId: InvitationId, { key: _, ...own }: Request) {
    const revoked = handle(revokeInvitation, { companyId, invitationId }, own);
    await revoked.catch((error: unknown) => {
      if (!(error instanceof CommandRejected)) throw error;
    });
  }

  async function join(token: string, userId: UserId, request: Request, bonds: () => Promise<Bonds>) {
    const { invitationId, companyId } = opened(token);
    return oneAtATime(userId, async () => {
      const company = await companyNow(companyId);
      if (!company.members.has(userId))
        ensure((await store.find(invitationId)) !== undefined, 'INVITATION_NOT_FOUND');
      const { companyId: present, hasJobs } = await bonds();
      const isElsewhere = present !== userId && present !== companyId;
      const acceptance = { companyId, invitationId, userId, hasJobs, isElsewhere };
      const { events, position } = await handle(acceptInvitation, acceptance, request);
      const [joined] = events;
      if (joined?.type === 'TeammateJoined') await store.forget(joined.data.invitationId);
      return { companyId, position };
    });
  }

  return {
    async invite(companyId, { email, role, jobIds }, request) {
      requireOwner(await companyNow(companyId), request.actor);
      await rateLimits.consume('invitation-letters', email);
      const asked = { companyId, invitationId: InvitationId.parse(newId()), role, jobIds };
      const { events } = await handle(inviteTeammate, asked, request);
      const [invited] = events;
      if (invited?.type !== 'TeammateInvited')
        throw new Error('InviteTeammate must return a TeammateInvited');
      const { invitationId, expiresAt } = invited.data;
      const replaced = await store.keep({
        ...{ companyId, invitationId, address: email, expiresAt: new Date(expiresAt) },
      });
      if (replaced !== undefined) await revokeReplaced(companyId, replaced, request);
      return invitationId;
    },
    ofCompany,
    async revoke(companyId, invitationId, request) {
      const { position } = await handle(revokeInvitation, { companyId, invitationId }, request);
      await store.forget(invitationId);
      return position;
    },
    async open(token) {
      const invitation = await find(opened(token).invitationId);
      ensure(invitation !== undefined, 'INVITATION_NOT_FOUND');
      return invitation;
    },
    accept: (token, userId, request) => join(token, userId, request, () => bondsOf(userId)),
    welcome: (token, userId, request) =>
      join(token, userId, request, async () => ({ companyId: userId, hasJobs: false })),
  };
}
