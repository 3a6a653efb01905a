import type { HeldBackSummary, NodeReport } from './node-report.ts';

export const heldBackKinds = ['commits', 'outputs', 'letters'] as const;

interface HeldBackReason {
  readonly severity: 'unhealthy' | 'degraded';
  readonly code: 'COMMIT_FAILING' | 'PUBLISH_FAILING';
  readonly text: string;
}

/**
 * What the log doesn't take from a node, each thing once, whatever the number of its shards. Without commits all is served,
 * and only the next start is dear; what a job emits, or what becomes a letter, reaches nobody meanwhile, and stops its shard
 * in the end.
 */
export function heldBackReasons({ shards, services }: Pick<NodeReport, 'shards' | 'services'>): HeldBackReason[] {
  // A log that doesn't answer at all has a reason already.
  if (services.log.awayMs !== null) return [];
  const longest = new Map<string, HeldBackSummary>();
  // A node of an earlier version has no such list.
  for (const held of shards.flatMap(({ heldBack }) => heldBack ?? [])) {
    const key = `${held.what} ${held.topic}`;
    if (held.sinceMs > (longest.get(key)?.sinceMs ?? -1)) longest.set(key, held);
  }
  return [...longest.values()].map(reasonOf);
}

function reasonOf({ what, topic, sinceMs, tries, error }: HeldBackSummary): HeldBackReason {
  const tried = error === null ? 'no answer yet' : `${tries} ${tries === 1 ? 'try' : 'tries'}, the last: ${error}`;
  const since = `for ${Math.round(sinceMs / 1000)}s (${tried})`;
  if (what === 'commits') {
    const text = `can't commit its offsets ${since}: the next start begins where they stand now; see whether the log lets the job commit to its group`;
    return { severity: 'degraded', code: 'COMMIT_FAILING', text };
  }
  const name = what === 'letters' ? 'dead letters' : 'outputs';
  const text = `can't write ${name} to ${topic} ${since}: offsets and backups wait for them; see to that topic: is it there, what size, what cleanup.policy, whose rights`;
  return { severity: 'unhealthy', code: 'PUBLISH_FAILING', text };
}
