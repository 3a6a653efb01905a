import { type Rng, randomBelow } from '@holdfast/model';
import {
  allMembers,
  type ConfState,
  type ConfTarget,
  decodeConfEntry,
  promotable,
  quorumSize,
  type RaftStatus,
  type RawNode,
  type Restored,
  simpleConf,
} from '../src/index.ts';

/** A random wish that doesn't lose the quorum by itself; null if none came out. */
export function randomTarget(
  status: RaftStatus,
  living: readonly string[],
  lost: ReadonlySet<string>,
  lagEntriesMax: number,
  rng: Rng,
): ConfTarget | null {
  const { conf } = status;
  const drawn: string[] = [];
  const learners: string[] = [];
  for (const id of new Set([...allMembers(conf), ...living])) {
    const place = randomBelow(rng, 10);
    const stays = lost.has(id) ? place === 0 : place > 2;
    if (conf.voters.includes(id)) (stays ? drawn : place === 1 && !lost.has(id) ? learners : []).push(id);
    else if (conf.learners.includes(id)) (stays ? (place > 4 ? drawn : learners) : []).push(id);
    else if (!lost.has(id) && place < 5) learners.push(id);
  }
  const voters = drawn.filter((id) => mayVote(status, id, lagEntriesMax));
  learners.push(...drawn.filter((id) => !voters.includes(id)));
  if (voters.length === 0 || !survives(simpleConf(voters), lost)) return null;
  return { voters, learners };
}

/** The next step towards votes for all that live, and membership for nobody else. */
export function repairTarget(status: RaftStatus, living: readonly string[], lagEntriesMax: number): ConfTarget {
  const isReady = (id: string): boolean => mayVote(status, id, lagEntriesMax);
  const learners = living.filter((id) => !isReady(id));
  // A lost voter goes together with the one that takes its place.
  const leaving = learners.length > 0 ? status.conf.voters.filter((id) => !living.includes(id)) : [];
  return { voters: [...living.filter(isReady), ...leaving], learners };
}

/** All configurations by which a node may yet decide: that of what it has applied, and those in its log after it. */
export function confsOf(node: { raw: RawNode | null; disk: Restored; founders: readonly string[] }): ConfState[] {
  const { snapshot, entries } = node.disk;
  const from = node.raw === null ? (snapshot?.index ?? 0) : node.raw.status().applied;
  const conf = node.raw?.conf ?? snapshot?.conf ?? simpleConf(node.founders);
  const later = entries.filter(({ kind, index }) => kind === 'conf' && index > from);
  return [conf, ...later.map(({ data }) => decodeConfEntry(data))].filter(({ voters }) => voters.length > 0);
}

/** Can the configuration do without the lost ones? */
export function survives(conf: ConfState, lost: ReadonlySet<string>): boolean {
  return [conf.voters, conf.votersOutgoing].every((group) => {
    const living = group.filter((id) => !lost.has(id)).length;
    return group.length === 0 || living >= quorumSize(group.length);
  });
}

function mayVote({ conf, progress, lastIndex }: RaftStatus, id: string, lagEntriesMax: number): boolean {
  return conf.voters.includes(id) || promotable(progress.get(id), lastIndex, lagEntriesMax);
}
