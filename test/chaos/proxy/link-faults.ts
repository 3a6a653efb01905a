import type { Rng } from '@holdfast/model';

/** What is wrong with one direction of a link; everything may change while it carries. */
export interface LinkFaults {
  /** Each piece takes so long, give or take the jitter. */
  delayMs: number;
  jitterMs: number;
  /** Parts of all datagrams that are lost, come twice, or are overtaken. Streams know none of these. */
  lossRatio: number;
  duplicateRatio: number;
  reorderRatio: number;
  /** Nothing comes out; all of it does, in order, when this ends. */
  isClogged: boolean;
  /** Nothing comes out, ever: neither bytes nor the end of a stream. */
  isSilent: boolean;
}

export const noFaults: Readonly<LinkFaults> = {
  delayMs: 0,
  jitterMs: 0,
  lossRatio: 0,
  duplicateRatio: 0,
  reorderRatio: 0,
  isClogged: false,
  isSilent: false,
};

/** An overtaken datagram comes so much later than the others. */
export const overtakenByMs = 50;

/** @param at 0 to 1, drawn by chance */
export function delayOf({ delayMs, jitterMs }: LinkFaults, at: number): number {
  return Math.max(0, delayMs + (2 * at - 1) * jitterMs);
}

/** Where a proxy listens, what it stands before, and what is wrong on the way there and on the way back. */
export interface ProxyOptions {
  readonly host: string;
  readonly targetHost: string;
  readonly targetPort: number;
  readonly there: LinkFaults;
  readonly back: LinkFaults;
  readonly rng: Rng;
}
