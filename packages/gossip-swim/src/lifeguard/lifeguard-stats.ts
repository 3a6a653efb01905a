import type { SwimStats } from '@holdfast/membership';

/** Counters of datagrams since start. */
export interface DatagramStats {
  datagramsSent: number;
  datagramsReceived: number;
  /** Errors of the socket and of sending. */
  socketErrors: number;
  refusedOversized: number;
  refusedUnsealed: number;
  /** Of another cluster, format or program. */
  refusedForeign: number;
  refusedMalformed: number;
}

export type LifeguardStats = DatagramStats & SwimStats;

export function zeroDatagramStats(): DatagramStats {
  return {
    datagramsSent: 0,
    datagramsReceived: 0,
    socketErrors: 0,
    refusedOversized: 0,
    refusedUnsealed: 0,
    refusedForeign: 0,
    refusedMalformed: 0,
  };
}
