import { randomUUID } from 'node:crypto';
import { type InvitationStore, createInvitations } from '../../src/auth/invitations.ts';
import { inviteTeammate } from '../../src/commands/company/invitations.ts';
import { removeTeammate } from '../../src/commands/company/teammates.ts';
import type { Actor } from '../../src/commands/command.ts';
import { InvitationId, UserId } from '../../src/events/ids.ts';
import { deleteInSlices } from '../../src/adapters/postgres/delete-in-slices.ts';
import { EXPIRED } from '../../src/adapters/postgres/housekeeping.ts';
import { type AuthStage, authStage } from '../support/stages/auth-stage.ts';

const DAY_MS = 86_400_000;

let stage: AuthStage;
beforeAll(async () => {
  stage = await authStage();
});
afterAll(() => stage.close());

const by = (actor: Actor, key?: string) => ({ actor, correlationId: randomUUID(), ...(key && { key }) });
const newAddress = () => `${randomUUID()}@example.org`;

/** Registers a company. */
async function company(): Promise<Actor> {
  const { userId } = await stage.registration.register({
    ...{ email: newAddress(), password: 'correct horse battery', role: 'company', displayName: 'Acme' },
  });
  return { userId, role: 'company' };
}

/** Invites an address, and returns the token of the letter. */
async function invited(owner: Actor, email = newAddress()) {
  const invitationId = await stage.invitations.invite(owner.userId, { email, role: 'recruiter' }, by(owner));
  return { invitationId, token: await tokenOf(invitationId) };
}
async function tokenOf(invitationId: InvitationId): Promise<string> {
  const { companyId, expiresAt } = (await stage.invitationStore.find(invitationId))!;
  return stage.invitationTokens.invitation(invitationId, companyId, expiresAt);
}
const accept = (token: string, person: Actor) => stage.invitations.accept(token, person.userId, by(person));
const letters = async (address: string) =>
  (
    await stage.pool.query<{ id: string }>(
      `select letter_id as id from account_letters where address = $1 and kind = 'invitation' order by written_at`,
      [address],
    )
  ).rows.map(({ id }) => id);
const notFound = { code: 'INVITATION_NOT_FOUND' };

