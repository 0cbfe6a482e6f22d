import { randomUUID } from 'node:crypto';
import type { CompanyRole } from '../src/events/company.ts';
import type { DomainEvent } from '../src/events/domain-event.ts';
import type { EventStore } from '../src/events/event-store.ts';
import {
  ApplicationId,
  ClientMsgId,
  GroupId,
  InvitationId,
  JobId,
  MessageId,
  UserId,
} from '../src/events/ids.ts';
import {
  accountStream,
  applicationStream,
  chatGroupStream,
  companyStream,
  conversationStream,
  jobStream,
} from '../src/events/streams.ts';
import { newId } from '../src/kit/uuids.ts';
import { createQueryPool } from '../src/adapters/postgres/query-pool.ts';
import { startProjections } from '../src/adapters/postgres/read-models/run-projections.ts';
import { bindQueries } from '../src/queries/queries.ts';
import { type Bench, type Result, inFlight, median, quantile, round } from './bench.ts';
import { caughtUp, openLog } from './log.ts';
import { query, quiet, startPostgres } from './postgres.ts';
import { appendTo } from './world.ts';

const TARGET_MS = 20;
/** A change of a company's people changes a row for each of its threads. */
const TEAM_TARGET_MS = 2_000;
const LIMIT = 50;
/** Of the messages in each thread. */
const MESSAGES = 6;
/** Number of threads that are assigned to the interviewer, those without a message for the longest time. */
const ASSIGNED = 20;

interface Inbox {
  company: UserId;
  jobId: JobId;
  /** Has one thread. */
  applicant: UserId;
  threads: readonly GroupId[];
}

/** Fills a job with threads of some messages each; the company has read a part of them, and answered a part. */
async function fill(store: EventStore, threads: number): Promise<Inbox> {
  const append = appendTo(store);
  const company = UserId.parse(newId());
  const jobId = JobId.parse(newId());
  const teamRoom = GroupId.parse(newId());
  const posting = { title: 'Engineer', description: 'Builds engines', location: null };
  const posted = { jobId, groupId: teamRoom, companyId: company, ...posting };
  await append(jobStream(jobId), { type: 'JobPosted', data: { ...posted, conversations: 'private' } });
  const people = Array.from({ length: threads }, () => ({
    applicantId: UserId.parse(newId()),
    applicationId: ApplicationId.parse(newId()),
    groupId: GroupId.parse(newId()),
  }));
  await inFlight(500, people, ({ applicantId }) => {
    const data = { userId: applicantId, role: 'applicant', displayName: `Applicant ${applicantId}` } as const;
    return append(accountStream(applicantId), { type: 'AccountRegistered', data });
  });
  await inFlight(500, people, ({ applicantId, applicationId, groupId }) => {
    const subject = {
      applicationId,
      jobId,
      groupId,
      applicantId,
      isPrivate: true,
      coverLetter: null,
    } as const;
    return append(applicationStream(jobId, applicantId), { type: 'ApplicationSubmitted', data: subject });
  });
  await inFlight(500, people, ({ applicantId, applicationId, groupId }) => {
    const about = { kind: 'thread', applicationId, applicantId } as const;
    return append(
      chatGroupStream(groupId),
      { type: 'ChatGroupCreated', data: { groupId, jobId, name: 'Engineer', adminId: company, ...about } },
      { type: 'MemberJoined', data: { groupId, userId: applicantId, role: 'member' } },
    );
  });
  const said = (groupId: GroupId, senderId: UserId): DomainEvent => ({
    type: 'MessageSent',
    data: {
      ...{
        groupId,
        messageId: MessageId.parse(newId()),
        senderId,
        clientMsgId: ClientMsgId.parse(randomUUID()),
      },
      ...{ text: 'When could we meet?', fileIds: [], replyTo: null },
    },
  });
  for (let count = 0; count < MESSAGES; count += 1)
    await inFlight(
      500,
      people.toSorted(() => Math.random() - 0.5),
      ({ applicantId, groupId }) =>
        append(conversationStream(groupId), said(groupId, Math.random() < 0.5 ? company : applicantId)),
    );
  const groupIds = people.map(({ groupId }) => groupId);
  return { company, jobId, applicant: people[0]!.applicantId, threads: groupIds };
}

