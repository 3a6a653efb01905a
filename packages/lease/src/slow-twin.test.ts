import type { LeaseTable } from './lease-table.ts';
import type { LeaseRecord, PartitionEnd } from './records.ts';

/* The obvious, slow lease table that the real one is compared with, and random records for both. */

interface TwinLease {
  session: number;
  shard: number;
  epoch: number;
}
interface TwinSession {
  nodeId: string;
  shards: number;
  closing: boolean;
}

export const idOf = (hi: number, lo: number) => `${hi >>> 0}:${lo >>> 0}`;

export class SlowTwin {
  base = -1;
  unclean = 0;
  uncleanIndex = 0;
  forced = 0;
  generation = 0;
  generationIndex = 0;
  readonly storesSeen = new Set<string>();
  units = new Map<string, TwinLease>();
  sessions = new Map<number, TwinSession>();
  nodes = new Map<string, { uuid: string; counter: number; session: number; draining: boolean }>();
  crashes: string[] = [];
  quarantine = new Map<string, string>();
  topics = new Map<string, { topic: string; leases: (TwinLease | null)[]; startPartitions: number }>();
  #granted = 0;
  #blocked = 0;

  /** Returns [units changed, units voided, sessions ended, partitions changed]. */
  replay(r: LeaseRecord, index: number): [number, number, number, number] {
    const epoch = this.base + index;
    const canGrant = (session: number, shard: number) => {
      const s = this.sessions.get(session);
      return s !== undefined && !s.closing && shard < s.shards && this.#blocked !== index;
    };
    switch (r.kind) {
      case 'epochBase':
        if (this.base < 0) this.base = r.base;
        return [0, 0, 0, 0];
      case 'sessionOpened': {
        const known = this.nodes.get(r.nodeId);
        if (this.base < 0 || r.shards < 1 || this.sessions.has(index)) return [0, 0, 0, 0];
        if (known && (known.uuid !== r.uuid || known.counter >= r.counter)) return [0, 0, 0, 0];
        const ended = known && this.sessions.has(known.session) ? this.#end(known.session, index, true) : null;
        const draining = known?.draining ?? false;
        this.nodes.set(r.nodeId, { uuid: r.uuid, counter: r.counter, session: index, draining });
        this.sessions.set(index, { nodeId: r.nodeId, shards: r.shards, closing: false });
        return [0, 0, ended === null ? 0 : 1, ended ?? 0];
      }
      case 'sessionClosing': {
        const s = this.sessions.get(r.session);
        if (s) s.closing = true;
        return [0, 0, 0, 0];
      }
      case 'sessionEnded':
        if (!this.sessions.has(r.session)) return [0, 0, 0, 0];
        return [0, 0, 1, this.#end(r.session, index, r.reason !== 'clean')];
      case 'granted': {
        let n = 0;
        const count = r.units.length / 2;
        if (!canGrant(r.session, r.shard)) return [0, count, 0, 0];
        for (let i = 0; i < count; i++) {
          const id = idOf(r.units[2 * i]!, r.units[2 * i + 1]!);
          if (this.units.has(id)) continue;
          this.units.set(id, { session: r.session, shard: r.shard, epoch });
          n++;
        }
        if (n > 0) this.#granted = index;
        return [n, count - n, 0, 0];
      }
      case 'released':
      case 'moved': {
        let n = 0;
        const epochs = r.kind === 'moved' ? r.fromEpochs : r.epochs;
        if (r.kind === 'moved' && !canGrant(r.toSession, r.toShard)) return [0, epochs.length, 0, 0];
        for (let i = 0; i < epochs.length; i++) {
          const id = idOf(r.units[2 * i]!, r.units[2 * i + 1]!);
          const lease = this.units.get(id);
          if (!lease || lease.epoch !== epochs[i] || lease.epoch === epoch) continue;
          if (r.kind === 'moved') this.units.set(id, { session: r.toSession, shard: r.toShard, epoch });
          else this.units.delete(id);
          n++;
        }
        if (n > 0 && r.kind === 'moved') this.#granted = index;
        return [n, epochs.length - n, 0, 0];
      }
      case 'forceReleased': {
        const lease = this.units.get(idOf(r.hi, r.lo));
        if (!lease || lease.epoch !== r.epoch || lease.epoch === epoch) return [0, 1, 0, 0];
        this.units.delete(idOf(r.hi, r.lo));
        this.forced++;
        this.unclean++;
        this.uncleanIndex = index;
        return [1, 0, 0, 0];
      }
      case 'topicSet': {
        const own = this.topics.get(r.topicId);
        if (r.partitions < 1 || (own && (own.topic !== r.topic || own.leases.length >= r.partitions)))
          return [0, 0, 0, 0];
        let changed = 0;
        let startPartitions = own?.startPartitions ?? (this.base > 0 ? 0 : r.partitions);
        for (const [id, other] of this.topics) {
          if (id === r.topicId || other.topic !== r.topic) continue;
          startPartitions = 0;
          changed += this.#removeTopic(id, index);
        }
        const leases = own?.leases ?? [];
        while (leases.length < r.partitions) leases.push(null);
        this.topics.set(r.topicId, { topic: r.topic, leases, startPartitions });
        return [0, 0, 0, changed];
      }
      case 'topicRemoved':
        return [0, 0, 0, this.topics.has(r.topicId) ? this.#removeTopic(r.topicId, index) : 0];
      case 'partitionGranted': {
        const leases = this.topics.get(r.topicId)?.leases;
        if (!leases || r.partition >= leases.length || !canGrant(r.session, r.shard)) return [0, 0, 0, 0];
        const lease = leases[r.partition];
        if (lease && (lease.epoch !== r.fromEpoch || lease.epoch === epoch)) return [0, 0, 0, 0];
        leases[r.partition] = { session: r.session, shard: r.shard, epoch };
        this.#granted = index;
        return [0, 0, 0, 1];
      }
      case 'partitionReleased': {
        const leases = this.topics.get(r.topicId)?.leases;
        const lease = leases?.[r.partition];
        if (!leases || !lease || lease.epoch !== r.epoch || lease.epoch === epoch) return [0, 0, 0, 0];
        leases[r.partition] = null;
        return [0, 0, 0, 1];
      }
      case 'generationChanged': {
        if (r.number !== this.generation + 1 || this.storesSeen.has(r.storeGeneration)) return [0, 0, 0, 0];
        this.storesSeen.add(r.storeGeneration);
        this.generation++;
        this.generationIndex = index;
        const over = r.continues ? [] : [...this.sessions.keys()];
        const partitions = over.reduce((sum, session) => sum + this.#end(session, index, true), 0);
        return [0, 0, over.length, partitions];
      }
      case 'nodeForgotten':
        if (!this.sessions.has(this.nodes.get(r.nodeId)?.session ?? 0)) this.nodes.delete(r.nodeId);
        return [0, 0, 0, 0];
      case 'nodeDraining': {
        const node = this.nodes.get(r.nodeId);
        if (node) this.nodes.set(r.nodeId, { ...node, draining: r.draining });
        return [0, 0, 0, 0];
      }
      case 'unitCrashed': {
        const id = idOf(r.hi, r.lo);
        // One record is one unit's.
        const where = `${r.topicId}/${r.partition}@${r.offset} ${r.nodeId}#${r.counter}`;
        const isKnown = this.crashes.some((crash) => crash.endsWith(` ${where}`));
        if (this.quarantine.get(id) !== 'all' && !isKnown) this.crashes.push(`${id} ${where}`);
        return [0, 0, 0, 0];
      }
      case 'frameCrashed': {
        const crash = `any ${r.topicId}/${r.partition}@${r.first}-${r.last} ${r.nodeId}#${r.counter}`;
        if (!this.crashes.includes(crash)) this.crashes.push(crash);
        return [0, 0, 0, 0];
      }
      case 'unitQuarantined':
        this.#setQuarantine(r, 'all', (now) => now !== 'all');
        return [0, 0, 0, 0];
      case 'quarantineLifted':
        this.#setQuarantine(r, r.before.map(showEnd).join(), (now) => now === 'all');
        return [0, 0, 0, 0];
    }
  }

  /** The whole state, in a form that compares. */
  view(): unknown {
    const { base, unclean, uncleanIndex, forced, generation, generationIndex } = this;
    return {
      marks: { base, unclean, uncleanIndex, forced, generation, generationIndex },
      units: [...this.units].map(([id, l]) => `${id} ${l.session} ${l.shard} ${l.epoch}`).sort(),
      sessions: [...this.sessions].map(([id, s]) => `${id} ${s.nodeId} ${s.shards} ${s.closing}`).sort(),
      nodes: [...this.nodes]
        .map(([id, n]) => `${id} ${n.uuid} ${n.counter} ${this.sessions.has(n.session) ? n.session : 0} ${n.draining}`)
        .sort(),
      crashes: this.crashes,
      quarantine: [...this.quarantine].map(([id, what]) => `${id} ${what}`).sort(),
      topics: [...this.topics]
        .map(([id, t]) => `${id} ${t.topic} ${t.startPartitions} ${t.leases.map(showLease)}`)
        .sort(),
      loads: [...this.sessions]
        .flatMap(([id, s]) =>
          Array.from({ length: s.shards }, (_, shard) => {
            const units = [...this.units.values()].filter((l) => l.session === id && l.shard === shard).length;
            return `${id}/${shard} ${units}`;
          }),
        )
        .sort(),
    };
  }

  #setQuarantine(r: { hi: number; lo: number }, to: string, isMeant: (now: string | undefined) => boolean): void {
    const id = idOf(r.hi, r.lo);
    if (!isMeant(this.quarantine.get(id))) return;
    this.quarantine.set(id, to);
    if (to !== 'all') return;
    const endOf = (crash: string) => crash.split(' ').at(-1);
    const named = this.crashes.filter((crash) => crash.startsWith(`${id} `)).map((crash) => crash.split(' ')[1]!);
    const mayBe = (crash: string) => named.some((record) => isIn(record, crash.split(' ')[1]!));
    const ends = this.crashes.filter(mayBe).map(endOf);
    this.crashes = this.crashes.filter((crash) => !ends.includes(endOf(crash)));
  }

  #end(session: number, index: number, unclean: boolean): number {
    this.#noteEnd(index);
    if (unclean) {
      this.unclean++;
      this.uncleanIndex = index;
    }
    for (const [id, lease] of this.units) if (lease.session === session) this.units.delete(id);
    let partitions = 0;
    for (const { leases } of this.topics.values()) {
      for (const [i, lease] of leases.entries()) {
        if (lease?.session !== session) continue;
        leases[i] = null;
        partitions++;
      }
    }
    this.sessions.delete(session);
    return partitions;
  }

  #removeTopic(id: string, index: number): number {
    this.#noteEnd(index);
    const held = this.topics.get(id)!.leases.filter((lease) => lease !== null).length;
    this.topics.delete(id);
    return held;
  }