describe('an invitation', () => {
  test('is kept without its token beside the log, and without its address in it', async () => {
    const owner = await company();
    const email = newAddress();
    const { invitationId, token } = await invited(owner, email);
    expect(await letters(email)).toEqual([invitationId]);
    const { rows } = await stage.pool.query<{ row: string }>(
      'select i::text as row from company_invitations i',
    );
    expect(rows.some(({ row }) => row.includes(email))).toBe(true);
    expect(rows.some(({ row }) => row.includes(token))).toBe(false);
    expect(JSON.stringify(await stage.log())).not.toContain(email);
  });

  test('lets one person in, who may ask again, and keeps no address then', async () => {
    const [owner, ...people] = [await company(), await company(), await company()] as const;
    const { invitationId, token } = await invited(owner);
    expect(await stage.invitations.open(token)).toMatchObject({ invitationId, role: 'recruiter' });
    const results = await Promise.allSettled(people.map((person) => accept(token, person)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const isFirst = results[0]!.status === 'fulfilled';
    const [member, other] = isFirst ? people : [people[1], people[0]];
    expect(await accept(token, member)).toMatchObject({ companyId: owner.userId });
    await expect(accept(token, other)).rejects.toMatchObject(notFound);
    await expect(stage.invitations.open(token)).rejects.toMatchObject(notFound);
    expect(await stage.invitationStore.find(invitationId)).toBeUndefined();
  });

  test('does not let a person in again who was removed', async () => {
    const [owner, person] = [await company(), await company()];
    const { token } = await invited(owner);
    const { companyId } = await accept(token, person);
    await stage.handle(removeTeammate, { companyId, userId: person.userId }, by(owner));
    await expect(accept(token, person)).rejects.toMatchObject(notFound);
  });

  test('does not let a person in again who was removed while it was open, but another one of later does', async () => {
    const [owner, person, other] = [await company(), await company(), await company()];
    const [first, second] = [await invited(owner), await invited(owner)];
    const { companyId } = await accept(first.token, person);
    await stage.handle(removeTeammate, { companyId, userId: person.userId }, by(owner));
    await expect(accept(second.token, person)).rejects.toMatchObject(notFound);
    expect(await accept((await invited(owner)).token, person)).toMatchObject({ companyId });
    expect(await accept(second.token, other)).toMatchObject({ companyId });
  });

  test('of somebody else is not used up by a member who accepts it', async () => {
    const [owner, person, other] = [await company(), await company(), await company()];
    const [first, second] = [await invited(owner), await invited(owner)];
    await accept(first.token, person);
    await accept(second.token, person);
    expect(await accept(second.token, other)).toMatchObject({ companyId: owner.userId });
  });

  test('is for seven days', async () => {
    const [owner, person] = [await company(), await company()];
    const { token } = await invited(owner);
    const begin = stage.calendar.now;
    stage.calendar.now = begin + 7 * DAY_MS - 1;
    expect(await stage.invitations.ofCompany(owner.userId)).toHaveLength(1);
    stage.calendar.now = begin + 7 * DAY_MS;
    expect(await stage.invitations.ofCompany(owner.userId)).toEqual([]);
    await expect(stage.invitations.open(token)).rejects.toMatchObject(notFound);
    await expect(accept(token, person)).rejects.toMatchObject(notFound);
    stage.calendar.now = begin;
    await accept(token, person);
  });

  test('is deleted when it has expired', async () => {
    const owner = await company();
    const { invitationId } = await invited(owner);
    const expired = EXPIRED.find(({ table }) => table === 'company_invitations')!;
    const sweep = (days: number) =>
      deleteInSlices(stage.pool, expired, { now: new Date(stage.calendar.now + days * DAY_MS) });
    await sweep(7);
    expect(await stage.invitationStore.find(invitationId)).toBeDefined();
    await sweep(7.1);
    expect(await stage.invitationStore.find(invitationId)).toBeUndefined();
  });

  test('is not opened by a forged token, one of another kind, or one of another company', async () => {
    const [owner, rival, person] = [await company(), await company(), await company()];
    const { invitationId, token } = await invited(owner);
    const { expiresAt } = (await stage.invitationStore.find(invitationId))!;
    const forged = [
      ...['', 'x', `${token}.x`, `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`],
      stage.invitationTokens.reset(invitationId, new Date(stage.calendar.now)),
      stage.invitationTokens.invitation(invitationId, rival.userId, expiresAt),
      stage.invitationTokens.invitation(InvitationId.parse(randomUUID()), owner.userId, expiresAt),
    ];
    for (const wrong of forged) await expect(accept(wrong, person)).rejects.toMatchObject(notFound);
    await accept(token, person);
  });

  test('is not accepted any more once it is revoked, and then lacks its address', async () => {
    const [owner, person] = [await company(), await company()];
    const { invitationId, token } = await invited(owner);
    await stage.invitations.revoke(owner.userId, invitationId, by(owner));
    await expect(accept(token, person)).rejects.toMatchObject(notFound);
    expect(await stage.invitationStore.find(invitationId)).toBeUndefined();
  });

  test('to the same address replaces the earlier one of the company, and no other', async () => {
    const [owner, rival, person] = [await company(), await company(), await company()];
    const email = newAddress();
    const [first, others, second] = [
      await invited(owner, email),
      await invited(rival, email),
      await invited(owner, email),
    ];
    await expect(accept(first.token, person)).rejects.toMatchObject(notFound);
    const ids = async ({ userId }: Actor) =>
      (await stage.invitations.ofCompany(userId)).map(({ invitationId }) => invitationId);
    expect(await ids(owner)).toEqual([second.invitationId]);
    expect(await ids(rival)).toEqual([others.invitationId]);
    const revoked = (await stage.log()).filter(({ type }) => type === 'InvitationRevoked').at(-1);
    expect(revoked).toMatchObject({ data: { invitationId: first.invitationId } });
    await accept(second.token, person);
  });

  test('is one for each address, however many are made at once', async () => {
    const owner = await company();
    const email = newAddress();
    const invite = () => stage.invitations.invite(owner.userId, { email, role: 'viewer' }, by(owner));
    const made = await Promise.all([invite(), invite(), invite()]);
    const open = await stage.invitations.ofCompany(owner.userId);
    expect(open).toHaveLength(1);
    expect(made).toContain(open[0]!.invitationId);
    expect((await letters(email)).toSorted()).toEqual(made.toSorted());
  });

  test('is refused for an address that has had three letters in the hour, whoever asks', async () => {
    const [owner, rival] = [await company(), await company()];
    const email = newAddress();
    for (const each of [owner, rival, owner]) await invited(each, email);
    await expect(invited(rival, email)).rejects.toMatchObject({
      quota: { bucket: 'invitation-letters', limit: 3, windowSeconds: 3_600 },
    });
    expect(await stage.invitations.ofCompany(owner.userId)).toHaveLength(1);
    expect(await letters(email)).toHaveLength(3);
  });

  test('takes nothing from an address when somebody asks who may not', async () => {
    const [owner, stranger] = [await company(), await company()];
    const email = newAddress();
    for (let times = 0; times < 4; times += 1)
      await expect(
        stage.invitations.invite(owner.userId, { email, role: 'owner' }, by(stranger)),
      ).rejects.toMatchObject({ code: 'COMPANY_NOT_FOUND' });
    await invited(owner, email);
  });

  test('that was cut off before its letter is completed by a repetition with the same key', async () => {
    const owner = await company();
    const email = newAddress();
    const keep: InvitationStore['keep'] = () => Promise.reject(new Error('the database is away'));
    const cutOff = createInvitations({
      ...stage.invitationDeps,
      store: { ...stage.invitationStore, keep },
    });
    const request = by(owner, 'a key');
    const asked = { email, role: 'viewer' } as const;
    await expect(cutOff.invite(owner.userId, asked, request)).rejects.toThrow('away');
    expect(await stage.invitations.ofCompany(owner.userId)).toEqual([]);
    const invitationId = await stage.invitations.invite(owner.userId, asked, request);
    expect(await stage.invitations.invite(owner.userId, asked, request)).toBe(invitationId);
    expect(await letters(email)).toEqual([invitationId]);
    expect((await stage.log()).filter(({ stream }) => stream === `company-${owner.userId}`)).toHaveLength(1);
  });

  test('whose address was not kept lets nobody in', async () => {
    const [owner, person] = [await company(), await company()];
    const invitationId = InvitationId.parse(randomUUID());
    const asked = { companyId: owner.userId, invitationId, role: 'owner' } as const;
    await stage.handle(inviteTeammate, asked, by(owner));
    const expiresAt = new Date(stage.calendar.now + DAY_MS);
    const token = stage.invitationTokens.invitation(invitationId, owner.userId, expiresAt);
    await expect(accept(token, person)).rejects.toMatchObject(notFound);
  });

  test('is refused to people with jobs of their own, and to those who have joined another company', async () => {
    const [owner, person] = [await company(), await company()];
    const { token } = await invited(owner);
    for (const bonds of [
      { companyId: person.userId, hasJobs: true },
      { companyId: UserId.parse(randomUUID()), hasJobs: false },
    ]) {
      stage.bonds.set(person.userId, bonds);
      await expect(accept(token, person)).rejects.toMatchObject({ code: 'COMPANY_NOT_EMPTY' });
    }
    stage.bonds.delete(person.userId);
    await accept(token, person);
  });

  test('is refused to applicants', async () => {
    const owner = await company();
    const { token } = await invited(owner);
    const { userId } = await stage.registration.register({
      ...{ email: newAddress(), password: 'correct horse battery', role: 'applicant', displayName: 'Ada' },
    });
    await expect(accept(token, { userId, role: 'applicant' })).rejects.toMatchObject({
      code: 'ROLE_NOT_ALLOWED',
    });
  });

  test('goes with its address when its owner is erased', async () => {
    const owner = await company();
    const email = newAddress();
    const { userId } = await stage.registration.register({
      ...{ email, password: 'correct horse battery', role: 'company', displayName: 'Grace' },
    });
    const { invitationId } = await invited(owner, email);
    await stage.pool.query('select forget_person($1)', [userId]);
    expect(await stage.invitationStore.find(invitationId)).toBeUndefined();
    expect(await letters(email)).toEqual([]);
  });
});
