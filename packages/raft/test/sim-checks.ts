import assert from 'node:assert/strict';
import { crc32c } from '@holdfast/model';
import type { ConfState, RaftEntry, RaftMessage, RaftStatus, RawNode, Restored } from '../src/index.ts';

/** A node as the checks see it: what its disk holds, and what it believes, unless it is down. */
export interface CheckedNode {
  readonly id: string;
  readonly disk: Restored;
  readonly raw: RawNode | null;
}

/** The number that a payload begins with; 0 for a leader's no-op. */
export function payloadId(data: Uint8Array): number {
  return data.length === 0 ? 0 : new DataView(data.buffer, data.byteOffset).getUint32(0);
}

/** Identity of an entry's content. */
export function contentId(entry: RaftEntry): number {
  return entry.kind === 'conf' ? crc32c(entry.data) : payloadId(entry.data);
}

/** Term of the entry at `index` on the disk; null if it isn't there. */
export function diskTermAt(disk: Restored, index: number): number | null {
  if (disk.snapshot?.index === index) return disk.snapshot.term;
  const first = disk.entries[0];
  return first === undefined ? null : (disk.entries[index - first.index]?.term ?? null);
}

/** What must hold at all times in all nodes together (paper, figure 3); told of every change, it remembers the past. */
export class ClusterChecks {
  readonly #leaders = new Map<number, string>();
  readonly #votes = new Map<string, string>();
  /** By `term/index`: payload and the term before. With each pair equal, whole prefixes are. */
  readonly #entries = new Map<string, string>();
  /** Term of each committed entry, by index; 0 at index 0. */
  readonly #committedTerms: number[] = [0];
  /** Term of whoever first counted it as committed, which may be long after its own. */
  readonly #committedIn: number[] = [0];
  readonly #appliedHashes: number[] = [0];
  readonly #terms = new Map<string, number>();
  readonly #checkedCommits = new Map<string, number>();
  /** Index of each proposal that was applied. */
  readonly #proposals = new Map<number, number>();
  elections = 0;

  get commit(): number {
    return this.#committedTerms.length - 1;
  }