  #noteEnd(index: number): void {
    if (this.#granted === index) this.#blocked = index;
  }
}

const showEnd = (end: PartitionEnd) => `${end.topicId}/${end.partition}@${end.offset}`;
const showLease = (l: { session: number; shard: number; epoch: number } | null) =>
  l === null ? '-' : `${l.session}/${l.shard}@${l.epoch}`;

/** The real table's state in the twin's form. */
export function viewOf(table: LeaseTable): unknown {
  const units: string[] = [];
  table.visitUnits((hi, lo, session, shard, index) => {
    units.push(`${idOf(hi, lo)} ${session} ${shard} ${table.epochBase + index}`);
  });
  return {
    marks: {
      base: table.epochBase,
      unclean: table.uncleanCount,
      uncleanIndex: table.uncleanIndex,
      forced: table.forcedCount,
      generation: table.generation,
      generationIndex: table.generationIndex,
    },
    units: units.sort(),
    sessions: [...table.sessions()].map((s) => `${s.session} ${s.nodeId} ${s.shards} ${s.closing}`).sort(),
    nodes: [...table.nodes()].map((n) => `${n.nodeId} ${n.uuid} ${n.counter} ${n.session} ${n.draining}`).sort(),
    crashes: table.quarantine.crashes.map((c) => {
      const unit = c.kind === 'unitCrashed' ? idOf(c.hi, c.lo) : 'any';
      const offsets = c.kind === 'unitCrashed' ? c.offset : `${c.first}-${c.last}`;
      return `${unit} ${c.topicId}/${c.partition}@${offsets} ${c.nodeId}#${c.counter}`;
    }),
    quarantine: table.quarantine.units
      .map(({ hi, lo, before }) => `${idOf(hi, lo)} ${before === null ? 'all' : before.list().map(showEnd).join()}`)
      .sort(),
    topics: [...table.topics()]
      .map((t) => `${t.topicId} ${t.topic} ${t.startPartitions} ${table.partitionLeases(t.topicId).map(showLease)}`)
      .sort(),
    loads: table
      .loads()
      .map((l) => `${l.session}/${l.shard} ${l.units}`)
      .sort(),
  };
}

/** `topic/partition@offset` is, or lies in, `topic/partition@first-last`. */
function isIn(record: string, where: string): boolean {
  const [[partition, offset], [other, range]] = [record.split('@'), where.split('@')] as [string[], string[]];
  if (partition !== other) return false;
  const [first, last = first] = range!.split('-').map(Number);
  return Number(offset) >= first! && Number(offset) <= last!;
}
