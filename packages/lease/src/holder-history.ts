import type { SessionId, ShardIndex } from '@holdfast/model';
import type { SessionEndReason } from './records.ts';

/** How a holder came to a unit, or left it. */
export const holderChangeKinds = ['granted', 'moved', 'released', 'forced'] as const;
export type HolderChangeKind = (typeof holderChangeKinds)[number];

/** One change of a unit's lease; `nodeId` null: by a session (0: that too is forgotten) that began before all that is known. */
export interface HolderChange {
  readonly kind: HolderChangeKind | SessionEndReason;
  readonly session: SessionId;
  readonly shard: ShardIndex;
  readonly nodeId: string | null;
  /** Raft index of the entry that made it so. */
  readonly index: number;
  /** When this node applied it; null: before it started. */
  readonly atUnixMs: number | null;
}

interface KnownSession {
  readonly nodeId: string;
  end: { readonly reason: SessionEndReason; readonly index: number; readonly atUnixMs: number | null } | null;
}

const defaultChangesMax = 65_536;
const sessionsMax = 4_096;
const noTime = -1;

/**
 * Who held which unit, as far as one node remembers: the last changes of all units together, the oldest forgotten first.
 * No part of the replicated state: after a restart it begins with the entries that the log still has. Written by replay.
 */
export class HolderHistory {
  readonly #changesMax: number;
  readonly #hi: Uint32Array;
  readonly #lo: Uint32Array;
  readonly #index: Float64Array;
  readonly #session: Float64Array;
  readonly #atUnixMs: Float64Array;
  readonly #shardAndKind: Uint32Array;
  readonly #sessions = new Map<number, KnownSession>();
  #count = 0;
  /** Wall time of what is noted from now on; null: not known. Set by who applies entries. */
  nowUnixMs: number | null = null;

  constructor(changesMax = defaultChangesMax) {
    this.#changesMax = changesMax;
    this.#hi = new Uint32Array(changesMax);
    this.#lo = new Uint32Array(changesMax);
    this.#index = new Float64Array(changesMax);
    this.#session = new Float64Array(changesMax);
    this.#atUnixMs = new Float64Array(changesMax);
    this.#shardAndKind = new Uint32Array(changesMax);
  }

  /** Changes noted so far, forgotten ones included. */
  get count(): number {
    return this.#count;
  }

  /** The shard holds the unit from now on. */
  note(kind: 'granted' | 'moved', hi: number, lo: number, session: number, shard: number, index: number): void {
    this.#add(kind, hi, lo, session, shard, index);
  }

  /** Whoever held the unit doesn't any more. */
  left(kind: 'released' | 'forced', hi: number, lo: number, index: number): void {
    this.#add(kind, hi, lo, 0, 0, index);
  }

  #add(kind: HolderChangeKind, hi: number, lo: number, session: number, shard: number, index: number): void {
    const at = this.#count++ % this.#changesMax;
    this.#hi[at] = hi;
    this.#lo[at] = lo;
    this.#index[at] = index;
    this.#session[at] = session;
    this.#atUnixMs[at] = this.nowUnixMs ?? noTime;
    this.#shardAndKind[at] = shard * holderChangeKinds.length + holderChangeKinds.indexOf(kind);
  }

  sessionOpened(session: number, nodeId: string): void {
    this.#sessions.set(session, { nodeId, end: null });
    if (this.#sessions.size <= sessionsMax) return;
    for (const [old, { end }] of this.#sessions) {
      if (end === null && this.#sessions.size <= 2 * sessionsMax) continue;
      this.#sessions.delete(old);
      return;
    }
  }

  sessionEnded(session: number, nodeId: string, reason: SessionEndReason, index: number): void {
    this.#sessions.set(session, { nodeId, end: { reason, index, atUnixMs: this.nowUnixMs } });
  }

  /** The last `max` changes of a unit that are remembered, oldest first; the end of its holder's session is one. */
  of(hi: number, lo: number, max: number): HolderChange[] {
    const changes: HolderChange[] = [];
    const oldest = Math.max(0, this.#count - this.#changesMax);
    for (let n = this.#count - 1; n >= oldest && changes.length < max; n--) {
      const at = n % this.#changesMax;
      if (this.#lo[at] !== lo >>> 0 || this.#hi[at] !== hi >>> 0) continue;
      const change = this.#changeAt(at);
      const end = this.#sessions.get(change.session)?.end ?? null;
      const isHolding = change.kind === 'granted' || change.kind === 'moved';
      const endsBefore = changes[changes.length - 1]?.index ?? Number.POSITIVE_INFINITY;
      if (isHolding && end !== null && end.index < endsBefore) {
        changes.push({ ...change, kind: end.reason, index: end.index, atUnixMs: end.atUnixMs });
      }
      changes.push(change);
    }
    const known = changes.slice(0, max).reverse();
    // Who left is who came before.
    return known.map((change, i) => {
      const before = known[i - 1];
      if (change.session !== 0 || before === undefined) return change;
      return { ...change, session: before.session, shard: before.shard, nodeId: before.nodeId };
    });
  }

  #changeAt(at: number): HolderChange {
    const session = this.#session[at]! as SessionId;
    const packed = this.#shardAndKind[at]!;
    const atUnixMs = this.#atUnixMs[at]!;
    return {
      kind: holderChangeKinds[packed % holderChangeKinds.length]!,
      session,
      shard: Math.floor(packed / holderChangeKinds.length) as ShardIndex,
      nodeId: this.#sessions.get(session)?.nodeId ?? null,
      index: this.#index[at]!,
      atUnixMs: atUnixMs === noTime ? null : atUnixMs,
    };
  }
}
