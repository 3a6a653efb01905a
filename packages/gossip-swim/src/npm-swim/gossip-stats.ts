/** Counters since start; plain numbers, for a collector to read. */
export interface GossipStats {
  datagramsSent: number;
  datagramsReceived: number;
  acksReceived: number;
  /** Errors of the socket and of sending. */
  socketErrors: number;
  refusedOversized: number;
  refusedUnsealed: number;
  /** Of another cluster, format or program. */
  refusedForeign: number;
  refusedMalformed: number;
  /** Above the rate at which such requests are answered. */
  refusedRate: number;
  /** Well-formed, but not to be believed: a leap of the incarnation, an address that is no IP. */
  refusedClaims: number;
  /** New members while the table was full. */
  refusedTableFull: number;
  /** Verdicts of this node's own probes that fell into a stall of this process. */
  verdictsDistrusted: number;
  /** How often this process was late. */
  stalls: number;
  /** How often this node had to raise its incarnation against an accusation. */
  refutations: number;
}

export function zeroStats(): GossipStats {
  return {
    datagramsSent: 0,
    datagramsReceived: 0,
    acksReceived: 0,
    socketErrors: 0,
    refusedOversized: 0,
    refusedUnsealed: 0,
    refusedForeign: 0,
    refusedMalformed: 0,
    refusedRate: 0,
    refusedClaims: 0,
    refusedTableFull: 0,
    verdictsDistrusted: 0,
    stalls: 0,
    refutations: 0,
  };
}
