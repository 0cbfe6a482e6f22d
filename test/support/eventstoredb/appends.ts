import type { IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { FaultPlan } from './faults.ts';
import type { Decision, StandInLog } from './log.ts';
import {
  type AppendCall,
  appendAnswer,
  appendTooLarge,
  batchAnswer,
  batchTimeout,
  expectedIn,
  nameOf,
  notLeader,
  proposedFrom,
  streamDeleted,
  unavailable,
} from './messages.ts';

/** Ways to answer one append, on either path. */
interface Reply {
  answer(decision: Decision): void;
  /** The server's own deadline passed: the outcome is not reported. */
  timeOut(): void;
  refuse(error: ReturnType<typeof unavailable>): void;
}

/** The two append calls of the services, over one log. */
export function createAppends(log: StandInLog, plan: FaultPlan, port: () => number) {
  function decide(append: AppendCall, reply: Reply): void {
    const fault = plan.next('append');
    if (fault?.do === 'neverAnswer') return;
    if (fault?.do === 'unavailable') return reply.refuse(unavailable());
    if (fault?.do === 'notLeader') return reply.refuse(notLeader(port()));
    const decision = log.append(append.stream, append.expected, append.events);
    switch (fault?.do) {
      case 'loseReply':
        return;
      case 'answerLate':
        return void setTimeout(() => reply.answer(decision), fault.ms).unref();
      case 'answerTwice':
        reply.timeOut();
        return reply.answer(decision);
      case undefined:
        return reply.answer(decision);
    }
  }

  const batchAppend: IStreamsServer['batchAppend'] = (call) => {
    const begun = new Map<string, AppendCall>();
    call.on('data', (request: streams.BatchAppendReq) => {
      const correlationId = request.getCorrelationId();
      const key = correlationId?.getString() ?? '';
      const options = request.getOptions();
      const append =
        begun.get(key) ??
        (options && {
          stream: nameOf(options),
          expected: expectedIn(options, options.getStreamPosition()),
          events: [],
        });
      if (!append) return;
      append.events.push(...request.getProposedMessagesList().map(proposedFrom));
      begun.set(key, append);
      if (!request.getIsFinal()) return;
      begun.delete(key);
      const write = (message: streams.BatchAppendResp) => void (call.writable && call.write(message));
      decide(append, {
        answer: (decision) => write(batchAnswer(append, correlationId, decision)),
        timeOut: () => write(batchTimeout(append, correlationId)),
        // One stream carries all appends of a client: an error for one ends it for all.
        refuse: (error) => void call.emit('error', error),
      });
    });
    call.on('end', () => call.end());
  };

  const append: IStreamsServer['append'] = (call, callback) => {
    const asked: AppendCall = { stream: '', expected: 'any', events: [] };
    call.on('data', (request: streams.AppendReq) => {
      const options = request.getOptions();
      if (options)
        Object.assign(asked, {
          stream: nameOf(options),
          expected: expectedIn(options, options.getRevision()),
        });
      const proposed = request.getProposedMessage();
      if (proposed) asked.events.push(proposedFrom(proposed));
    });
    call.on('end', () => {
      // A call that the client cancels before its last message has no effect.
      if (call.cancelled) return;
      decide(asked, {
        answer(decision) {
          if (decision.is === 'streamDeleted') callback(streamDeleted(asked.stream));
          else if (decision.is === 'tooLarge') callback(appendTooLarge(decision.limit));
          else callback(null, appendAnswer(asked, decision));
        },
        timeOut: () => undefined,
        refuse: (error) => callback(error),
      });
    });
  };

  return { batchAppend, append };
}
