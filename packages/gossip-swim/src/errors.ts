import type { GossipFailure } from '@holdfast/engine';

export const gossipErrorCodes = ['GOSSIP_OPTIONS', 'GOSSIP_PORT_IN_USE', 'GOSSIP_ADDRESS_UNAVAILABLE'] as const;

/** The environment or the configuration doesn't let gossip start. Match on `code`. */
export class GossipError extends Error {
  override readonly name = 'GossipError';
  readonly code: GossipFailure['code'];
  /** host:port that was wanted; null for `GOSSIP_OPTIONS`. */
  readonly address: string | null;
  readonly failure: GossipFailure;

  constructor(failure: GossipFailure, cause?: unknown) {
    super(describe(failure), cause === undefined ? undefined : { cause });
    this.code = failure.code;
    this.address = failure.code === 'GOSSIP_OPTIONS' ? null : failure.address;
    this.failure = failure;
  }
}

function describe(failure: GossipFailure): string {
  switch (failure.code) {
    case 'GOSSIP_OPTIONS':
      return `gossip options: ${failure.problems.join('; ')}`;
    case 'GOSSIP_PORT_IN_USE':
      return `gossip address ${failure.address} is in use: stop what listens there, or configure another port`;
    case 'GOSSIP_ADDRESS_UNAVAILABLE':
      return `gossip can't use address ${failure.address}: configure an address of this machine`;
  }
}
