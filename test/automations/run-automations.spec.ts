import { apply } from '../../src/commands/application/apply.ts';
import { changeApplicationStatus } from '../../src/commands/application/change-application-status.ts';
import { withdrawApplication } from '../../src/commands/application/withdraw-application.ts';
import { addMember } from '../../src/commands/chat-group/add-member.ts';
import { removeMember } from '../../src/commands/chat-group/remove-member.ts';
import { closeJob } from '../../src/commands/job/close-job.ts';
import { postJob } from '../../src/commands/job/post-job.ts';
import { sendMessage } from '../../src/commands/message/send-message.ts';
import type { Actor } from '../../src/commands/command.ts';
import type { Request } from '../../src/commands/handle-command.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import { EventStoreUnavailable } from '../../src/events/event-store.ts';
import { defineAutomation } from '../../src/automations/automation.ts';
import { automationRunner } from '../../src/automations/run-automations.ts';
import { commands } from '../support/language/command-stage.ts';
import {
  acme,
  ada,
  applicationId,
  clientMsgId,
  groupId,
  jobId,
  posting,
  groupClosed,
  joined,
  left,
  registered,
  uuid,
} from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { linesOf } from '../support/log-lines.ts';

const by = (actor: Actor, key?: string): Request => ({
  actor,
  correlationId: uuid(0xc0),
  ...(key !== undefined && { key }),
});
const job = { jobId, groupId, ...posting };
const application = { applicationId, jobId, applicantId: ada.userId };
const hers = { jobId, applicantId: ada.userId };
const member = { groupId, userId: ada.userId };

/** A backend with automations, where Acme has posted a job. */
async function jobBoard(since: DomainEvent[] = []) {
  const { log, lines } = linesOf('info');
  const automate = (handle: Parameters<typeof automationRunner>[0]['handle']) =>
    automationRunner({ handle, log });
  const stage = await commands({ history: [registered(acme), registered(ada)], automate });
  await stage.handle(postJob, job, by(acme));
  if (since.some(({ type }) => type === 'MemberJoined')) await stage.handle(apply, application, by(ada));
  await happened(stage.store, ...since);
  const types = async () => (await stage.log()).slice(2).map(({ type }) => type);
  const replay = async () => automate(stage.handle)(await stage.log());
  return { ...stage, types, replay, lines };
}

