import { crc32c, SeededRng } from '@holdfast/model';
import {
  emptyRestored,
  type InstallSnapshot,
  type RaftEntry,
  type RaftMessage,
  type RaftOptions,
  RawNode,
  type ReadState,
  type Ready,
  type Restored,
  type Snapshot,
} from '../src/index.ts';

/** An entry whose payload is its own index, or a no-op. */
export function entry(term: number, index: number, isNoOp = false): RaftEntry {
  return { term, index, kind: 'data', data: isNoOp ? new Uint8Array(0) : Uint8Array.of(index) };
}

/** A disk with entries of the given terms from index 1 on. */
export function diskWith(terms: readonly number[], hardState: Partial<Restored['hardState']> = {}): Restored {
  const entries = terms.map((term, i) => entry(term, i + 1));
  return {
    hardState: { term: terms[terms.length - 1] ?? 0, vote: null, commit: 0, ...hardState },
    snapshot: null,
    entries,
  };
}

/** Node `a` of `a, b, c` unless said otherwise; election timeout 10, heartbeat 1. */
export function newNode(options: Partial<RaftOptions> = {}): RawNode {
  return new RawNode({
    id: 'a',
    voters: ['a', 'b', 'c'],
    electionTimeoutTicks: 10,
    heartbeatTicks: 1,
    rng: new SeededRng(7),
    appendBytesMax: 1000,
    inflightMessagesMax: 8,
    uncommittedBytesMax: 10_000,
    preVote: true,
    checkQuorum: true,
    restored: emptyRestored,
    ...options,
  });
}

/** All that a node has to do, done at once, until nothing is left. Returns what it sent. */
export function settle(node: RawNode, seen: (ready: Ready) => void = () => {}): RaftMessage[] {
  const sent: RaftMessage[] = [];
  while (node.hasReady()) {
    const ready = node.ready();
    sent.push(...ready.promptMessages, ...ready.messages);
    seen(ready);
    node.advance(ready);
  }
  return sent;
}

/** All of a snapshot in one piece, as a leader would send it. */
export function wholeSnapshot(from: string, to: string, term: number, snapshot: Snapshot): InstallSnapshot {
  const { index, term: snapshotTerm, conf, data } = snapshot;
  const sum = crc32c(data, crc32c(new Uint8Array(0)));
  return { type: 'snapshot', from, to, term, index, snapshotTerm, conf, bytes: data.length, offset: 0, data, sum };
}

/** The sent messages of one type. */
export function ofType<Type extends RaftMessage['type']>(
  messages: readonly RaftMessage[],
  type: Type,
): Extract<RaftMessage, { type: Type }>[] {
  return messages.filter((m): m is Extract<RaftMessage, { type: Type }> => m.type === type);
}

/** Voters joined by a network without faults, but for links that the test cuts. */
export class Network {
  readonly nodes = new Map<string, RawNode>();
  readonly applied = new Map<string, RaftEntry[]>();
  readonly reads = new Map<string, ReadState[]>();
  readonly delivered: RaftMessage[] = [];
  /** Nodes that neither hear nor are heard. */
  readonly cut = new Set<string>();
  /** Messages for which this is true are lost. */
  isLost: (m: RaftMessage) => boolean = () => false;
  onReady: (id: string, ready: Ready) => void = () => {};

  constructor(ids: readonly string[], options: Partial<RaftOptions> = {}, disks: Record<string, Restored> = {}) {
    ids.forEach((id, i) => {
      const restored = disks[id] ?? emptyRestored;
      this.nodes.set(id, newNode({ voters: ids, rng: new SeededRng(i), restored, ...options, id }));
      this.applied.set(id, []);
      this.reads.set(id, []);
    });
  }

  /** A node that knows nobody yet. */
  join(id: string): void {
    this.nodes.set(id, newNode({ id, voters: [], rng: new SeededRng(id.charCodeAt(0)) }));
    this.applied.set(id, []);
    this.reads.set(id, []);
  }

  node(id: string): RawNode {
    return this.nodes.get(id)!;
  }

  /** Lets all nodes work until nobody has anything to do. */
  run(): void {
    for (let isBusy = true; isBusy; ) {
      isBusy = false;
      for (const [id, node] of this.nodes) {
        const sent = settle(node, (ready) => {
          isBusy = true;
          this.onReady(id, ready);
          this.applied.get(id)!.push(...ready.committedEntries);
          this.reads.get(id)!.push(...ready.readStates);
        });
        for (const m of sent) {
          if (this.cut.has(m.from) || this.cut.has(m.to) || this.isLost(m)) continue;
          this.delivered.push(m);
          this.nodes.get(m.to)?.step(m);
        }
      }
    }
  }

  tick(count = 1, ids: Iterable<string> = this.nodes.keys()): void {
    const ticking = [...ids];
    for (let i = 0; i < count; i++) {
      for (const id of ticking) this.node(id).tick();
      this.run();
    }
  }

  /** Makes `id` the leader. */
  elect(id: string): void {
    this.node(id).campaign();
    this.run();
  }

  leaders(): string[] {
    return [...this.nodes].filter(([, node]) => node.status().role === 'leader').map(([id]) => id);
  }
}
