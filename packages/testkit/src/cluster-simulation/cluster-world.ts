import { type Rng, randomBelow, randomRatio, silentLogger } from '@holdfast/model';
import type { CompiledJob } from '@holdfast/sdk';
import type { LeaderLog, LeaderStore } from '../simulation/leader-reads.ts';
import type { SimulatedNode } from '../simulation/simulated-node.ts';
import { randomnessOf, SimulatedWorld } from '../simulation/simulated-world.ts';
import type { VirtualProcess } from '../simulation/virtual-process.ts';
import { FullQueues } from './checkers/full-queues.ts';
import { StreamFlights } from './checkers/stream-flights.ts';
import { ClusterChecks } from './cluster-checks.ts';
import { injectRecordFault, moveHotUnit } from './cluster-faults.ts';
import { inputTopic, type LedgerState, ledgerJob, makeDeadly, makeSlow } from './cluster-job.ts';
import { ClusterLog } from './cluster-log.ts';
import { type ClusterPlan, drawPlan } from './cluster-plan.ts';
import { ClusterStore } from './cluster-store.ts';
import { EngineShard } from './engine-shard.ts';
import { deadlyFaultKind, spoiltFaultKind } from './fault-kinds.ts';
import { Ledger } from './ledger.ts';
import { logClient } from './log-client.ts';
import { RecordStreams } from './record-streams.ts';
import { hexOf } from './users.ts';

/** A shard that doesn't end by then is stuck: only the end of its process helps, as a node does it. */
const closeTimeoutMs = 20_000;
/** Records that take their time keep a thread busy for so long at once: more would be a shard that makes no progress. */
const slowTurnMsMax = 1_000;

/** The world of a whole cluster: shipped control planes and shards, and around them streams, a log and a store. */
export class ClusterWorld extends SimulatedWorld<EngineShard> {
  override readonly plan: ClusterPlan;
  override readonly store: ClusterStore;
  override readonly log: ClusterLog;
  readonly ledger: Ledger;
  readonly streams: RecordStreams;
  readonly records: ClusterChecks;
  readonly flights: StreamFlights;
  readonly queues: FullQueues;
  /** When a record ended a process last. */
  lastDeathMs = Number.NEGATIVE_INFINITY;
  /** When every user had its last record, and what the log's last entry was then; null until then. */
  allFed: { readonly atMs: number; readonly index: number } | null = null;
  readonly #shards = new Map<number, EngineShard>();
  readonly #ports: Rng;
  /** Applied records that took their time. */
  slowRecords = 0;
  /** The process that ends now is ended by a record. */
  #isRecordsDoing = false;

  constructor(seed: number, isTraced: boolean) {
    const { own, next } = randomnessOf(seed);
    const planRng = next();
    super(own, next(), isTraced);
    this.plan = drawPlan(planRng, seed);
    const { plan, time } = this;
    this.#ports = next();
    this.ledger = new Ledger(plan.users);
    const report = (text: string): void => this.report(text);
    const events = (): ClusterChecks => this.records;
    this.log = new ClusterLog(
      time,
      next(),
      {
        onAppended: (topic, records) => events().onAppended(topic, records),
        onCommitted: (commit, isFenced) => events().onCommitted(commit, isFenced),
      },
      plan.logFences,
    );
    this.store = new ClusterStore(
      time,
      next(),
      {
        onClaimed: (life, client, claim, result) => events().onClaimed(life, client, claim, result),
        onClaimAnswered: (client, claim, result) => events().onClaimAnswered(client, claim, result),
        onBackup: (life, client, row, result) => events().onBackup(life, client, row, result),
        onBackupAnswered: (client, row, result) => events().onBackupAnswered(client, row, result),
        onMarked: (life, client, marks) => events().onMarked(life, client, marks),
        onNewLife: (life) => events().onNewLife(life),
      },
      plan.storeHighestEpoch,
    );
    this.log.setTopic(inputTopic, plan.partitions);
    this.flights = new StreamFlights(report, plan.limits);
    this.queues = new FullQueues(report, plan.limits);
    const { committedBefore } = plan;
    if (committedBefore !== null) this.log.inherit(inputTopic, committedBefore.offset, committedBefore.fence);
    this.assemble(next, (index, entry) => this.records.onEntry(index, entry));
    this.streams = new RecordStreams({
      time,
      rng: next(),
      network: this.network,
      highWaterBytes: plan.streamHighWaterBytes,
      report,
      onReturn: (from, message) => this.records.fencedReports.onReturn(from, message),
      flights: this.flights,
    });
    this.records = new ClusterChecks({
      report,
      ledger: this.ledger,
      limits: plan.limits,
      model: this.checks.model,
      shardOf: (serial) => {
        const { session, index } = this.#shards.get(serial)!;
        return { serial, session, index };
      },
    });
    this.records.onNewLife(this.store.life);
  }

