import { assert, type NodeId, type SessionId, type ShardIndex, type ShardRef, UnitMap } from '@holdfast/model';
import { type CommandOf, decided, type LeaseCommand, type LeaseDecision, refused } from './commands.ts';
import type { LeaseRefusal } from './errors.ts';
import type { LeaseTable } from './lease-table.ts';
import { addressesMax, partitionsPerTopicMax, shardsMax, shardsPerSessionMax, unitsPerRecordMax } from './limits.ts';
import { NodeFitness, type NodeSays } from './node-fitness.ts';
import type { LeaseOptions } from './options.ts';
import { PartitionAssigner } from './partition-assigner.ts';
import { placeUnits, type ShardRoom } from './placement.ts';
import { Proposals } from './proposals.ts';
import { decideFaulty, decideQuarantine } from './quarantine-decisions.ts';
import type { LeaseRecord } from './records.ts';
import type { SessionInfo } from './replay-outcome.ts';
import type { OtherSession } from './service-news.ts';
import { SessionClock, type TickHealth } from './session-clock.ts';

/** What `tick` looks at. */
export interface TickInput extends TickHealth {
  /** No moves for balance now: a node is unreachable, or a rollout is under way. */
  readonly balancingPaused: boolean;
}

/**
 * The leader's decisions: commands and time in, records to propose out. Volatile: make one when a term's leader has
 * applied the first entry of its own term, so that the table has everything earlier leaders decided, and drop it
 * with the leadership. It changes nothing but its own notes; only `replay` of what was committed does.
 *
 * Each non-empty list of records is proposed as one entry, in the order of the calls. `onApplied` follows each
 * applied entry, `onDropped` a proposal that will never be one.
 */
export class LeaseCoordinator {
  readonly #table: LeaseTable;
  readonly #options: LeaseOptions;
  readonly #clock: SessionClock;
  readonly #fitness: NodeFitness;
  readonly #proposals = new Proposals();
  readonly #partitions: PartitionAssigner;

  constructor(table: LeaseTable, options: LeaseOptions, nowMs: number) {
    this.#table = table;
    this.#options = options;
    this.#clock = new SessionClock(options, nowMs);
    this.#fitness = new NodeFitness(options);
    this.#fitness.passed(nowMs, table);
    this.#partitions = new PartitionAssigner(table, this.#proposals, options);
  }

  /** Answers a command. Expected refusals are returned. */
  decide(command: LeaseCommand, nowMs: number): LeaseDecision {
    const decision = this.#decide(command, nowMs);
    if (decision.ok) this.#proposals.track(decision.records);
    return decision;
  }

