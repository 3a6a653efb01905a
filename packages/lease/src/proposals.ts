import { type NodeId, partitionKey, type SessionId, type ShardIndex, type TopicId, UnitMap } from '@holdfast/model';
import type { Incarnation, LeaseRecord } from './records.ts';

interface Target {
  readonly session: SessionId;
  readonly shard: ShardIndex;
  units: number;
}

/**
 * The leader's own records that are proposed, but not applied yet: `decide` sees them, so that it never asks twice.
 * Only a matter of waste: what it misses (records of an earlier leader) `replay` makes void.
 */
export class Proposals {
  /** unit -> number of its target */
  readonly #units = new UnitMap();
  /** 0 is nobody: a release */
  readonly #targets: Target[] = [{ session: 0 as SessionId, shard: 0 as ShardIndex, units: 0 }];
  readonly #targetNumbers = new Map<string, number>();
  readonly #opening = new Map<NodeId, Incarnation>();
  readonly #ending = new Set<SessionId>();
  readonly #closing = new Set<SessionId>();
  readonly #topics = new Map<string, { readonly topicId: TopicId; readonly partitions: number }>();
  readonly #partitions = new Map<string, { readonly session: SessionId; readonly shard: ShardIndex } | null>();
  readonly #moves = new Set<string>();
  /** By node, in their order: to drain, or to take back. */
  readonly #draining = new Map<NodeId, boolean[]>();
  readonly #quarantining = new UnitMap(16);
  #base = false;
  #generation = 0;
  #grants = 0;

  get founding(): boolean {
    return this.#base;
  }

  /** Number of the generation on its way, 0 if none. */
  get generation(): number {
    return this.#generation;
  }

  /** Moves of partitions on their way. */
  get partitionMoves(): number {
    return this.#moves.size;
  }

  /** Units on their way to somebody. */
  get unitCount(): number {
    return this.#grants;
  }

  hasUnit(hi: number, lo: number): boolean {
    return this.#units.get(hi >>> 0, lo >>> 0) >= 0;
  }

  /** Units on their way to a shard. */
  load(session: SessionId, shard: ShardIndex): number {
    const number = this.#targetNumbers.get(`${session}/${shard}`);
    return number === undefined ? 0 : this.#targets[number]!.units;
  }

  opening(nodeId: NodeId): Incarnation | undefined {
    return this.#opening.get(nodeId);
  }

  isEnding(session: SessionId): boolean {
    return this.#ending.has(session);
  }

  isClosing(session: SessionId): boolean {
    return this.#closing.has(session);
  }

  /** What the node will be once all that is on its way is applied; undefined: as the table says. */
  draining(nodeId: NodeId): boolean | undefined {
    return this.#draining.get(nodeId)?.at(-1);
  }

  /** The node will be draining for a while at least. */
  isGoingToDrain(nodeId: NodeId): boolean {
    return this.#draining.get(nodeId)?.includes(true) === true;
  }

  /** Units on their way into quarantine: they take room there, and explain what is told. */
  get quarantining(): Pick<UnitMap, 'size' | 'get'> {
    return this.#quarantining;
  }

  topic(topic: string): { readonly topicId: TopicId; readonly partitions: number } | undefined {
    return this.#topics.get(topic);
  }

  /** undefined: nothing on its way; null: a release. */
  partition(topicId: TopicId, partition: number): { session: SessionId; shard: ShardIndex } | null | undefined {
    return this.#partitions.get(partitionKey({ topicId, partition }));
  }

  track(records: readonly LeaseRecord[]): void {
    for (const record of records) this.#track(record);
  }

  /** The records were applied, or will never be. */
  settle(records: readonly LeaseRecord[]): void {
    for (const record of records) this.#settle(record);
  }

