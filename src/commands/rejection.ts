/**
 * The reason why a command was refused. The set is closed, so that protocol/problem.ts must map each code to
 * a status.
 */
export type RejectionCode =
  | 'USER_NOT_FOUND'
  | 'ROLE_NOT_ALLOWED'
  | 'JOB_NOT_FOUND'
  | 'JOB_CLOSED'
  | 'NOT_JOB_OWNER'
  | 'APPLICATION_NOT_FOUND'
  | 'APPLICATION_WITHDRAWN'
  | 'APPLICATION_DECIDED'
  | 'NOT_APPLICANT'
  | 'NOTE_NOT_FOUND'
  | 'NOT_NOTE_AUTHOR'
  | 'GROUP_NOT_FOUND'
  | 'GROUP_CLOSED'
  | 'NOT_GROUP_ADMIN'
  | 'MEMBER_NOT_FOUND'
  | 'LAST_ADMIN'
  | 'JOB_OWNER_STAYS'
  | 'COMPANY_NOT_FOUND'
  | 'NOT_COMPANY_OWNER'
  | 'COMPANY_NOT_EMPTY'
  | 'INVITATION_NOT_FOUND'
  | 'TOO_MANY_INVITATIONS'
  | 'LAST_OWNER'
  | 'APPLICANT_STAYS'
  | 'CONVERSATIONS_FIXED'
  | 'REMOVED_FROM_GROUP'
  | 'MESSAGE_NOT_FOUND'
  | 'MESSAGE_DELETED'
  | 'MESSAGE_EMPTY'
  | 'TOO_MANY_REACTIONS'
  | 'TOO_MANY_MUTED'
  | 'NOT_MESSAGE_AUTHOR'
  | 'REPLY_TARGET_NOT_FOUND'
  | 'FILE_NOT_FOUND'
  | 'FILE_NOT_UPLOADED'
  | 'FILE_REFUSED'
  | 'FILE_CLEARED'
  | 'FILE_EXPIRED'
  | 'FILE_TOO_LARGE'
  | 'FILE_TYPE_NOT_ALLOWED'
  | 'ERASURE_NOT_FOUND'
  | 'ERASURE_DONE'
  | 'HOLD_NOT_FOUND'
  | 'GRANT_NOT_FOUND'
  | 'GRANT_NOT_OPEN'
  | 'OWN_ACCOUNT'
  | 'LAST_OPERATOR'
  | 'SESSION_NOT_FOUND'
  | 'TOTP_NOT_SET_UP'
  | 'NO_EMAIL_ADDRESS'
  | 'REBUILD_RUNNING'
  | 'NOTHING_KEPT'
  | 'CLIENT_MSG_ID_REUSED'
  | 'STREAM_DAMAGED';

/** A rule of the domain, or a damaged stream, refused the command. This is expected and never logged as an error. */
export class CommandRejected extends Error {
  override readonly name = 'CommandRejected';
  readonly code: RejectionCode;

  constructor(code: RejectionCode, cause?: Error) {
    super(code, { cause });
    this.code = code;
  }
}

/** A rule refused a consequence of an event, so the promise of the event does not hold. */
export class AutomationRefused extends Error {
  override readonly name = 'AutomationRefused';
  readonly automation: string;
  readonly eventId: string;
  readonly code: RejectionCode;

  constructor(automation: string, eventId: string, rejection: CommandRejected) {
    super(`${automation} was refused: ${rejection.code}`, { cause: rejection });
    this.automation = automation;
    this.eventId = eventId;
    this.code = rejection.code;
  }
}

/** Throws `CommandRejected` with `code` unless the rule holds. */
export function ensure(rule: boolean, code: RejectionCode): asserts rule {
  if (!rule) throw new CommandRejected(code);
}