/** Measures the pages of an inbox of very many threads: the first one and one in the middle. */
export const inbox: Bench = {
  name: 'inbox',
  async run({ quick, say }) {
    const threads = quick ? 1_000 : 10_000;
    const samples = quick ? 30 : 200;
    const postgres = await startPostgres();
    try {
      const ownerUrl = await postgres.createDatabase('inbox');
      const { store, databaseUrl, close } = await openLog(ownerUrl);
      const projections = await startProjections({ store, databaseUrl, log: quiet });
      const { company, jobId, applicant, threads: groupIds } = await fill(store, threads);
      await caughtUp(store, projections);
      const append = appendTo(store);
      const [recruiter, interviewer] = [UserId.parse(newId()), UserId.parse(newId())];
      const comes = (userId: UserId, role: CompanyRole): DomainEvent => ({
        type: 'TeammateJoined',
        data: { companyId: company, userId, invitationId: InvitationId.parse(newId()), role, jobIds: null },
      });
      /** Resolves with the milliseconds after which the read models show a change of the company's people. */
      async function shown(change: DomainEvent): Promise<number> {
        const begun = performance.now();
        await append(companyStream(company), change);
        await caughtUp(store, projections);
        return performance.now() - begun;
      }
      const team: Record<string, number> = {
        'a recruiter comes': await shown(comes(recruiter, 'recruiter')),
      };
      await append(companyStream(company), comes(interviewer, 'interviewer'));
      await inFlight(500, groupIds.slice(0, ASSIGNED), (groupId) =>
        append(chatGroupStream(groupId), {
          type: 'ThreadAssigned',
          data: { groupId, assigneeId: interviewer },
        }),
      );
      await caughtUp(store, projections);
      // What autovacuum does within a minute.
      await query(ownerUrl, 'vacuum analyze');
      say(`inbox: ${threads} threads with ${threads * MESSAGES} messages`);
      const db = await createQueryPool({ url: databaseUrl, log: quiet, max: 4, applicationName: 'bench' });
      const { listGroups, listThreads, getGroup } = bindQueries(db);
      const actor = { userId: company, role: 'company' } as const;

      /** Resolves with the cursor of the page in the middle of a list of all threads. */
      async function deep(
        page: (cursor?: string) => Promise<{ nextCursor: string | null }>,
      ): Promise<string> {
        let cursor: string | undefined;
        for (let count = 0; count < threads / LIMIT / 2; count += 1)
          cursor = (await page(cursor)).nextCursor ?? undefined;
        return cursor!;
      }
      const middle = {
        groups: await deep((cursor) => listGroups({ userId: company, limit: LIMIT, cursor })),
        threads: await deep((cursor) => listThreads({ actor, jobId, limit: LIMIT, cursor })),
      };
      const groupId = GroupId.parse((await listGroups({ userId: company, limit: 1 })).data[0]!.groupId);
      const pages: Record<string, () => Promise<unknown>> = {
        'first page of groups': () => listGroups({ userId: company, limit: LIMIT }),
        'page of groups in the middle': () =>
          listGroups({ userId: company, limit: LIMIT, cursor: middle.groups }),
        'first page of threads': () => listThreads({ actor, jobId, limit: LIMIT }),
        'page of threads in the middle': () =>
          listThreads({ actor, jobId, limit: LIMIT, cursor: middle.threads }),
        'unread threads': () => listThreads({ actor, jobId, limit: LIMIT, unread: true }),
        'read threads, of which there are few': () =>
          listThreads({ actor, jobId, limit: LIMIT, unread: false }),
        'threads of a status that none has': () =>
          listThreads({ actor, jobId, limit: LIMIT, status: 'hired' }),
        'one group': () => getGroup({ userId: company, groupId }),
        'first page of groups, for a recruiter': () => listGroups({ userId: recruiter, limit: LIMIT }),
        'first page of threads, for a recruiter': () =>
          listThreads({ actor: { userId: recruiter, role: 'company' }, jobId, limit: LIMIT }),
        'groups of an interviewer': () => listGroups({ userId: interviewer, limit: LIMIT }),
        'threads of an interviewer': () =>
          listThreads({ actor: { userId: interviewer, role: 'company' }, jobId, limit: LIMIT }),
      };
      const results: Result[] = [];
      for (const [name, ask] of Object.entries(pages)) {
        const times: number[] = [];
        const peers: number[] = [];
        for (let sample = 0; sample < samples; sample += 1) {
          let begun = performance.now();
          await ask();
          times.push(performance.now() - begun);
          begun = performance.now();
          await listGroups({ userId: applicant, limit: LIMIT });
          peers.push(performance.now() - begun);
        }
        const [project, peer] = [quantile(times, 0.95), quantile(peers, 0.95)];
        results.push({
          ...{ bench: 'inbox', case: name, project: round(project), peer: round(peer) },
          ...{ ratio: round(project / peer), unit: 'ms, p95; the peer is an applicant with one thread' },
          ...{ p50: round(median(times)), threads, target: TARGET_MS, rule: 'project <= target' },
          ok: project <= TARGET_MS,
        });
      }
      const removed = { companyId: company, userId: recruiter };
      team['a recruiter is removed'] = await shown({ type: 'TeammateRemoved', data: removed });
      const alone = await shown({ type: 'CompanyRenamed', data: { companyId: company, name: 'Acme' } });
      for (const [name, ms] of Object.entries(team))
        results.push({
          ...{ bench: 'inbox', case: name, project: round(ms), peer: round(alone), ratio: round(ms / alone) },
          ...{ unit: 'ms until the read models show it; the peer is a company that is renamed', threads },
          ...{ target: TEAM_TARGET_MS, rule: 'project <= target', ok: ms <= TEAM_TARGET_MS },
        });
      await db.end();
      await projections.stop();
      await close();
      return results;
    } finally {
      await postgres.stop();
    }
  },
};