  #track(record: LeaseRecord): void {
    switch (record.kind) {
      case 'epochBase':
        this.#base = true;
        break;
      case 'sessionOpened':
        this.#opening.set(record.nodeId, record);
        break;
      case 'sessionClosing':
        this.#closing.add(record.session);
        break;
      case 'sessionEnded':
        this.#ending.add(record.session);
        break;
      case 'granted':
        this.#addUnits(record.units, this.#targetNumber(record.session, record.shard));
        break;
      case 'moved':
        this.#addUnits(record.units, this.#targetNumber(record.toSession, record.toShard));
        break;
      case 'released':
        this.#addUnits(record.units, 0);
        break;
      case 'forceReleased':
        this.#addUnits(Uint32Array.of(record.hi, record.lo), 0);
        break;
      case 'topicSet':
        this.#topics.set(record.topic, record);
        break;
      case 'partitionGranted':
        this.#partitions.set(partitionKey(record), { session: record.session, shard: record.shard });
        if (record.fromEpoch !== 0) this.#moves.add(partitionKey(record));
        break;
      case 'partitionReleased':
        this.#partitions.set(partitionKey(record), null);
        break;
      case 'generationChanged':
        this.#generation = record.number;
        break;
      case 'nodeDraining':
        this.#draining.set(record.nodeId, [...(this.#draining.get(record.nodeId) ?? []), record.draining]);
        break;
      case 'unitQuarantined':
        this.#quarantining.set(record.hi, record.lo, 0);
        break;
      case 'topicRemoved':
      case 'nodeForgotten':
      case 'unitCrashed':
      case 'frameCrashed':
      case 'quarantineLifted':
        break;
    }
  }

  #settle(record: LeaseRecord): void {
    switch (record.kind) {
      case 'epochBase':
        this.#base = false;
        break;
      case 'sessionOpened':
        // Of two on their way the later one still is, when the first is applied.
        if (this.#opening.get(record.nodeId)?.counter === record.counter) this.#opening.delete(record.nodeId);
        break;
      case 'sessionClosing':
        this.#closing.delete(record.session);
        break;
      case 'sessionEnded':
        this.#ending.delete(record.session);
        break;
      case 'granted':
      case 'moved':
      case 'released':
        for (let i = 0; i < record.units.length; i += 2) this.#dropUnit(record.units[i]!, record.units[i + 1]!);
        break;
      case 'forceReleased':
        this.#dropUnit(record.hi, record.lo);
        break;
      case 'topicSet':
        this.#topics.delete(record.topic);
        break;
      case 'partitionGranted':
      case 'partitionReleased':
        this.#partitions.delete(partitionKey(record));
        this.#moves.delete(partitionKey(record));
        break;
      case 'generationChanged':
        this.#generation = 0;
        break;
      case 'nodeDraining':
        this.#settleDraining(record.nodeId, record.draining);
        break;
      case 'unitQuarantined':
        this.#quarantining.delete(record.hi, record.lo);
        break;
      case 'topicRemoved':
      case 'nodeForgotten':
      case 'unitCrashed':
      case 'frameCrashed':
      case 'quarantineLifted':
        break;
    }
  }

  #settleDraining(nodeId: NodeId, draining: boolean): void {
    const onTheirWay = this.#draining.get(nodeId) ?? [];
    const settled = onTheirWay.indexOf(draining);
    const left = onTheirWay.filter((_, i) => i !== settled);
    if (left.length > 0) this.#draining.set(nodeId, left);
    else this.#draining.delete(nodeId);
  }

  #addUnits(units: Uint32Array, target: number): void {
    for (let i = 0; i < units.length; i += 2) {
      if (this.#units.get(units[i]!, units[i + 1]!) >= 0) continue;
      this.#units.set(units[i]!, units[i + 1]!, target);
      this.#targets[target]!.units++;
      if (target > 0) this.#grants++;
    }
  }

  /** By the target that was tracked, not by the applied record's: that may be an earlier leader's. */
  #dropUnit(hi: number, lo: number): void {
    const target = this.#units.get(hi, lo);
    if (target < 0) return;
    this.#units.delete(hi, lo);
    this.#targets[target]!.units--;
    if (target > 0) this.#grants--;
  }

  #targetNumber(session: SessionId, shard: ShardIndex): number {
    const key = `${session}/${shard}`;
    const known = this.#targetNumbers.get(key);
    if (known !== undefined) return known;
    this.#targets.push({ session, shard, units: 0 });
    this.#targetNumbers.set(key, this.#targets.length - 1);
    return this.#targets.length - 1;
  }
}
