import { ByteFormatError } from '@holdfast/model';
import type { CallMethod, LeaderReply } from './calls.ts';
import { checkCounts, checkText, type Fields, fieldsOf } from './request-checks.ts';

/**
 * What another node has answered to a call to the leader, looked at as its requests are: it may be of another version, or
 * broken, and that is no reason to end this one. @throws ByteFormatError
 */
export function checkedReply<T>(method: CallMethod, reply: unknown): LeaderReply<T> {
  const fields = fieldsOf(reply, 'an answer');
  switch (fields.code) {
    case 'OK':
      checkOk(method, fields);
      break;
    case 'NOT_LEADER':
      if (fields.leader !== null) checkText(fields, 'leader');
      break;
    case 'REFUSED':
      checkText(fields, 'reason');
      checkText(fields, 'text');
      break;
    case 'RETRY':
      checkText(fields, 'text');
      break;
    default:
      throw new ByteFormatError('unknown answer');
  }
  return fields as unknown as LeaderReply<T>;
}

function checkOk(method: CallMethod, fields: Fields): void {
  switch (method) {
    case 'session.open':
      checkCounts(fields, 'session');
      // No session has this number: it stands for none.
      if (fields.session === 0) throw new ByteFormatError('session 0 is none');
      break;
    case 'session.renew':
      if (fields.index !== undefined) checkCounts(fields, 'index');
      break;
    case 'admin':
      if (fields.text !== undefined && fields.text !== null) checkText(fields, 'text');
      for (const name of ['from', 'to']) {
        if (fields[name] === undefined) continue;
        const place = fieldsOf(fields[name], name);
        checkText(place, 'nodeId');
        checkCounts(place, 'shard');
      }
      break;
    default:
  }
}
