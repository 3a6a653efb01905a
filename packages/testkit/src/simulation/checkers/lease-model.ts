import type { LeaseRecord, LeaseTable, SessionEndReason } from '@holdfast/lease';
import { formatUnit, type NodeId } from '@holdfast/model';
import type { Report } from './report.ts';

interface Lease {
  readonly session: number;
  readonly shard: number;
  readonly epoch: number;
}

interface Session {
  readonly nodeId: NodeId;
  /** Where its node said that it listens. */
  readonly address: string;
  closing: boolean;
}

/** How a session ended, and at which index. */
export interface SessionEnd {
  readonly index: number;
  readonly reason: SessionEndReason;
  readonly atMs: number;
}

/**
 * The rules of leases (docs/PROTOCOL.md 1, 2) once more, in plain maps and without regard to speed: what the shipped table
 * is compared with after each entry (I1: grants of a unit never overlap; I10: the log's order is the service's order).
 */
export class LeaseModel {
  base = -1;
  uncleanCount = 0;
  generation = 0;
  readonly units = new Map<string, Lease>();
  readonly sessions = new Map<number, Session>();
  readonly ended = new Map<number, SessionEnd>();
  /** Epochs of leases that were taken away by force. */
  readonly forced = new Set<string>();
  readonly #nodes = new Map<NodeId, { uuid: string; counter: number; session: number }>();
  readonly #partitions = new Map<string, (Lease | null)[]>();
  readonly #topics = new Map<string, string>();
  /** Stores that were the log's once; never again. */
  readonly #storesSeen = new Set<string>();
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  apply(record: LeaseRecord, index: number, atMs: number): void {
    const epoch = this.base + index;
    switch (record.kind) {
      case 'epochBase':
        if (this.base < 0) this.base = record.base;
        return;
      case 'sessionOpened': {
        const known = this.#nodes.get(record.nodeId);
        if (this.base < 0 || this.sessions.has(index)) return;
        if (known !== undefined && (known.uuid !== record.uuid || known.counter >= record.counter)) return;
        if (known !== undefined) this.#end(known.session, 'superseded', index, atMs);
        this.sessions.set(index, { nodeId: record.nodeId, address: record.addresses[0]!, closing: false });
        this.#nodes.set(record.nodeId, { uuid: record.uuid, counter: record.counter, session: index });
        return;
      }
      case 'sessionClosing': {
        const session = this.sessions.get(record.session);
        if (session !== undefined) session.closing = true;
        return;
      }
      case 'sessionEnded':
        this.#end(record.session, record.reason, index, atMs);
        return;
      case 'granted':
        if (!this.#mayReceive(record.session)) return;
        forUnits(record.units, (unit) => {
          if (!this.units.has(unit)) this.units.set(unit, { session: record.session, shard: record.shard, epoch });
        });
        return;
      case 'released':
        forUnits(record.units, (unit, i) => {
          if (this.units.get(unit)?.epoch === record.epochs[i]) this.units.delete(unit);
        });
        return;
      case 'moved':
        if (!this.#mayReceive(record.toSession)) return;
        forUnits(record.units, (unit, i) => {
          if (this.units.get(unit)?.epoch !== record.fromEpochs[i]) return;
          this.units.set(unit, { session: record.toSession, shard: record.toShard, epoch });
        });
        return;
      case 'forceReleased': {
        const unit = unitKey(record.hi, record.lo);
        if (this.units.get(unit)?.epoch !== record.epoch) return;
        this.units.delete(unit);
        this.forced.add(`${unit}/${record.epoch}`);
        this.uncleanCount++;
        return;
      }
      case 'topicSet': {
        const old = this.#topics.get(record.topic);
        if (old !== undefined && old !== record.topicId) this.#partitions.delete(old);
        this.#topics.set(record.topic, record.topicId);
        const leases = this.#partitions.get(record.topicId) ?? [];
        while (leases.length < record.partitions) leases.push(null);
        this.#partitions.set(record.topicId, leases);
        return;
      }
      case 'topicRemoved':
        this.#partitions.delete(record.topicId);
        return;
      case 'partitionGranted': {
        const leases = this.#partitions.get(record.topicId);
        const lease = leases?.[record.partition];
        if (leases === undefined || lease === undefined || !this.#mayReceive(record.session)) return;
        if (lease !== null && lease.epoch !== record.fromEpoch) return;
        leases[record.partition] = { session: record.session, shard: record.shard, epoch };
        return;
      }
      case 'partitionReleased': {
        const leases = this.#partitions.get(record.topicId);
        if (leases?.[record.partition]?.epoch === record.epoch) leases[record.partition] = null;
        return;
      }
      case 'generationChanged':
        if (record.number !== this.generation + 1 || this.#storesSeen.has(record.storeGeneration)) return;
        this.generation = record.number;
        this.#storesSeen.add(record.storeGeneration);
        if (!record.continues) for (const id of [...this.sessions.keys()]) this.#end(id, 'storeReplaced', index, atMs);
        return;
      case 'nodeForgotten':
        if (this.#nodes.get(record.nodeId)?.session === 0) this.#nodes.delete(record.nodeId);
        return;
      case 'nodeDraining':
        // Only the leader's decisions look at it.
        return;
    }
  }

  /** After all records of the entry at `index`. */
  compare(table: LeaseTable, index: number): void {
    const differs = (what: string): void =>
      this.#report(`I1: after entry ${index} the table has other ${what} than the rules give`);
    let count = 0;
    table.visitUnits((hi, lo, session, shard, grantIndex) => {
      count++;
      const lease = this.units.get(unitKey(hi, lo));
      const isSame = lease?.session === session && lease.shard === shard && lease.epoch === this.base + grantIndex;
      if (!isSame) differs(`leases of unit ${unitKey(hi, lo)}`);
    });
    if (count !== this.units.size) differs('units');
    const sessions = [...table.sessions()];
    if (sessions.length !== this.sessions.size) differs('sessions');
    for (const { session, closing } of sessions)
      if (this.sessions.get(session)?.closing !== closing) differs(`session ${session}`);
    for (const [topicId, leases] of this.#partitions) {
      for (const [partition, lease] of table.partitionLeases(topicId as never).entries()) {
        const own = leases[partition];
        if (own?.session !== lease?.session || own?.shard !== lease?.shard || own?.epoch !== lease?.epoch) {
          differs(`reader of partition ${partition}`);
        }
      }
    }
    if (table.uncleanCount !== this.uncleanCount) differs('unclean ends');
    if (table.generation !== this.generation) differs('generation');
  }

  #mayReceive(session: number): boolean {
    return this.sessions.get(session)?.closing === false;
  }

  #end(session: number, reason: SessionEndReason, index: number, atMs: number): void {
    const ended = this.sessions.get(session);
    if (ended === undefined) return;
    this.sessions.delete(session);
    this.ended.set(session, { index, reason, atMs });
    if (reason !== 'clean') this.uncleanCount++;
    for (const [unit, lease] of this.units) if (lease.session === session) this.units.delete(unit);
    for (const leases of this.#partitions.values()) {
      for (const [i, lease] of leases.entries()) if (lease?.session === session) leases[i] = null;
    }
    const node = this.#nodes.get(ended.nodeId);
    if (node?.session === session) node.session = 0;
  }
}

export const unitKey = formatUnit;

function forUnits(units: Uint32Array, visit: (unit: string, i: number) => void): void {
  for (let i = 0; i < units.length; i += 2) visit(unitKey(units[i]!, units[i + 1]!), i / 2);
}
