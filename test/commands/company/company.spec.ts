import { companyRights, may } from '../../../src/commands/company/rights.ts';
import { companyOf, mayIn } from '../../../src/commands/company/company.ts';
import {
  MAX_OPEN,
  acceptInvitation,
  inviteTeammate,
  revokeInvitation,
} from '../../../src/commands/company/invitations.ts';
import { renameCompany } from '../../../src/commands/company/rename-company.ts';
import { changeTeammate, removeTeammate } from '../../../src/commands/company/teammates.ts';
import type { CompanyRole } from '../../../src/events/company.ts';
import { InvitationId, JobId } from '../../../src/events/ids.ts';
import {
  acme,
  ada,
  event,
  invitationId,
  jobId,
  registered,
  rival,
  teammateInvited,
  teammateJoined,
  uuid,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';
import { Set as ImmutableSet } from 'immutable';

const companyId = acme.userId;
const [rivals, aboutRival] = [{ companyId: rival.userId }, { companyId, userId: rival.userId }];
/** The moment at which the commands decide. */
const EXPIRED = '2026-01-02T03:04:05.678Z';
const otherJobId = JobId.parse(uuid(0x11));
const promoted = event('TeammateChanged', { ...aboutRival, role: 'owner', jobIds: null });
const removed = event('TeammateRemoved', aboutRival);
const revoked = event('InvitationRevoked', { companyId, invitationId });

describe('a company', () => {
  test('is its founder’s, without an event', () => {
    const { initial } = companyOf(companyId).aggregate;
    expect(mayIn(initial, 'manageTeam', acme)).toBe(true);
    expect(mayIn(initial, 'manageTeam', rival)).toBe(false);
    expect(mayIn(initial, 'manageTeam', 'system')).toBe(false);
  });

  test('is renamed by its owner', () =>
    given()
      .as(acme)
      .when(renameCompany, { companyId, name: 'Acme Robotics' })
      .then([event('CompanyRenamed', { companyId, name: 'Acme Robotics' })]));

  test('keeps a name that it has', () => {
    for (const name of ['Acme', undefined])
      given(event('CompanyRenamed', { companyId, name: 'Acme' }))
        .as(acme)
        .when(renameCompany, { companyId, name })
        .thenNothing();
  });

  test('is neither renamed nor enlarged by its other people, nor by strangers', () => {
    const invitation = { companyId, invitationId, role: 'viewer' } as const;
    for (const [actor, code] of [
      [rival, 'NOT_COMPANY_OWNER'],
      [ada, 'COMPANY_NOT_FOUND'],
    ] as const) {
      given(teammateJoined).as(actor).when(renameCompany, { companyId, name: 'X' }).thenRejects(code);
      given(teammateJoined).as(actor).when(inviteTeammate, invitation).thenRejects(code);
      given(teammateJoined, teammateInvited)
        .as(actor)
        .when(revokeInvitation, { companyId, invitationId })
        .thenRejects(code);
    }
  });
});

describe('an invitation', () => {
  const accept = { companyId, invitationId, userId: rival.userId, hasJobs: false, isElsewhere: false };
  const invited = [registered(rival), teammateInvited];

  test('is for a role and some jobs, and for seven days', () =>
    given()
      .as(acme)
      .when(inviteTeammate, { companyId, invitationId, role: 'interviewer', jobIds: [jobId] })
      .then([event('TeammateInvited', { ...teammateInvited.data, role: 'interviewer', jobIds: [jobId] })]));

  test('is refused once two hundred are open', () => {
    const open = Array.from({ length: MAX_OPEN }, (_, n) => ({
      ...teammateInvited.data,
      invitationId: InvitationId.parse(uuid(0x9000 + n)),
    }));
    const invite = { companyId, invitationId, role: 'viewer' } as const;
    given(...open.map((data) => event('TeammateInvited', data)))
      .as(acme)
      .when(inviteTeammate, invite)
      .thenRejects('TOO_MANY_INVITATIONS');
    const [first, ...rest] = open;
    for (const history of [
      [...open, event('InvitationRevoked', { companyId, invitationId: first!.invitationId })],
      [{ ...first!, expiresAt: EXPIRED }, ...rest],
    ])
      given(...history.map((each) => ('type' in each ? each : event('TeammateInvited', each))))
        .as(acme)
        .when(inviteTeammate, invite)
        .then([event('TeammateInvited', { ...teammateInvited.data, role: 'viewer' })]);
  });

  test('is accepted', () =>
    given(...invited)
      .as(rival)
      .when(acceptInvitation, accept)
      .then([teammateJoined]));

  test('is accepted once', () => {
    given(...invited, teammateJoined)
      .as(rival)
      .when(acceptInvitation, accept)
      .thenNothing();
    given(...invited, teammateJoined, removed)
      .as(rival)
      .when(acceptInvitation, accept)
      .thenRejects('INVITATION_NOT_FOUND');
  });

  test('is not accepted once it was revoked, or has expired, or where there is none', () => {
    const expired = event('TeammateInvited', {
      ...teammateInvited.data,
      expiresAt: EXPIRED,
    });
    for (const history of [[...invited, revoked], [registered(rival), expired], [registered(rival)]])
      given(...history)
        .as(rival)
        .when(acceptInvitation, accept)
        .thenRejects('INVITATION_NOT_FOUND');
  });

  test('is for people of companies that are empty', () => {
    given(registered(ada), teammateInvited)
      .as(ada)
      .when(acceptInvitation, { ...accept, userId: ada.userId })
      .thenRejects('ROLE_NOT_ALLOWED');
    given(...invited)
      .as(rival)
      .when(acceptInvitation, { ...accept, hasJobs: true })
      .thenRejects('COMPANY_NOT_EMPTY');
    given(...invited)
      .as(rival)
      .when(acceptInvitation, { ...accept, isElsewhere: true })
      .thenRejects('COMPANY_NOT_EMPTY');
    for (const company of [
      event('TeammateJoined', { ...teammateJoined.data, ...rivals, userId: ada.userId }),
      event('TeammateInvited', { ...teammateInvited.data, ...rivals }),
    ])
      given(...invited, company)
        .as(rival)
        .when(acceptInvitation, accept)
        .thenRejects('COMPANY_NOT_EMPTY');
  });

  test('is for the founder of a company who has left it, to that company as well', () => {
    const toAda = { ...teammateJoined.data, ...rivals, userId: ada.userId, role: 'owner' } as const;
    const ofRival = [
      event('TeammateJoined', toAda),
      event('TeammateRemoved', { ...rivals, userId: rival.userId }),
    ];
    given(...invited, ...ofRival)
      .as(rival)
      .when(acceptInvitation, { ...accept, hasJobs: true })
      .then([teammateJoined]);
    const back = { ...teammateInvited.data, ...rivals };
    given(registered(rival), ...ofRival, event('TeammateInvited', back))
      .as(rival)
      .when(acceptInvitation, { ...accept, ...rivals })
      .then([event('TeammateJoined', { ...teammateJoined.data, ...rivals })]);
  });

  test('is revoked until it is accepted', () => {
    given(...invited)
      .as(acme)
      .when(revokeInvitation, { companyId, invitationId })
      .then([revoked]);
    for (const after of [teammateJoined, revoked])
      given(...invited, after)
        .as(acme)
        .when(revokeInvitation, { companyId, invitationId })
        .thenRejects('INVITATION_NOT_FOUND');
  });
});

describe('a teammate', () => {
  test('gets another role, and other jobs', () => {
    given(teammateJoined)
      .as(acme)
      .when(changeTeammate, { ...aboutRival, role: 'viewer', jobIds: [jobId] })
      .then([event('TeammateChanged', { ...aboutRival, role: 'viewer', jobIds: [jobId] })]);
    given(teammateJoined)
      .as(acme)
      .when(changeTeammate, { ...aboutRival, jobIds: [jobId] })
      .then([event('TeammateChanged', { ...aboutRival, role: 'recruiter', jobIds: [jobId] })]);
  });

  test('keeps what is asked for again', () =>
    given(teammateJoined)
      .as(acme)
      .when(changeTeammate, { ...aboutRival, role: 'recruiter', jobIds: null })
      .thenNothing());

  test('is removed by one event, by an owner or by itself', () => {
    for (const actor of [acme, rival])
      given(teammateJoined).as(actor).when(removeTeammate, aboutRival).then([removed]);
  });

  test('is not changed by itself, and by nobody once it is gone', () => {
    given(teammateJoined)
      .as(rival)
      .when(changeTeammate, { ...aboutRival, role: 'owner' })
      .thenRejects('NOT_COMPANY_OWNER');
    given(teammateJoined, removed).as(acme).when(changeTeammate, aboutRival).thenRejects('MEMBER_NOT_FOUND');
    given(teammateJoined, removed).as(acme).when(removeTeammate, aboutRival).thenRejects('MEMBER_NOT_FOUND');
    given(teammateJoined, removed)
      .as(rival)
      .when(removeTeammate, aboutRival)
      .thenRejects('COMPANY_NOT_FOUND');
  });

  test('owns the company as long as nobody else does', () => {
    const aboutAcme = { companyId, userId: companyId };
    given(teammateJoined).as(acme).when(removeTeammate, aboutAcme).thenRejects('LAST_OWNER');
    given(teammateJoined)
      .as(acme)
      .when(changeTeammate, { ...aboutAcme, role: 'viewer' })
      .thenRejects('LAST_OWNER');
    given(teammateJoined, promoted)
      .as(acme)
      .when(removeTeammate, aboutAcme)
      .then([event('TeammateRemoved', aboutAcme)]);
  });
});

/** Every cell: what each role may do with a job of its own that is assigned to it or not, and with another job. */
describe('the rights of people in a company', () => {
  const me = rival.userId;
  const mine = { jobId, assigneeId: me };
  const cells = (role: CompanyRole) =>
    Object.fromEntries(
      companyRights.map((right) => {
        const teammate = { role, jobIds: ImmutableSet([jobId]) };
        const asked = [mine, { jobId, assigneeId: null }, { jobId: otherJobId, assigneeId: me }];
        return [right, asked.map((matter) => (may(right, me, teammate, matter) ? 'x' : '-')).join('')];
      }),
    );

  test.each([
    ['owner', Object.fromEntries(companyRights.map((right) => [right, 'xxx']))],
    [
      'recruiter',
      {
        ...{ manageTeam: '---', postJobs: 'xx-', changeJobs: 'xx-', decide: 'xx-', readThreads: 'xx-' },
        ...{ writeThreads: 'xx-', readFiles: 'xx-', readNotes: 'xx-', writeNotes: 'xx-' },
        ...{ readTeamRoom: 'xx-', writeTeamRoom: 'xx-', manageRooms: 'xx-', writeGroups: 'xxx' },
        manageNotes: '---',
      },
    ],
    [
      'interviewer',
      {
        ...{ manageTeam: '---', postJobs: '---', changeJobs: '---', decide: '---', readThreads: 'x--' },
        ...{ writeThreads: 'x--', readFiles: 'x--', readNotes: 'x--', writeNotes: 'x--' },
        ...{ readTeamRoom: 'xx-', writeTeamRoom: 'xx-', manageRooms: '---', writeGroups: 'xxx' },
        manageNotes: '---',
      },
    ],
    [
      'viewer',
      {
        ...{ manageTeam: '---', postJobs: '---', changeJobs: '---', decide: '---', readThreads: 'xx-' },
        ...{ writeThreads: '---', readFiles: '---', readNotes: 'xx-', writeNotes: '---' },
        ...{ readTeamRoom: 'xx-', writeTeamRoom: '---', manageRooms: '---', writeGroups: '---' },
        manageNotes: '---',
      },
    ],
  ] as const)('are, for %s, as in the table', (role, expected) => expect(cells(role)).toEqual(expected));

  test('reach all jobs for those who are limited to none', () => {
    const recruiter = { role: 'recruiter', jobIds: null } as const;
    expect(may('decide', me, recruiter, { jobId: otherJobId })).toBe(true);
    expect(may('decide', me, recruiter)).toBe(true);
  });

  test('reach the room that somebody was added to, unless the role has them nowhere', () => {
    const added = { jobId: otherJobId, isAdded: true };
    const others = (role: CompanyRole) => ({ role, jobIds: ImmutableSet([jobId]) });
    for (const role of ['recruiter', 'interviewer'] as const)
      expect(may('writeThreads', me, others(role), added)).toBe(true);
    expect(may('readThreads', me, others('viewer'), added)).toBe(true);
    expect(may('writeThreads', me, others('viewer'), added)).toBe(false);
  });
});