describe('running automations', () => {
  test('creates the group before the posting is answered, and the position covers it', async () => {
    const { handle, types, log } = await jobBoard();
    expect(await types()).toStrictEqual(['JobPosted', 'ChatGroupCreated']);
    const { position } = await handle(apply, application, by(ada));
    const [last] = (await log()).slice(-1);
    expect(last).toMatchObject({ type: 'MemberJoined', data: { ...member, role: 'member' }, position });
  });

  test('records cause and request in the metadata', async () => {
    const { log } = await jobBoard();
    const [posted, created] = (await log()).slice(2);
    expect(created?.metadata).toMatchObject({
      actorId: null,
      causationId: posted?.id,
      correlationId: uuid(0xc0),
    });
  });

  test('lets an applicant leave on withdrawal, and removes it on rejection', async () => {
    const { handle, types } = await jobBoard();
    await handle(apply, application, by(ada));
    await handle(withdrawApplication, hers, by(ada));
    expect((await types()).slice(-2)).toStrictEqual(['ApplicationWithdrawn', 'MemberLeft']);

    const other = await jobBoard();
    await other.handle(apply, application, by(ada));
    await other.handle(changeApplicationStatus, { ...hers, status: 'rejected' }, by(acme));
    expect((await other.types()).slice(-2)).toStrictEqual(['ApplicationStatusChanged', 'MemberRemoved']);
  });

  test('closes a closed job to messages', async () => {
    const { handle } = await jobBoard();
    await handle(apply, application, by(ada));
    await handle(closeJob, { jobId }, by(acme));
    const message = { groupId, clientMsgId, text: 'Too late' };
    await expect(handle(sendMessage, message, by(ada))).rejects.toThrow('GROUP_CLOSED');
  });

  test('has nothing to do when an applicant who left the group withdraws', async () => {
    const { handle, types, lines } = await jobBoard();
    await handle(apply, application, by(ada));
    await handle(removeMember, member, by(ada));
    await handle(withdrawApplication, hers, by(ada));
    expect((await types()).slice(-2)).toStrictEqual(['MemberLeft', 'ApplicationWithdrawn']);
    expect(lines()).toMatchObject([
      { level: 30, code: 'GROUP_NOT_FOUND', msg: 'the automation had nothing left to do' },
    ]);
  });

  test.each([
    ['who withdraws', withdrawApplication, {}, ada, 'MemberLeft'],
    ['who is rejected', changeApplicationStatus, { status: 'rejected' }, acme, 'MemberRemoved'],
  ] as const)(
    'makes the company take over from the only admin %s',
    async (_, command, input, actor, going) => {
      const { handle, log } = await jobBoard([joined(ada, 'admin'), left(acme)]);
      await handle(command as never, { ...hers, ...input } as never, by(actor));
      expect((await log()).slice(-2)).toMatchObject([
        { type: 'MemberJoined', data: { groupId, userId: acme.userId, role: 'admin' } },
        { type: going, data: { groupId, userId: ada.userId } },
      ]);
    },
  );

  test('adds a member for an application that overtook the closing of its group', async () => {
    const { handle, types } = await jobBoard([groupClosed]);
    await handle(apply, application, by(ada));
    expect((await types()).slice(-2)).toStrictEqual(['ApplicationSubmitted', 'MemberJoined']);
  });

  test('reports a refused consequence to the caller, and completes the rest', async () => {
    const { handle, types } = await jobBoard();
    const { log } = linesOf('info');
    const toldOf: string[] = [];
    const refusing = defineAutomation({
      name: 'when-job-posted-refuse',
      on: 'JobPosted',
      follows: ({ data }) => ({
        command: removeMember,
        input: { groupId: data.groupId, userId: acme.userId },
        actor: 'system' as const,
      }),
    });
    const working = defineAutomation({
      name: 'when-job-posted-do-something',
      on: 'JobPosted',
      follows: ({ data }) => void toldOf.push(data.jobId),
    });
    const automate = automationRunner({ handle, log, automations: [refusing, working] });
    const [posted] = (await (await jobBoard()).log()).slice(2);
    await expect(automate([posted!])).rejects.toMatchObject({
      name: 'AutomationRefused',
      automation: 'when-job-posted-refuse',
      eventId: posted!.id,
      code: 'LAST_ADMIN',
    });
    expect(toldOf).toStrictEqual([jobId]);
    expect(await types()).toStrictEqual(['JobPosted', 'ChatGroupCreated']);
  });

  test('fails the answer when the log is unreachable', async () => {
    const { store } = await jobBoard();
    const down = { ...store, append: async () => Promise.reject(new EventStoreUnavailable('down')) };
    const { handle } = await commands({ store: down });
    const [posted] = await store.readAll({ after: 2, limit: 1 });
    const automate = automationRunner({ handle, log: linesOf('info').log });
    const lost = { ...posted!, id: uuid(0x99), data: { ...posted!.data, groupId: uuid(0x98) } };
    await expect(automate([lost as never])).rejects.toThrow(EventStoreUnavailable);
  });
});

describe('running automations again', () => {
  test('reads nothing from the log for an event already handled in this process', async () => {
    const { handle, log } = await jobBoard();
    const [posted] = (await log()).slice(2);
    const handled: string[] = [];
    const automate = automationRunner({
      log: linesOf('info').log,
      handle: (command, input, request) => {
        handled.push(command.name);
        return handle(command, input, request);
      },
    });
    const first = await automate([posted!]);
    expect(await automate([posted!])).toBe(first);
    expect(handled).toStrictEqual(['CreateChatGroup']);
  });

  test('for the whole log changes nothing', async () => {
    const { handle, log, replay } = await jobBoard();
    await handle(apply, application, by(ada));
    await handle(changeApplicationStatus, { ...hers, status: 'rejected' }, by(acme));
    await handle(closeJob, { jobId }, by(acme));
    const before = await log();
    await replay();
    await replay();
    expect(await log()).toStrictEqual(before);
  });

  test('leaves an applicant out whom an admin removed', async () => {
    const { handle, log, replay } = await jobBoard();
    await handle(apply, application, by(ada));
    await handle(removeMember, member, by(acme));
    const before = await log();
    await replay();
    expect(await log()).toStrictEqual(before);
  });

  test('leaves an applicant out who was a member before applying and was removed since', async () => {
    const { handle, store, log, replay } = await jobBoard();
    await happened(store, joined(ada));
    await handle(apply, application, by(ada));
    await handle(removeMember, member, by(acme));
    const before = await log();
    await replay();
    expect(await log()).toStrictEqual(before);
  });

  test('leaves an applicant out whom an admin removed and who applies again', async () => {
    const { handle, types } = await jobBoard();
    await handle(apply, application, by(ada));
    await handle(removeMember, member, by(acme));
    await handle(apply, application, by(ada, 'another key'));
    expect((await types()).slice(-1)).toStrictEqual(['MemberRemoved']);
  });

  test('keeps a member whom an admin brought back after its rejection', async () => {
    const { handle, log, replay } = await jobBoard();
    await handle(apply, application, by(ada));
    await handle(changeApplicationStatus, { ...hers, status: 'rejected' }, by(acme));
    await handle(addMember, member, by(acme));
    const before = await log();
    await replay();
    expect(await log()).toStrictEqual(before);
  });
});