  /** After each event at `node`. */
  afterEvent(node: CheckedNode, all: readonly CheckedNode[]): void {
    if (node.raw === null) return;
    const status = node.raw.status();
    assert.ok(status.term >= (this.#terms.get(node.id) ?? 0), `I15: term of ${node.id} fell to ${status.term}`);
    assert.ok(status.commit >= node.disk.hardState.commit, `I15: commit of ${node.id} is below what it persisted`);
    this.#terms.set(node.id, status.term);
    if (status.role === 'leader') this.#afterLeader(node.raw, status);
    this.#afterCommit(node.raw, status, all);
  }

  /** A node came back with what its disk held: it may have forgotten a term that it told nobody of. */
  afterRestart(node: CheckedNode): void {
    this.#terms.set(node.id, node.disk.hardState.term);
    this.#checkedCommits.set(node.id, 0);
  }

  afterPersist(entries: readonly RaftEntry[], disk: Restored): void {
    for (const entry of entries) {
      const before = diskTermAt(disk, entry.index - 1) ?? (entry.index === 1 ? 0 : null);
      if (before === null) continue;
      const key = `${entry.term}/${entry.index}`;
      const value = `${before} ${entry.kind} ${contentId(entry)}`;
      assert.equal(this.#entries.get(key) ?? value, value, `I12: two entries ${key}`);
      this.#entries.set(key, value);
    }
  }

  /** Before `message` leaves: all that it relies on is on disk (I16), and no vote is given twice (I17). */
  beforeSend(message: RaftMessage, disk: Restored): void {
    const { from, to, term, type } = message;
    if (type !== 'preVote' && !(type === 'preVoteReply' && message.granted)) {
      assert.ok(disk.hardState.term >= term, `I16: ${type} of ${from} in term ${term}, which is not on disk`);
    }
    if (type === 'vote') this.#afterVote(from, term, from, disk);
    if (type === 'voteReply' && message.granted) this.#afterVote(from, term, to, disk);
    if ((type === 'appendReply' && !message.reject) || type === 'snapshotReply') {
      // In a later term the log may have been cut again; the acknowledgement was true when its term ended.
      if (disk.hardState.term !== term) return;
      const held = disk.entries[disk.entries.length - 1]?.index ?? disk.snapshot?.index ?? 0;
      assert.ok(held >= message.index, `I16: ${from} acknowledged ${message.index}, its disk ends at ${held}`);
    }
  }

  /** However often a forwarded proposal is repeated by the network, it is in the log once. */
  afterApplyEntry(entry: RaftEntry): void {
    const payload = payloadId(entry.data);
    if (entry.kind !== 'data' || payload === 0) return;
    const known = this.#proposals.get(payload) ?? entry.index;
    assert.equal(entry.index, known, `proposal ${payload} was committed twice, at ${known} and ${entry.index}`);
    this.#proposals.set(payload, entry.index);
  }

  afterApply(id: string, index: number, hash: number): void {
    assert.ok(index <= this.commit, `${id} applied ${index}, which is not committed`);
    assert.equal(this.#appliedHashes[index] ?? hash, hash, `I14: ${id} applied something else at ${index}`);
    this.#appliedHashes[index] = hash;
  }

  #afterLeader(raw: RawNode, status: RaftStatus): void {
    const known = this.#leaders.get(status.term);
    assert.equal(known ?? status.id, status.id, `I11: two leaders in term ${status.term}`);
    if (known !== undefined) return;
    this.#leaders.set(status.term, status.id);
    this.elections++;
    for (let index = this.commit; index > 0; index--) {
      // Elected before that, and told of it late.
      if (this.#committedIn[index]! >= status.term) continue;
      const term = raw.termAt(index);
      if (term === null && index < status.lastIndex) break;
      assert.equal(term, this.#committedTerms[index], `I13: leader ${status.id} lacks committed entry ${index}`);
    }
  }

  #afterCommit(raw: RawNode, status: RaftStatus, all: readonly CheckedNode[]): void {
    const known = this.commit;
    for (let index = (this.#checkedCommits.get(status.id) ?? 0) + 1; index <= status.commit; index++) {
      const term = raw.termAt(index);
      if (term === null) {
        assert.ok(index <= this.commit, `${status.id} has a snapshot of uncommitted entry ${index}`);
      } else if (index <= this.commit) {
        assert.equal(term, this.#committedTerms[index], `I13: committed entry ${index} differs at ${status.id}`);
      } else {
        this.#committedTerms.push(term);
        this.#committedIn.push(status.term);
      }
    }
    const isNew = status.commit > known;
    this.#checkedCommits.set(status.id, status.commit);
    if (isNew) this.#assertOnQuorum(status.commit, status.conf, all);
  }

  /** `conf` is that of the leader which has just committed; a disk that was lost since counts with what it held. */
  #assertOnQuorum(index: number, conf: ConfState, all: readonly CheckedNode[]): void {
    const term = this.#committedTerms[index]!;
    const holders = new Set<string>();
    for (const { id, disk } of all) {
      if ((disk.snapshot?.index ?? 0) >= index || diskTermAt(disk, index) === term) holders.add(id);
    }
    // Counted here, not by the code that is under test.
    const isHeld = [conf.voters, conf.votersOutgoing].every(
      (group) => group.length === 0 || 2 * group.filter((voter) => holders.has(voter)).length > group.length,
    );
    assert.ok(isHeld, `I16: ${index} is committed, but only on ${[...holders]} of ${JSON.stringify(conf)}`);
  }

  #afterVote(voter: string, term: number, candidate: string, disk: Restored): void {
    const key = `${voter}/${term}`;
    assert.equal(this.#votes.get(key) ?? candidate, candidate, `I17: ${voter} voted twice in term ${term}`);
    this.#votes.set(key, candidate);
    if (disk.hardState.term === term) assert.equal(disk.hardState.vote, candidate, `I16: vote of ${voter} not on disk`);
  }
}
