import { type LeaseRecord, LeaseTable, LeaseTableReader } from '@holdfast/lease';
import {
  bucketOf,
  hashUnit,
  nodeId,
  randomBelow,
  randomRatio,
  SeededRng,
  type SessionId,
  type ShardIndex,
  type TopicId,
  unitHashOut,
} from '@holdfast/model';
import {
  type ClaimWish,
  decodeRow,
  defaultRecordLimits,
  type Frame,
  Holder,
  type HolderStream,
  Ingest,
  type IngestStream,
  type MarkWish,
  type PartitionReading,
  type RecordBatch,
  RecordCounters,
  type Return,
  type RowWish,
  readingChanged,
} from '@holdfast/processor';
import { type CountingState, countingJob } from './counting-job.ts';
import { SimulatedStore } from './simulated-store.ts';

/**
 * The ownership and record protocol run on the shipped cores: a committed log of lease records that each node applies with
 * its own lag, streams that break, store answers that come late or never, crashes, session ends, clean ends, moves,
 * force-releases, partition moves, store losses. One seed is one history. Checks the gap rule at each application and the
 * rows, the committed offsets, and that everything completes once the faults stop.
 */

export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

export interface SimulationResult {
  readonly steps: number;
  readonly counters: RecordCounters;
  readonly faults: Readonly<Record<string, number>>;
}

const topicId = 'T1' as TopicId;
const shard0 = 0 as ShardIndex;

interface Link {
  readonly out: IngestStream;
  inn: HolderStream | null;
  readonly frames: Frame[];
  readonly returns: Return[];
  broken: boolean;
  readonly toNode: number;
}

interface StoreCall {
  readonly generation: number;
  readonly index: number;
  readonly incarnation: number;
  run(): () => void;
  done: (() => void) | null;
  kind: string;
}

interface Committed {
  offset: number;
  generation: number;
}

class SimulatedNode {
  readonly number: number;
  readonly table = new LeaseTable();
  incarnation = 1;
  session = 0 as SessionId;
  applied = 0;
  reader = new LeaseTableReader(this.table.buffer);
  ingest: Ingest | null = null;
  holder: Holder | null = null;
  links: Link[] = [];
  readings = new Map<number, { reading: PartitionReading; number: number; at: number; epoch: number; rows: number }>();
  calls: StoreCall[] = [];
  outputs: { number: number; positions: string[]; from: 'holder' | 'ingest' }[] = [];
  asked = false;

  constructor(number: number) {
    this.number = number;
    this.table.onBuffer((buffer) => this.reader.attach(buffer));
  }
}

export class RecordSimulation {
  readonly #rng: SeededRng;
  readonly #nodes: SimulatedNode[];
  readonly #log: LeaseRecord[] = [{ kind: 'epochBase', base: 1000 }];
  readonly #pool: LeaseRecord[] = [];
  /** The table as of the log's end: what the leader decides by. */
  readonly #leader = new LeaseTable();
  readonly #store = new SimulatedStore();
  readonly #partitions: string[][];
  readonly #committed: (Committed | null)[];
  readonly #published = new Set<string>();
  readonly #buckets = new Set<number>();
  readonly #weights = new Map<string, number>();
  readonly counters = new RecordCounters();
  readonly #faultCounts: Record<string, number> = {};
  readonly trace: string[] = [];
  readonly #job;
  #faultsLeft: number;
  #losses: number;
  #healing = false;
  #now = 0;
  #logged = 0;

  constructor(seed: number) {
    const rng = (this.#rng = new SeededRng(seed));
    this.#nodes = Array.from({ length: 2 + randomBelow(rng, 2) }, (_, i) => new SimulatedNode(i));
    const keys = Array.from({ length: 1 + randomBelow(rng, 4) }, (_, i) => `k${i}`);
    for (const key of keys) {
      this.#hash(key);
      this.#buckets.add(bucketOf(unitHashOut.hi, unitHashOut.lo));
    }
    this.#partitions = Array.from({ length: 2 }, () =>
      Array.from({ length: 3 + randomBelow(rng, 8) }, () => {
        const key = keys[randomBelow(rng, keys.length)]!;
        const kind = randomBelow(rng, 20);
        return kind === 0 ? '?' : kind === 1 ? '-' : kind === 2 ? `${key}?` : kind < 8 ? `${key}!` : key;
      }),
    );
    this.#committed = this.#partitions.map(() => null);
    this.#faultsLeft = 3 + randomBelow(rng, 25);
    this.#losses = randomBelow(rng, 2) === 0 ? 0 : 1 + randomBelow(rng, 2);
    this.#job = countingJob((key, state, partition, offset) => this.#checkApply(key, state, partition, offset));
    this.#append({ kind: 'generationChanged', storeGeneration: 'g1', number: 1 });
    this.#append({ kind: 'topicSet', topic: 'in', topicId, partitions: this.#partitions.length });
  }

