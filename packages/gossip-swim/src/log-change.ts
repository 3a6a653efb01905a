import type { MemberChange } from '@holdfast/membership';
import type { Logger } from '@holdfast/model';

/** One line per change that an operator may want to know of; refusals for want of room are counted, not logged. */
export function logChange(logger: Logger, change: MemberChange): void {
  switch (change.kind) {
    case 'refused':
      break;
    case 'superseded':
      logger.warn('a newer start of this node is running', { by: change.by.gossipAddress });
      break;
    case 'conflict':
      logger.warn('two data folders run under one node id', {
        member: change.member.id,
        addresses: [change.member.gossipAddress, change.other.gossipAddress],
      });
      break;
    default:
      logger.info(`member ${change.kind}`, { member: change.member.id, address: change.member.gossipAddress });
  }
}
