import { ByteFormatError, ByteReader, ByteWriter } from '@holdfast/model';

/**
 * Who takes part, as the log says it. While `votersOutgoing` isn't empty, two groups of voters decide together (joint
 * consensus, 6): elections and commits need a majority of both.
 */
export interface ConfState {
  readonly voters: readonly string[];
  /** The voters that are being replaced; empty outside of a joint configuration. */
  readonly votersOutgoing: readonly string[];
  /** They get the log, but have no vote (thesis, 4.2.1). */
  readonly learners: readonly string[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly string[];
  /** Who was a member and isn't any more, the latest last, `removedMax` at most: they have to be told. */
  readonly removed: readonly string[];
}

/** A cluster takes long to lose so many; the earliest are forgotten. */
export const removedMax = 64;

/** The members wished for; the core works out the steps. */
export interface ConfTarget {
  readonly voters: readonly string[];
  readonly learners: readonly string[];
}

/** Nobody yet: what a node knows that is to join a cluster. */
export const emptyConf: ConfState = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], removed: [] };

/** A configuration that isn't on its way to another. */
export function simpleConf(
  voters: readonly string[],
  learners: readonly string[] = [],
  removed: readonly string[] = [],
): ConfState {
  return { ...emptyConf, voters: [...voters].sort(), learners: [...learners].sort(), removed };
}

export function isJoint(conf: ConfState): boolean {
  return conf.votersOutgoing.length > 0;
}

/** Has `id` a vote, in either group? */
export function isVoter(conf: ConfState, id: string): boolean {
  return conf.voters.includes(id) || conf.votersOutgoing.includes(id);
}

/** All voters, each once. */
export function allVoters(conf: ConfState): string[] {
  return isJoint(conf) ? [...new Set([...conf.voters, ...conf.votersOutgoing])] : [...conf.voters];
}

/** All that get the log, each once. */
export function allMembers(conf: ConfState): string[] {
  return [...allVoters(conf), ...conf.learners];
}

/**
 * The next configuration on the way from `conf` (not joint) to `target`: the target itself if at most one voter differs,
 * as any two majorities then share a voter (thesis, 4.1); else the joint one. Also if the leader is to go: from there it
 * can hand its office to one that stays before it has no vote any more.
 */
export function nextConf(conf: ConfState, target: ConfTarget, leader: string): ConfState {
  const added = target.voters.filter((id) => !conf.voters.includes(id));
  const removed = conf.voters.filter((id) => !target.voters.includes(id));
  if (added.length + removed.length <= 1 && !removed.includes(leader))
    return noteRemoved(conf, simpleConf(target.voters, target.learners));
  const isOutgoing = (id: string): boolean => conf.voters.includes(id);
  return noteRemoved(conf, {
    voters: [...target.voters].sort(),
    votersOutgoing: [...conf.voters].sort(),
    // Nobody is voter and learner at once: who loses its vote is a learner only afterwards.
    learners: target.learners.filter((id) => !isOutgoing(id)).sort(),
    learnersNext: target.learners.filter(isOutgoing).sort(),
    removed: [],
  });
}

/** The end of a joint configuration: the new voters decide alone. */
export function confAfterJoint(conf: ConfState): ConfState {
  return noteRemoved(conf, simpleConf(conf.voters, [...conf.learners, ...conf.learnersNext]));
}

/** Outgoing voters are members still; who is taken in again hasn't left. */
function noteRemoved(before: ConfState, after: ConfState): ConfState {
  const members = new Set(allMembers(after));
  const removed = [...before.removed, ...allMembers(before)].filter((id) => !members.has(id));
  return { ...after, removed: removed.slice(-removedMax) };
}

/** The same members in the same places? */
export function equalConfs(a: ConfState, b: ConfState): boolean {
  const equal = (x: readonly string[], y: readonly string[]): boolean =>
    x.length === y.length && x.every((id, i) => id === y[i]);
  return (
    equal(a.voters, b.voters) &&
    equal(a.votersOutgoing, b.votersOutgoing) &&
    equal(a.learners, b.learners) &&
    equal(a.learnersNext, b.learnersNext)
  );
}

/** What is wrong with a wish, in words; null if nothing is. */
export function targetProblem({ voters, learners }: ConfTarget): string | null {
  if (voters.length === 0) return 'no voters';
  const all = [...voters, ...learners];
  if (all.includes('')) return 'an empty id';
  const twice = all.find((id, i) => all.indexOf(id) !== i);
  return twice === undefined ? null : `${twice} is named twice`;
}

/** First byte of a configuration in the log; another format gets another number. */
const formatVersion = 2;

/** The payload of a configuration entry: the whole configuration that holds once it is applied. */
export function encodeConfEntry(conf: ConfState): Uint8Array {
  const w = new ByteWriter(128).u8(formatVersion);
  encodeConf(w, conf);
  return w.finish();
}

/** @throws ByteFormatError */
export function decodeConfEntry(data: Uint8Array): ConfState {
  const r = new ByteReader(data);
  const version = r.u8();
  if (version !== formatVersion) throw new ByteFormatError(`configuration of format ${version}, not ${formatVersion}`);
  const conf = decodeConf(r);
  if (!r.atEnd) throw new ByteFormatError(`configuration ends at byte ${r.position} of ${data.length}`);
  return conf;
}

/** In messages, and for the disk. */
export function encodeConf(w: ByteWriter, conf: ConfState): void {
  for (const ids of [conf.voters, conf.votersOutgoing, conf.learners, conf.learnersNext, conf.removed]) {
    w.varint(ids.length);
    for (const id of ids) w.text(id);
  }
}

/** Reads what `encodeConf` wrote. @throws ByteFormatError */
export function decodeConf(r: ByteReader): ConfState {
  const list = (): string[] => {
    const ids: string[] = [];
    for (let left = r.varint(); left > 0; left--) ids.push(r.text());
    return ids;
  };
  return { voters: list(), votersOutgoing: list(), learners: list(), learnersNext: list(), removed: list() };
}