  /** Runs to the end. @throws SimulationFailure naming what broke */
  run(): SimulationResult {
    const steps = 100 + randomBelow(this.#rng, 500);
    let n = 0;
    for (; n < steps; n++) if (!this.#step()) break;
    this.#healing = true;
    this.#say('HEAL');
    for (let i = 0; !this.#complete(); i++, n++) {
      if (i > 20_000 || !this.#step()) this.#fail(`stall: ${JSON.stringify(this.#committed)} after ${i} healed steps`);
    }
    this.#checkEnd();
    return { steps: n, counters: this.counters, faults: this.#faultCounts };
  }

  #hash(key: string): void {
    const bytes = Buffer.from(key);
    hashUnit(bytes, 0, bytes.length);
  }

  #say(text: string): void {
    this.trace.push(text);
  }

  #fail(text: string): never {
    throw new SimulationFailure(text);
  }

  // Checks

  #expected(key: string, partition: number, offset: number): boolean {
    const value = this.#partitions[partition]![offset]!;
    return value === key || value === `${key}!`;
  }

  #checkApply(key: string, state: CountingState, partition: number, offset: number): void {
    const has = new Set(state.applied);
    if (has.has(`${partition}/${offset}`)) this.#fail(`${partition}/${offset} counted twice for ${key}`);
    for (let earlier = 0; earlier < offset; earlier++) {
      if (this.#expected(key, partition, earlier) && !has.has(`${partition}/${earlier}`)) {
        this.#fail(`gap: ${partition}/${offset} of ${key} applied without ${partition}/${earlier}`);
      }
    }
  }

  #rowStates(): Map<string, string[]> {
    const states = new Map<string, string[]>();
    for (const { row } of this.#store.rows.values()) {
      if (row === null) continue;
      for (const user of decodeRow(row).users) {
        const state = JSON.parse(Buffer.from(user.state).toString()) as CountingState;
        states.set(Buffer.from(user.key).toString(), state.applied);
      }
    }
    return states;
  }

  #checkRow(row: Uint8Array): void {
    for (const user of decodeRow(row).users) {
      const { applied } = JSON.parse(Buffer.from(user.state).toString()) as CountingState;
      if (new Set(applied).size !== applied.length) this.#fail(`a row counts twice: ${applied}`);
      for (const position of applied) {
        const [partition, offset] = position.split('/').map(Number);
        const emits = this.#partitions[partition!]![offset!]!.endsWith('!');
        if (emits && !this.#published.has(position)) this.#fail(`row accepted before output ${position} was`);
      }
    }
  }

  #checkCommit(partition: number, offset: number): void {
    if (this.#store.generation !== this.#leader.generation) return;
    const states = this.#rowStates();
    for (let i = 0; i < offset; i++) {
      const value = this.#partitions[partition]![i]!;
      if (value === '-') continue;
      if (value.endsWith('?')) {
        if (!this.#published.has(`dead ${partition}/${i}`)) this.#fail(`committed past unpublished dead letter ${i}`);
        continue;
      }
      const key = value.replace('!', '');
      if (!states.get(key)?.includes(`${partition}/${i}`)) {
        this.#fail(`committed ${offset} of ${partition}, but ${i} of ${key} is not in the store`);
      }
    }
  }

  #checkEnd(): void {
    const states = this.#rowStates();
    this.#partitions.forEach((records, partition) => {
      records.forEach((value, offset) => {
        if (value === '-' || value.endsWith('?')) return;
        const n = states.get(value.replace('!', ''))?.filter((p) => p === `${partition}/${offset}`).length ?? 0;
        if (n !== 1) this.#fail(`at the end ${partition}/${offset} is ${n} times in the store`);
      });
    });
  }

  #complete(): boolean {
    if (this.#store.generation !== this.#leader.generation) return false;
    return this.#partitions.every((records, partition) => {
      const committed = this.#committed[partition];
      return committed?.offset === records.length && committed.generation === this.#leader.generation;
    });
  }

  // The log of leases

  #append(record: LeaseRecord): void {
    this.#log.push(record);
    const index = this.#log.length;
    if (this.#logged === 0) {
      this.#leader.replay(this.#log[0]!, 1);
      this.#logged = 1;
    }
    this.#leader.replay(record, index);
    this.#leader.publishIndex(index);
    this.#logged = index;
    this.#say(`LOG ${index} ${JSON.stringify(record)}`);
  }

  #apply(node: SimulatedNode): void {
    const record = this.#log[node.applied]!;
    const index = ++node.applied;
    node.table.replay(record, index);
    node.table.publishIndex(index);
    this.#say(`n${node.number} applies ${index}`);
    if (record.kind === 'sessionOpened' && record.nodeId === `n${node.number}` && record.counter === node.incarnation) {
      node.session = index as SessionId;
      this.#open(node);
    }
    if (node.session !== 0 && node.table.session(node.session) === undefined) {
      this.#say(`n${node.number}: session over`);
      this.#restart(node);
      return;
    }
    if (node.ingest === null) return;
    node.holder!.onTableAdvanced(this.#now);
    node.ingest.onTableAdvanced(this.#now);
    for (const link of node.links) {
      if (!link.broken && node.table.session(link.out.id.to.session) === undefined) this.#break(node, link);
    }
    this.#syncPartitions(node);
    this.#pump(node);
  }

  #open(node: SimulatedNode): void {
    const options = {
      self: { session: node.session, shard: shard0 },
      job: this.#job as never,
      leases: node.reader,
      deadLetterTopic: 'dead',
      limits: {
        ...defaultRecordLimits,
        frameRecordsMax: 3,
        framesInFlightMax: 4,
        parkedRecordsMax: 8,
        acquireRetryMs: 10,
        releaseRetryMs: 10,
      },
      counters: this.counters,
    };
    node.ingest = new Ingest(options);
    node.holder = new Holder(options);
  }

  #syncPartitions(node: SimulatedNode): void {
    this.#partitions.forEach((_, partition) => {
      const lease = node.table.partitionLease(topicId, partition);
      const mine = lease != null && lease.session === node.session;
      const held = node.readings.get(partition);
      if (held !== undefined && (!mine || lease.epoch !== held.epoch || held.reading.lost)) {
        node.ingest!.losePartition(held.reading);
        node.readings.delete(partition);
      }
      if (!mine || node.readings.has(partition)) return;
      const generation = node.table.generation;
      const committed = this.#committed[partition];
      let start = 0;
      if (committed != null || generation !== 1) {
        if (committed?.generation === generation) start = committed.offset;
        else if (this.#store.generation !== generation) return;
        else start = this.#store.leastMarker({ topicId, partition }, this.#buckets);
      }
      const reading = node.ingest!.startPartition('in', { topicId, partition }, lease.epoch, start);
      this.#say(`n${node.number} starts ${partition} at ${start}`);
      node.readings.set(partition, { reading, number: reading.reading, at: start, epoch: lease.epoch, rows: 0 });
    });
  }

  #restart(node: SimulatedNode): void {
    for (const link of node.links) if (link.inn !== null) this.#nodes[link.toNode]!.holder?.closeStream(link.inn);
    for (const other of this.#nodes) {
      if (other === node) continue;
      for (const link of other.links) if (!link.broken && link.toNode === node.number) this.#break(other, link);
    }
    node.ingest = null;
    node.holder = null;
    node.session = 0 as SessionId;
    node.links = [];
    node.readings.clear();
    node.outputs = [];
    node.incarnation++;
    node.asked = false;
  }

  // Streams

  /** Moves what moves at once: streams wanted, frames onto links, returns onto links. */
  #pump(node: SimulatedNode): void {
    const { ingest, holder } = node;
    if (ingest === null || holder === null) return;
    ingest.retryParked(this.#now);
    ingest.flushAged(this.#now, 3);
    for (const to of ingest.takeWantedStreams()) {
      const target = this.#nodes.find((other) => other.session === to.session);
      if (target === undefined || target.holder === null) continue;
      const out = ingest.openStream(to);
      const inn = target.holder.openStream(out.id);
      if (inn === null) this.#fail('a stream was not accepted');
      node.links.push({ out, inn, frames: [], returns: [], broken: false, toNode: target.number });
    }
    for (const link of node.links) link.frames.push(...link.out.outbox.splice(0));
    for (const { stream, returns } of holder.takeReturns()) {
      for (const other of this.#nodes) other.links.find(({ inn }) => inn === stream)?.returns.push(...returns);
    }
    const acquires = ingest.takeAcquires();
    if (acquires !== null) {
      const live = this.#nodes.filter((other) => other.session !== 0);
      const to = live[randomBelow(this.#rng, live.length)]!;
      this.#pool.push({ kind: 'granted', session: to.session, shard: shard0, units: acquires });
    }
    for (const { hi, lo, epoch } of holder.takeReleases(this.#now)) {
      const units = Uint32Array.of(hi, lo);
      const to = this.#nodes[randomBelow(this.#rng, this.#nodes.length)]!.session;
      if (randomBelow(this.#rng, 2) === 0 || to === 0) {
        this.#pool.push({ kind: 'released', units, epochs: Float64Array.of(epoch) });
      } else {
        this.#pool.push({ kind: 'moved', units, fromEpochs: Float64Array.of(epoch), toSession: to, toShard: shard0 });
      }
    }
    this.#takeOutputs(node);
  }

  #takeOutputs(node: SimulatedNode): void {
    for (const from of ['holder', 'ingest'] as const) {
      const taken = from === 'holder' ? node.holder!.takeOutputs(100) : node.ingest!.outputs.take(100);
      if (taken.length === 0) continue;
      const positions = taken.map(({ topic, headers }) =>
        topic === 'dead' ? `dead ${headers.partition}/${headers.offset}` : headers.id!,
      );
      node.outputs.push({ number: taken.at(-1)!.number, positions, from });
    }
  }

  #break(node: SimulatedNode, link: Link): void {
    link.broken = true;
    link.returns.length = 0;
    const lost = randomBelow(this.#rng, link.frames.length + 1);
    link.frames.length -= lost;
    node.ingest?.onStreamEnd(link.out);
  }

  #deliver(link: Link): void {
    const target = this.#nodes[link.toNode]!;
    const frame = link.frames.shift()!;
    if (target.holder === null || target.session !== link.out.id.to.session || link.inn === null) return;
    if (!target.holder.onFrame(link.inn, frame, this.#now)) this.#fail(`frame ${frame.number} out of sequence`);
    this.#say(
      `n${target.number} takes frame ${frame.number} of ${JSON.stringify(link.out.id)} idx ${frame.tableIndex}`,
    );
    if (link.broken && link.frames.length === 0) target.holder.closeStream(link.inn);
    this.#pump(target);
  }

  // The store

  #call(node: SimulatedNode, kind: string, run: () => () => void): void {
    node.calls.push({
      kind,
      generation: node.table.generation,
      index: node.table.generationIndex,
      incarnation: node.incarnation,
      run,
      done: null,
    });
  }

  #claim(node: SimulatedNode, claim: ClaimWish): void {
    this.#call(node, 'claim', () => {
      const answer = this.#store.claim(claim);
      return () => {
        if ('fenced' in answer) node.holder!.onFenced(claim, answer.fenced);
        else node.holder!.onClaimed(claim, answer.row, answer.markers as never, this.#now);
      };
    });
  }

  #write(node: SimulatedNode, row: RowWish): void {
    this.#say(`n${node.number} takes row ${row.epoch}/${row.seq} version ${row.version}`);
    this.#call(node, 'backup', () => {
      const answer = this.#store.backup(row);
      if (answer === 'ok') this.#checkRow(row.row);
      return () => {
        if (answer === 'ok') node.holder!.onRowAccepted(row, this.#now);
        else if (answer === 'stale') node.holder!.onRowStale(row);
        else node.holder!.onFenced(row, answer.fenced);
      };
    });
  }

  #mark(node: SimulatedNode, wish: MarkWish): void {
    const partition = node.holder!.partitionOf(wish.slot);
    this.#call(node, 'mark', () => {
      this.#store.mark({ bucket: wish.bucket, partition, offset: wish.offset });
      return () => node.holder!.onMarked(wish);
    });
  }

  /** The store acts on a call, or refuses it for its generation. */
  #act(call: StoreCall): void {
    if (call.generation !== this.#store.generation) {
      call.done = () => {};
      call.kind = 'refused';
      return;
    }
    call.done = call.run();
  }

  #answer(node: SimulatedNode, call: StoreCall): void {
    node.calls.splice(node.calls.indexOf(call), 1);
    if (call.incarnation !== node.incarnation || node.holder === null) return;
    if (call.index !== node.table.generationIndex) return;
    if (call.kind === 'refused') {
      if (call.generation === node.table.generation) node.calls.push({ ...call, done: null });
      return;
    }
    this.#say(`n${node.number} ${call.kind} answered`);
    call.done!();
    this.#pump(node);
  }

  // One step

  #step(): boolean {
    this.#now++;
    const actions: { weight: number; act: () => void }[] = [];
    const fault = !this.#healing && this.#faultsLeft > 0;
    const add = (name: string, act: () => void) => {
      let weight = this.#weights.get(name);
      if (weight === undefined) this.#weights.set(name, (weight = 10 ** (randomRatio(this.#rng) * 2 - 1)));
      actions.push({ weight: this.#healing ? 1 : weight, act });
    };
    const addFault = (name: string, act: () => void) => {
      let weight = this.#weights.get(name);
      if (weight === undefined) {
        weight = randomBelow(this.#rng, 2) === 0 ? 0 : 0.05 * 10 ** (randomRatio(this.#rng) * 1.5);
        this.#weights.set(name, weight);
      }
      if (!fault || weight === 0) return;
      actions.push({
        weight,
        act: () => {
          this.#faultsLeft--;
          this.#faultCounts[name] = (this.#faultCounts[name] ?? 0) + 1;
          this.#say(`FAULT ${name}`);
          act();
        },
      });
    };
    this.#leaderActions(add, addFault);
    for (const node of this.#nodes) this.#nodeActions(node, add, addFault);
    if (actions.length === 0) return false;
    let at = randomRatio(this.#rng) * actions.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight, act } of actions) {
      at -= weight;
      if (at <= 0) {
        act();
        return true;
      }
    }
    actions.at(-1)!.act();
    return true;
  }

  #leaderActions(
    add: (name: string, act: () => void) => void,
    addFault: (name: string, act: () => void) => void,
  ): void {
    this.#pool.forEach((record, i) => {
      add('commit', () => {
        this.#pool.splice(i, 1);
        this.#append(record);
      });
      if (record.kind !== 'sessionOpened') addFault('dropProposal', () => this.#pool.splice(i, 1));
    });
    const leader = this.#leader;
    if (this.#store.generation > leader.generation && !this.#pool.some(({ kind }) => kind === 'generationChanged')) {
      add('generation', () =>
        this.#pool.push({
          kind: 'generationChanged',
          storeGeneration: `g${this.#store.generation}`,
          number: leader.generation + 1,
        }),
      );
    }
    const live = [...leader.sessions()];
    this.#partitions.forEach((_, partition) => {
      const lease = leader.partitionLease(topicId, partition);
      for (const { session } of live) {
        const grant = (fromEpoch: number) => () =>
          this.#append({
            kind: 'partitionGranted',
            topicId,
            partition,
            session,
            shard: shard0,
            fromEpoch: fromEpoch as never,
          });
        if (lease == null) add('partition', grant(0));
        else if (lease.session !== session) addFault('movePartition', grant(lease.epoch));
      }
    });
    for (const { session } of live) {
      addFault('expire', () => this.#append({ kind: 'sessionEnded', session, reason: 'expired' }));
    }
    leader.visitUnits((hi, lo) => {
      const lease = leader.get(hi, lo);
      if (lease === null) return;
      addFault('force', () => this.#append({ kind: 'forceReleased', hi, lo, epoch: lease.epoch }));
    });
    if (this.#losses > 0 && this.#store.writes > 0) {
      addFault('loseStore', () => {
        this.#losses--;
        this.#store.lose(1 + randomBelow(this.#rng, Math.min(this.#store.writes, 12)));
      });
    }
  }

  #nodeActions(
    node: SimulatedNode,
    add: (name: string, act: () => void) => void,
    addFault: (name: string, act: () => void) => void,
  ): void {
    if (node.applied < this.#log.length) add('apply', () => this.#apply(node));
    for (const link of node.links) {
      const head = link.frames[0];
      if (head !== undefined) add(link.broken ? 'ghost' : 'deliver', () => this.#deliver(link));
      if (link.broken) continue;
      if (link.returns.length > 0) {
        add('return', () => {
          node.ingest!.onReturn(link.out, link.returns.shift()!, this.#now);
          this.#pump(node);
        });
      }
      addFault('break', () => this.#break(node, link));
    }
    for (const call of node.calls) {
      if (call.done === null) add('store', () => this.#act(call));
      else add('answer', () => this.#answer(node, call));
      if (call.done !== null && call.kind !== 'refused') {
        addFault('loseReply', () => {
          call.done = null;
        });
      }
    }
    if (node.session === 0) {
      if (!node.asked) {
        add('session', () => {
          node.asked = true;
          this.#pool.push({
            kind: 'sessionOpened',
            nodeId: nodeId(`n${node.number}`),
            uuid: `u${node.number}`,
            counter: node.incarnation,
            shards: 1,
            addresses: ['a', 'b'],
            version: '0',
          });
        });
      }
      return;
    }
    const { ingest, holder } = node;
    if (ingest === null || holder === null) return;
    addFault('crash', () => this.#restart(node));
    addFault('close', () => {
      holder.closeIdle(Number.POSITIVE_INFINITY, 1 + randomBelow(this.#rng, 2));
      this.#pump(node);
    });
    add('tick', () => {
      holder.checkClosed(this.#now);
      this.#pump(node);
    });
    this.#syncPartitions(node);
    for (const [partition, held] of node.readings) {
      add('read', () => this.#read(node, partition, held));
      add('commitOffset', () => this.#commit(node, partition, held.reading));
    }
    for (const output of node.outputs.slice(0, 1)) {
      add('publish', () => {
        node.outputs.shift();
        this.#say(`n${node.number} published ${output.positions} up to ${output.number} of ${output.from}`);
        for (const position of output.positions) this.#published.add(position);
        if (output.from === 'holder') holder.onOutputsAcked(output.number, this.#now);
        else ingest.outputs.acked = output.number;
        this.#pump(node);
      });
    }
    if (holder.claimsQueued > 0) add('claim', () => for_(holder.takeClaims(2), (claim) => this.#claim(node, claim)));
    if (!holder.roundActive && holder.roundDue) add('round', () => holder.beginRound());
    if (holder.rowsQueued > 0) add('rows', () => for_(holder.takeRows(2, this.#now), (row) => this.#write(node, row)));
    if (holder.roundActive) {
      add('finish', () => {
        const wishes = holder.finishRound(this.#now);
        for_(wishes ?? [], (wish) => this.#mark(node, wish));
        this.#pump(node);
      });
    }
  }

  #read(node: SimulatedNode, partition: number, held: { reading: PartitionReading; number: number; at: number }): void {
    const { reading } = held;
    if (reading.lost) return;
    if (reading.reading !== held.number) {
      held.number = reading.reading;
      held.at = reading.position;
    }
    const records = this.#partitions[partition]!.slice(held.at, held.at + 1 + randomBelow(this.#rng, 3));
    if (records.length === 0) return;
    const batch = batchOf(records, held.at);
    const next = node.ingest!.route(reading, held.number, batch, 0, this.#job.newKeyLocator('in'), this.#now);
    this.#say(`n${node.number} routes ${partition}@${held.at} ${records} -> ${next}`);
    if (next !== readingChanged) held.at += next;
    this.#pump(node);
  }

  #commit(node: SimulatedNode, partition: number, reading: PartitionReading): void {
    node.ingest!.catchUp();
    if (reading.lost) return;
    const offset = node.ingest!.durableWatermark(reading);
    // A commit of a lease that is over is fenced, or may come late where the log can't fence; ours can't.
    const committed = this.#committed[partition];
    const generation = node.table.generation;
    if (committed !== null && committed!.offset === offset && committed!.generation === generation) return;
    if (committed !== null && committed!.generation > generation) return;
    this.#committed[partition] = { offset, generation };
    this.#say(`n${node.number} commits ${partition} at ${offset} generation ${generation}`);
    if (node.applied >= this.#leader.generationIndex) this.#checkCommit(partition, offset);
  }
}

function for_<T>(items: readonly T[], fn: (item: T) => void): void {
  for (const item of items) fn(item);
}

function batchOf(values: readonly string[], first: number): RecordBatch {
  const bytes = Buffer.from(values.join(''));
  let at = 0;
  const starts = values.map((value) => (at += value.length) - value.length);
  return {
    count: values.length,
    bytes,
    offsets: Float64Array.from(values, (_, i) => first + i),
    timestampsUnixMs: new Float64Array(values.length).fill(Number.NaN),
    keyStarts: new Int32Array(values.length).fill(-1),
    keyEnds: new Int32Array(values.length).fill(-1),
    valueStarts: Int32Array.from(starts),
    valueEnds: Int32Array.from(values, (value, i) => starts[i]! + value.length),
    nextOffset: first + values.length,
  };
}