  override leaderReads(process: VirtualProcess): { readonly log: LeaderLog; readonly store: LeaderStore } {
    const node = this.nodes.find((each) => each.process === process)!;
    return {
      log: logClient(this.log, this.time, this.#ports, node.id, process),
      store: this.store.client(node.id, process, 0),
    };
  }

  /** Of all nodes, those that live. */
  *liveShards(): Iterable<EngineShard> {
    for (const { shards } of this.nodes) for (const shard of shards) if (!shard.isEnded) yield shard;
  }

  override newShards(node: SimulatedNode<EngineShard>, rng: Rng): EngineShard[] {
    return Array.from({ length: this.plan.shardsPerNode }, (_, index) => this.#newShard(node, index, rng));
  }

  override endSession(node: SimulatedNode<EngineShard>, rng: Rng, then: () => void): void {
    const process = node.process!;
    const { shards } = node;
    let left = shards.length;
    const cancel = process.setTimer(closeTimeoutMs, () => {
      this.say(() => `a shard of ${node.id} is stuck and can't be ended`);
      node.kill();
      this.restartLater(node);
    });
    for (const shard of shards) {
      shard.close(() => {
        if (--left > 0) return;
        cancel();
        process.receive(5 + randomRatio(rng) * 100, 'new shards', then);
      });
    }
  }

  override inject(kind: string, node: SimulatedNode<EngineShard>, mayLoseVoter: () => boolean): string | null {
    return injectRecordFault(this, kind, node, mayLoseVoter);
  }

  override get killsInWork(): boolean {
    return this.plan.isDeadly;
  }

  override processEnds({ id, counter }: SimulatedNode<EngineShard>): void {
    if (!this.#isRecordsDoing) this.records.quarantine.onOtherEnd({ node: id, counter });
  }

  /** A record that this node is about to apply ends its process. */
  #dies(node: SimulatedNode<EngineShard>, key: Uint8Array, position: string): void {
    this.lastDeathMs = this.time.nowMs;
    const { unitKey } = this.ledger.byHex.get(hexOf(key))!;
    const folders = this.nodes.reduce((sum, { folder }) => sum + folder, 0);
    this.records.quarantine.onDeath(unitKey, position, folders, { node: node.id, counter: node.counter });
    this.faultHappened(deadlyFaultKind, node.id);
    this.#isRecordsDoing = true;
    node.kill();
    this.#isRecordsDoing = false;
    this.restartLater(node);
  }

  /** A busy unit is moved to some node: every history has these, so that they count for no fault. */
  planMove(): void {
    const node = this.upNodes[randomBelow(this.rng, Math.max(1, this.upNodes.length))];
    if (node !== undefined) moveHotUnit(this, node, () => this.say(() => `the planned move to ${node.id} is begun`));
  }

  /** A thread that applies a record has so much less time for anything else. */
  #takesTime(thread: VirtualProcess, recordMs: number): void {
    this.slowRecords++;
    const busyMs = Math.max(0, thread.pausedUntilMs - this.time.nowMs);
    thread.pause(Math.min(slowTurnMsMax, busyMs + recordMs));
  }

  #newShard(node: SimulatedNode<EngineShard>, index: number, rng: Rng): EngineShard {
    const { plan, time } = this;
    const serial = this.nextSerial();
    const address = `shard:${node.id}:${serial}`;
    const { slow } = plan;
    const jobOf = ({ thread }: EngineShard): CompiledJob<LedgerState> => {
      const job = makeDeadly(
        ledgerJob(plan.idleMs, (key, state, partition, offset) =>
          this.records.onApply(serial, key, state, partition, offset),
        ),
        (key, partition, offset) => this.#dies(node, key, `${partition}/${offset}`),
        () => this.faultHappened(spoiltFaultKind, node.id),
      );
      return slow === null ? job : makeSlow(job, slow.key, () => this.#takesTime(thread, slow.recordMs));
    };
    const shard = new EngineShard({
      nodeId: node.id,
      index,
      serial,
      process: node.process!,
      rng,
      messageMsMax: plan.messageMsMax,
      before: node.shards[index],
      options: (made) => ({
        job: jobOf(made),
        crashNotes: node.crashes.notes(index, node.counter, {
          isAlive: () => made.thread.isAlive,
          nowMs: () => time.nowMs,
        }),
        log: logClient(this.log, time, this.#ports, node.id, made.thread),
        store: this.store.client(node.id, made.thread, serial),
        transport: this.streams.transport(node.id, made.thread, address, () => made.ref),
        logger: this.logger(node.id)?.child(`${index}`) ?? silentLogger,
        limits: plan.limits,
        settings: plan.settings,
      }),
      onEnded: (ended) => {
        this.streams.vanish(address, ended.thread, randomRatio(this.#ports) < 0.25);
        this.records.appliers.forget(serial);
      },
    });
    this.#shards.set(serial, shard);
    return shard;
  }
}
