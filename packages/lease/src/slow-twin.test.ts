import { type Rng, randomBelow } from '@holdfast/model';
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

const idOf = (hi: number, lo: number) => `${hi >>> 0}:${lo >>> 0}`;

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
    const ends = this.crashes.filter((crash) => crash.startsWith(`${id} `)).map(endOf);
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
    crashes: table.quarantine.crashes.map(
      (c) => `${idOf(c.hi, c.lo)} ${c.topicId}/${c.partition}@${c.offset} ${c.nodeId}#${c.counter}`,
    ),
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

/** Few distinct homes, so that probes meet; among them the all-zero and the all-ones unit. */
export function randomUnit(rng: Rng, distinct: number): [number, number] {
  const n = randomBelow(rng, distinct);
  if (n === 0) return [0, 0];
  if (n === 1) return [0xffff_ffff, 0xffff_ffff];
  return [Math.imul(n & 31, 0x9e37_79b9) >>> 0, (n * 0x0100_0193) >>> 0];
}

/** A record that may well be void: sessions, epochs and numbers are taken from the twin most of the time. */
export function randomRecord(rng: Rng, twin: SlowTwin, distinct: number): LeaseRecord {
  const pick = <T>(list: readonly T[]): T | undefined => list[randomBelow(rng, Math.max(1, list.length))];
  const session = () =>
    (randomBelow(rng, 12) === 0 ? randomBelow(rng, 100) : (pick([...twin.sessions.keys()]) ?? 1)) as never;
  const shard = () => randomBelow(rng, 4) as never;
  const epochOf = (lease: TwinLease | null | undefined) =>
    (lease && randomBelow(rng, 8) > 0
      ? lease.epoch
      : randomBelow(rng, 3) === 0
        ? 0
        : twin.base + randomBelow(rng, 300)) as never;
  const units = (count: number) => {
    const out = new Uint32Array(count * 2);
    for (let i = 0; i < count; i++) out.set(randomUnit(rng, distinct), 2 * i);
    return out;
  };
  const epochsOf = (list: Uint32Array) => {
    const out = new Float64Array(list.length / 2);
    for (let i = 0; i < out.length; i++)
      out[i] = Math.max(0, epochOf(twin.units.get(idOf(list[2 * i]!, list[2 * i + 1]!))));
    return out;
  };
  const topicId = (pick([...twin.topics.keys()]) ?? 't0') as never;
  const partition = randomBelow(rng, 5);
  const partitionEpoch = () => Math.max(0, epochOf(twin.topics.get(topicId)?.leases[partition])) as never;
  const dice = randomBelow(rng, 100);
  if (dice < 8) {
    const nodeId = `n${randomBelow(rng, 5)}` as never;
    const uuid = `u-${nodeId}-${randomBelow(rng, 10) === 0 ? 1 : 0}`;
    const counter = (twin.nodes.get(nodeId)?.counter ?? 0) + randomBelow(rng, 3);
    return {
      kind: 'sessionOpened',
      nodeId,
      uuid,
      counter,
      shards: randomBelow(rng, 5),
      addresses: ['a:1', 'b:2'],
      version: '1',
    };
  }
  if (dice < 10) return { kind: 'sessionClosing', session: session() };
  if (dice < 14) {
    return { kind: 'sessionEnded', session: session(), reason: pick(['clean', 'expired', 'gone'] as const)! };
  }
  if (dice < 44)
    return { kind: 'granted', session: session(), shard: shard(), units: units(randomBelow(rng, distinct / 4)) };
  if (dice < 58) {
    const list = units(randomBelow(rng, distinct / 8));
    return { kind: 'released', units: list, epochs: epochsOf(list) };
  }
  if (dice < 70) {
    const list = units(randomBelow(rng, distinct / 8));
    return { kind: 'moved', units: list, fromEpochs: epochsOf(list), toSession: session(), toShard: shard() };
  }
  if (dice === 73) return randomQuarantine(rng, distinct);
  if (dice < 74) {
    const [hi, lo] = randomUnit(rng, distinct);
    return { kind: 'forceReleased', hi, lo, epoch: epochOf(twin.units.get(idOf(hi, lo))) };
  }
  if (dice < 79) {
    const topic = `topic${randomBelow(rng, 3)}`;
    return { kind: 'topicSet', topic, topicId: `t${randomBelow(rng, 5)}` as never, partitions: randomBelow(rng, 6) };
  }
  if (dice < 80) return { kind: 'topicRemoved', topicId };
  if (dice < 90) {
    return {
      kind: 'partitionGranted',
      topicId,
      partition,
      session: session(),
      shard: shard(),
      fromEpoch: partitionEpoch(),
    };
  }
  if (dice < 93) return { kind: 'partitionReleased', topicId, partition, epoch: partitionEpoch() };
  if (dice < 96)
    return {
      kind: 'generationChanged',
      storeGeneration: `g${dice}`,
      number: twin.generation + randomBelow(rng, 3),
      continues: randomBelow(rng, 2) === 0,
    };
  const nodeId = `n${randomBelow(rng, 5)}` as never;
  if (dice < 97) return { kind: 'nodeForgotten', nodeId };
  if (dice < 99) return { kind: 'nodeDraining', nodeId, draining: randomBelow(rng, 2) === 0 };
  return { kind: 'epochBase', base: randomBelow(rng, 1000) };
}

function randomQuarantine(rng: Rng, distinct: number): LeaseRecord {
  const [hi, lo] = randomUnit(rng, Math.min(distinct, 6));
  const position = { topicId: 't0' as never, partition: randomBelow(rng, 2), offset: randomBelow(rng, 3) };
  const dice = randomBelow(rng, 6);
  if (dice < 4) {
    const nodeId = `n${randomBelow(rng, 3)}` as never;
    return { kind: 'unitCrashed', hi, lo, ...position, nodeId, counter: 1 + randomBelow(rng, 4) };
  }
  if (dice === 4) return { kind: 'unitQuarantined', hi, lo };
  return { kind: 'quarantineLifted', hi, lo, before: [position] };
}