  /**
   * A renewal arrived at `receivedAtMs`. Call it, and answer the node, only after a quorum round that was begun after
   * the arrival has confirmed the leadership (ReadIndex): else an isolated leader would keep sessions alive whose
   * units its successor grants to others. Null: renewed.
   */
  renewed(session: SessionId, receivedAtMs: number, says: NodeSays = {}): LeaseRefusal | null {
    if (!this.#isGoingOn(session)) return { code: 'SESSION_OVER', session };
    this.#fitness.heard(session, says);
    const refusal = this.#unfit(says, false, receivedAtMs, (other) => other.session === session);
    if (refusal !== null) return refusal;
    this.#clock.renewed(session, receivedAtMs);
    return null;
  }

  /** Why a node can't do the work of a session that it asks for; null when it can. */
  unfit(nodeId: NodeId, nowMs: number, says: NodeSays): LeaseRefusal | null {
    return this.#unfit(says, true, nowMs, (other) => other.nodeId === nodeId);
  }

  /** What time alone brings: expiries, partitions given out or moved. Call every `tickMs`; propose as one entry each. */
  tick(nowMs: number, input: TickInput): LeaseRecord[][] {
    this.#fitness.passed(nowMs, this.#table);
    const going = [...this.#table.sessions()].map((info) => info.session).filter((s) => this.#isGoingOn(s));
    const overdue = this.#clock.overdue(going, nowMs, input);
    // Ends and grants never share an entry: all leases of one entry have one epoch.
    const ends = overdue.map((session): LeaseRecord => ({ kind: 'sessionEnded', session, reason: 'expired' }));
    this.#proposals.track(ends);
    const grants = this.#partitions.plan(nowMs, input.balancingPaused, (session) => this.#mayReceive(session, nowMs));
    this.#proposals.track(grants);
    return [ends, grants].filter((records) => records.length > 0);
  }

  /** An entry was applied to the table (call it after `replay` of all its records), of whichever leader. */
  onApplied(index: number, records: readonly LeaseRecord[], nowMs: number): void {
    this.#proposals.settle(records);
    for (const record of records) {
      if (record.kind === 'sessionOpened' && this.#table.session(index as SessionId)) {
        this.#clock.renewed(index as SessionId, nowMs);
      }
      if (record.kind === 'sessionEnded') this.#clock.ended(record.session);
    }
  }

  /** A proposal that was refused before it got into the log. */
  onDropped(records: readonly LeaseRecord[]): void {
    this.#proposals.settle(records);
  }

  /** Whether units may be given to a session now: it lives, isn't silent, isn't about to go. */
  mayReceive(session: SessionId, nowMs: number): boolean {
    return this.#mayReceive(session, nowMs);
  }

  /** How long ago, at `nowMs`, the session was renewed, as this leader saw it. */
  silentForMs(session: SessionId, nowMs: number): number {
    return nowMs - this.#clock.renewedAtMs(session);
  }

  #unfit(says: NodeSays, isOpening: boolean, nowMs: number, isItself: (other: SessionInfo) => boolean) {
    const others = (): OtherSession[] =>
      [...this.#table.sessions()]
        .filter((other) => !isItself(other))
        .map(({ session }) => ({ session, mayReceive: this.#mayReceive(session, nowMs) }));
    return this.#fitness.lacking(says, others, isOpening, nowMs);
  }

  #decide(command: LeaseCommand, nowMs: number): LeaseDecision {
    if (command.kind === 'found') return this.#found(command);
    if (this.#table.epochBase < 0) return refused({ code: 'NOT_FOUNDED' });
    switch (command.kind) {
      case 'openSession':
        return this.#openSession(command);
      case 'endSession':
        return this.#endSession(command);
      case 'markClosing':
        return this.#markClosing(command);
      case 'acquire':
        return this.#acquire(command, nowMs);
      case 'release':
        return this.#release(command);
      case 'move':
        return this.#move(command, nowMs);
      case 'forceRelease':
        return this.#forceRelease(command);
      case 'reportTopic':
        return this.#reportTopic(command);
      case 'removeTopic':
        return decided(this.#table.topic(command.topicId) ? [{ kind: 'topicRemoved', topicId: command.topicId }] : []);
      case 'releasePartition':
        return this.#partitions.giveUp(command, nowMs);
      case 'reportGeneration':
        return this.#reportGeneration(command);
      case 'setDraining':
        return this.#setDraining(command, nowMs);
      case 'forgetNode':
        return this.#forgetNode(command.nodeId);
      case 'endFaulty':
        return this.#endFaulty(command);
      case 'reportCrashes':
      case 'quarantineDue':
      case 'liftQuarantine':
        return decideQuarantine(this.#table, command, this.#proposals.quarantining);
    }
  }

  #found({ base }: CommandOf<'found'>): LeaseDecision {
    const known = this.#table.epochBase;
    if (known >= 0 || this.#proposals.founding) return refused({ code: 'ALREADY_FOUNDED', base: known });
    if (!Number.isSafeInteger(base) || base < 0) return invalid(`epoch base ${base}`);
    return decided([{ kind: 'epochBase', base }]);
  }

  #openSession(command: CommandOf<'openSession'>): LeaseDecision {
    const { kind: _, ...incarnation } = command;
    const { nodeId, uuid, counter, shards, addresses } = incarnation;
    if (shards < 1 || shards > shardsPerSessionMax) return invalid(`${shards} shards`);
    if (addresses.length > addressesMax) return invalid(`${addresses.length} addresses`);
    if (!Number.isSafeInteger(counter) || counter < 1) return invalid(`incarnation counter ${counter}`);
    const known = this.#table.node(nodeId);
    const opening = this.#proposals.opening(nodeId);
    for (const other of [known, opening]) {
      if (other === undefined) continue;
      if (other.uuid !== uuid) return refused({ code: 'NODE_ID_TAKEN', nodeId });
      if (other.counter < counter) continue;
      const session = other === known ? known.session : (0 as SessionId);
      return refused({ code: 'STALE_INCARNATION', nodeId, counter: other.counter, session });
    }
    if (this.#table.shardCount + shards > shardsMax) return refused({ code: 'TOO_MANY_SHARDS', shards, shardsMax });
    return decided([{ kind: 'sessionOpened', ...incarnation }]);
  }

  #endSession({ session, reason }: CommandOf<'endSession'>): LeaseDecision {
    if (!this.#isGoingOn(session)) return refused({ code: 'SESSION_OVER', session });
    return decided([{ kind: 'sessionEnded', session, reason }]);
  }

  #markClosing({ session }: CommandOf<'markClosing'>): LeaseDecision {
    if (!this.#isGoingOn(session)) return refused({ code: 'SESSION_OVER', session });
    return decided(this.#isClosing(session) ? [] : [{ kind: 'sessionClosing', session }]);
  }

  #acquire({ session, shard, units }: CommandOf<'acquire'>, nowMs: number): LeaseDecision {
    const problem = this.#checkUnits(session, units);
    if (problem !== null) return refused(problem);
    const reader = this.#table.reader;
    const wanted = new Uint32Array(units.length);
    const seen = new UnitMap(units.length / 2);
    for (let i = 0; i < units.length; i += 2) {
      const hi = units[i]!;
      const lo = units[i + 1]!;
      if (reader.lookup(hi, lo) || this.#proposals.hasUnit(hi, lo)) continue;
      // A unit once per entry, else it would be counted twice.
      if (seen.get(hi, lo) >= 0) continue;
      wanted[2 * seen.size] = hi;
      wanted[2 * seen.size + 1] = lo;
      seen.set(hi, lo, 0);
    }
    const skipped = units.length / 2 - seen.size;
    if (seen.size === 0) return decided([], { skipped });
    const { unitsMax } = this.#options;
    // As many as there is room for: else a request above what ever comes free at once would wait for ever.
    const count = Math.min(seen.size, unitsMax - this.#table.unitCount - this.#proposals.unitCount);
    if (count <= 0) return refused({ code: 'TABLE_FULL', unitsMax });
    const rooms = this.#rooms(nowMs);
    if (rooms.length === 0) return refused({ code: 'NO_SHARD' });
    const asker = rooms.findIndex((room) => room.session === session && room.shard === shard);
    const counts = this.#place(rooms, asker, count);
    const records: LeaseRecord[] = [];
    // The asker's share is first in the request: the caller puts what it reads most of there.
    const order = asker < 0 ? rooms.keys() : [asker, ...[...rooms.keys()].filter((i) => i !== asker)];
    let at = 0;
    for (const i of order) {
      if (counts[i] === 0) continue;
      const share = wanted.slice(at, (at += counts[i]! * 2));
      records.push({ kind: 'granted', session: rooms[i]!.session, shard: rooms[i]!.shard, units: share });
    }
    const near = asker < 0 ? 0 : counts[asker]!;
    return decided(records, { proposed: count, elsewhere: count - near, skipped });
  }

  #release({ session, units, epochs }: CommandOf<'release'>): LeaseDecision {
    const problem = this.#checkUnits(session, units, epochs);
    if (problem !== null) return refused(problem);
    const own = this.#ownUnits(session, units, epochs);
    const count = own.epochs.length;
    const answer = { proposed: count, skipped: own.skipped, stale: own.stale };
    return decided(count === 0 ? [] : [{ kind: 'released', units: own.units, epochs: own.epochs }], answer);
  }

  #move({ session, units, epochs, to }: CommandOf<'move'>, nowMs: number): LeaseDecision {
    const problem = this.#checkUnits(session, units, epochs) ?? (to === null ? null : this.#checkTarget(to));
    if (problem !== null) return refused(problem);
    const own = this.#ownUnits(session, units, epochs);
    const count = own.epochs.length;
    const answer = { proposed: count, elsewhere: count, skipped: own.skipped, stale: own.stale };
    if (count === 0) return decided([], answer);
    const rooms = to === null ? this.#rooms(nowMs).filter((room) => room.session !== session) : [{ ...to, units: 0 }];
    if (rooms.length === 0) return refused({ code: 'NO_SHARD' });
    const counts = this.#place(rooms, -1, count);
    let at = 0;
    const records: LeaseRecord[] = [];
    for (const [i, room] of rooms.entries()) {
      const end = at + counts[i]!;
      if (end === at) continue;
      const [share, fromEpochs] = [own.units.slice(at * 2, end * 2), own.epochs.slice(at, end)];
      records.push({ kind: 'moved', units: share, fromEpochs, toSession: room.session, toShard: room.shard });
      at = end;
    }
    return decided(records, answer);
  }

  #forceRelease({ hi, lo }: CommandOf<'forceRelease'>): LeaseDecision {
    const lease = this.#table.get(hi, lo);
    if (lease === null) return refused({ code: 'NOT_LEASED' });
    if (this.#proposals.hasUnit(hi, lo)) return decided([], { skipped: 1 });
    return decided([{ kind: 'forceReleased', hi: hi >>> 0, lo: lo >>> 0, epoch: lease.epoch }], { proposed: 1 });
  }

  #endFaulty({ session, units, epochs }: CommandOf<'endFaulty'>): LeaseDecision {
    const problem = this.#checkUnits(session, units, epochs);
    if (problem !== null) return refused(problem);
    return decideFaulty(this.#table, this.#ownUnits(session, units, epochs), this.#proposals.quarantining.size);
  }

  #reportTopic({ topic, topicId, partitions, replace }: CommandOf<'reportTopic'>): LeaseDecision {
    if (!Number.isSafeInteger(partitions) || partitions < 1 || partitions > partitionsPerTopicMax) {
      return invalid(`topic ${topic} with ${partitions} partitions`);
    }
    const known = this.#proposals.topic(topic) ?? this.#table.topicNamed(topic);
    if (known !== undefined && known.topicId !== topicId && !replace) {
      return refused({ code: 'TOPIC_CHANGED', topic, known: known.topicId, reported: topicId });
    }
    if (known !== undefined && known.topicId === topicId && known.partitions >= partitions) return decided([]);
    return decided([{ kind: 'topicSet', topic, topicId, partitions }]);
  }

  #reportGeneration({ storeGeneration, knownNumber, continues }: CommandOf<'reportGeneration'>): LeaseDecision {
    const { generation: number } = this.#table;
    if (knownNumber !== number) return refused({ code: 'STALE_GENERATION', number });
    if (this.#table.isFormerGeneration(storeGeneration)) return refused({ code: 'FORMER_GENERATION', storeGeneration });
    if (storeGeneration === this.#table.storeGeneration || this.#proposals.generation !== 0) return decided([]);
    return decided([{ kind: 'generationChanged', storeGeneration, number: number + 1, continues }]);
  }

  #setDraining({ nodeId, draining }: CommandOf<'setDraining'>, nowMs: number): LeaseDecision {
    const node = this.#table.node(nodeId);
    if (node === undefined) return refused({ code: 'NODE_UNKNOWN', nodeId });
    if ((this.#proposals.draining(nodeId) ?? node.draining) === draining) return decided([]);
    const others = [...this.#table.sessions()].filter((info) => info.nodeId !== nodeId);
    if (draining && !others.some(({ session }) => this.#mayReceive(session, nowMs))) {
      return refused({ code: 'LAST_NODE', nodeId });
    }
    return decided([{ kind: 'nodeDraining', nodeId, draining }]);
  }

  #forgetNode(nodeId: NodeId): LeaseDecision {
    const node = this.#table.node(nodeId);
    if (node === undefined) return refused({ code: 'NODE_UNKNOWN', nodeId });
    if (node.session !== 0) return refused({ code: 'NODE_ALIVE', nodeId, session: node.session });
    return decided([{ kind: 'nodeForgotten', nodeId }]);
  }

  /** Those of the units that the session holds under the named epoch, with nothing about them in flight. */
  #ownUnits(session: SessionId, units: Uint32Array, epochs: Float64Array) {
    const reader = this.#table.reader;
    const ownUnits: number[] = [];
    const ownEpochs: number[] = [];
    let skipped = 0;
    let stale = 0;
    for (let i = 0; i < epochs.length; i++) {
      const hi = units[2 * i]!;
      const lo = units[2 * i + 1]!;
      if (this.#proposals.hasUnit(hi, lo)) skipped++;
      else if (!reader.lookup(hi, lo) || reader.session !== session || reader.epoch !== epochs[i]) stale++;
      else {
        ownUnits.push(hi, lo);
        ownEpochs.push(epochs[i]!);
      }
    }
    return { units: Uint32Array.from(ownUnits), epochs: Float64Array.from(ownEpochs), skipped, stale };
  }

  #checkUnits(session: SessionId, units: Uint32Array, epochs?: Float64Array): LeaseRefusal | null {
    const count = units.length / 2;
    if (!Number.isInteger(count)) return { code: 'INVALID_COMMAND', problem: `${units.length} halves of units` };
    if (epochs !== undefined && epochs.length !== count) {
      return { code: 'INVALID_COMMAND', problem: `${epochs.length} epochs for ${count} units` };
    }
    if (count > unitsPerRecordMax) return { code: 'BATCH_TOO_LARGE', units: count, unitsMax: unitsPerRecordMax };
    return this.#isGoingOn(session) ? null : { code: 'SESSION_OVER', session };
  }

  #checkTarget({ session, shard }: ShardRef): LeaseRefusal | null {
    const info = this.#table.session(session);
    if (info === undefined || !this.#isGoingOn(session)) return { code: 'SESSION_OVER', session };
    if (shard >= info.shards) return { code: 'INVALID_COMMAND', problem: `shard ${shard} of ${info.shards}` };
    if (this.#isDraining(session)) return { code: 'NODE_DRAINING', nodeId: info.nodeId };
    return this.#isClosing(session) ? { code: 'SESSION_CLOSING', session } : null;
  }

  #place(rooms: readonly ShardRoom[], asker: number, count: number): number[] {
    const { boundedLoadFactor: factor, boundedLoadSlack: slack } = this.#options;
    const counts = placeUnits(rooms, asker, count, { factor, slack });
    assert(counts.reduce((sum, n) => sum + n, 0) === count, `${counts} units placed of ${count}`);
    return counts;
  }

  /** Shards that may be given units, with what they have and will have. */
  #rooms(nowMs: number): ShardRoom[] {
    const rooms: ShardRoom[] = [];
    for (const { session, shards } of this.#table.sessions()) {
      if (!this.#mayReceive(session, nowMs)) continue;
      for (let i = 0; i < shards; i++) {
        const shard = i as ShardIndex;
        rooms.push({ session, shard, units: this.#table.load(session, shard) + this.#proposals.load(session, shard) });
      }
    }
    return rooms;
  }

  #mayReceive(session: SessionId, nowMs: number): boolean {
    if (!this.#isGoingOn(session) || this.#isClosing(session) || this.#isDraining(session)) return false;
    return !this.#clock.isSilent(session, nowMs);
  }

  #isGoingOn(session: SessionId): boolean {
    return this.#table.session(session) !== undefined && !this.#proposals.isEnding(session);
  }

  /** Also while the drain is on its way: of two that are asked at once, each would count on the other's node. */
  #isDraining(session: SessionId): boolean {
    const info = this.#table.session(session);
    return this.#table.isDraining(session) || (info !== undefined && this.#proposals.isGoingToDrain(info.nodeId));
  }

  #isClosing(session: SessionId): boolean {
    return this.#table.session(session)?.closing === true || this.#proposals.isClosing(session);
  }
}

function invalid(problem: string): LeaseDecision {
  return refused({ code: 'INVALID_COMMAND', problem });
}
