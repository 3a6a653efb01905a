import type { NodeId } from '@holdfast/model';

/** More accusers than these shorten nothing. */
export const accusersMax = 3;

/** A suspect's time to refute, as this node counts it. */
export interface Suspicion {
  readonly incarnation: number;
  readonly accusers: readonly NodeId[];
  /** Counted from here; moved on by what was no time to refute. */
  readonly sinceMs: number;
  readonly nextPingMs: number;
}

/**
 * How long a suspect may refute. It falls from `maxMs` to `minMs` as others find the same by probes of their own, and is
 * longer in large clusters, where news takes more hops.
 * @param accusers at least one
 * @param peerCount reachable members beside the suspect
 * Source: Lifeguard paper, 3.2 (LHA-Suspicion)
 */
export function suspicionTimeoutMs(accusers: number, peerCount: number, minMs: number, maxMs: number): number {
  const scale = Math.max(1, Math.log10(peerCount + 1));
  // The first accuser confirms nothing. With nobody else to ask, the longer time has to do.
  const wanted = Math.min(accusersMax - 1, peerCount - 1);
  if (wanted <= 0) return maxMs * scale;
  const confirmed = Math.min(accusers - 1, wanted);
  return Math.max(minMs, maxMs - (maxMs - minMs) * (Math.log(confirmed + 1) / Math.log(wanted + 1))) * scale;
}

/** Accusers of both, at most `accusersMax`, in an order that doesn't depend on who told whom. */
export function uniteAccusers(a: readonly NodeId[], b: readonly NodeId[]): readonly NodeId[] {
  const united = [...new Set([...a, ...b])].sort().slice(0, accusersMax);
  return united.length === a.length && united.every((id, i) => id === a[i]) ? a : united;
}
