import { LeaseTableReader } from '@holdfast/lease';
import { partitionKey, type SessionId, type ShardRef } from '@holdfast/model';
import { Holder, Ingest, RecordCounters } from '@holdfast/processor';
import { delay } from '../ports/timers.ts';
import { SessionProof } from '../session-proof.ts';
import type { DirectoryEntry, HotUnit, LeasedPartition, ToShard, UserAnswer } from '../shard-messages.ts';
import { answerQuery } from './answer-query.ts';
import { BeatingJob } from './beating-job.ts';
import { CommitLoop } from './commit-loop.ts';
import { sendEnds } from './end-messages.ts';
import { handOverAsTold } from './hand-over-messages.ts';
import { HeldBackTeller } from './held-back.ts';
import { OutputLoop } from './output-loop.ts';
import { PartitionLoop } from './partition-loop.ts';
import type { KnownGeneration, ShardContext, TableView } from './shard-context.ts';
import { ShardMeter } from './shard-meter.ts';
import type { ShardOptions } from './shard-options.ts';
import { StageClock } from './stage-clock.ts';
import { StoreLoop } from './store-loop.ts';
import { StreamLinks } from './stream-links.ts';
import { TableBarrier } from './table-barrier.ts';
import { ToldQuarantine } from './told-quarantine.ts';

/** Time between two looks at what time alone can make due: frame ages, repeated requests. */
const tickMs = 5;
/** The same when nothing is under way: rounds, commits, lag. An idle shard should cost next to nothing. */
const idleTickMs = 50;
/** A holder with a live session that can't be reached for so long: others shall read what is read here. */
const giveUpAfterMs = 10_000;
/** The leader may not have heard it: said again. */
const giveUpEveryMs = 2_000;
/** How long a draining shard waits for the reports of holders that drain too. */
const drainTogetherMsMax = 5_000;
/** Units on their way to other shards at once: a user waits for no more than these rows and one entry. */
const movingMax = 128;
/** Places of the lease table looked at in one go for units to hand over: some tenths of a millisecond. */
const handOverPlacesMax = 8_192;
/** Hot units told to the control thread. */
const hotListedMax = 8;
/** Units closed for idleness per tick: bounds the work. */
const idleClosedMax = 256;

/**
 * A shard: the ingest and holder cores with the loops that tie them to log, store and streams. One thread runs it; the
 * control thread talks to it by messages (`ToShard`, `FromShard`), leases come through the shared table.
 * One shard lives as long as one session at most.
 */
export class Shard {
  readonly #options: ShardOptions;
  readonly #counters = new RecordCounters();
  readonly #clock: StageClock;
  #leases: TableView | null = null;
  #context: ShardContext | null = null;
  #generation: KnownGeneration | null = null;
  #directory: readonly DirectoryEntry[] = [];
  #leased: readonly LeasedPartition[] = [];
  readonly #quarantine = new ToldQuarantine();
  readonly #loops = new Map<string, PartitionLoop>();
  readonly #ending = new Set<PartitionLoop>();
  #links: StreamLinks | null = null;
  #store: StoreLoop | null = null;
  #outputs: OutputLoop[] = [];
  #commits: CommitLoop | null = null;
  #indexSeen = -1;
  #pumping = false;
  #pumpQueued = false;
  #meter: ShardMeter | null = null;
  #gaveUpMs = Number.NEGATIVE_INFINITY;
  #hot: readonly HotUnit[] = [];
  #cancelTick: (() => void) | null = null;
  #tickDelayMs = 0;
  #failed = false;
  #closed = false;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#clock = new StageClock(options.timers, options.stats);
    // A shard that follows another of its node counts on where that one ended.
    for (const name of Object.keys(this.#counters) as (keyof RecordCounters)[])
      this.#counters[name] = options.stats.get(name);
  }

  /** Listens for streams; the control thread opens the session once every shard does. */
  async start(): Promise<void> {
    const address = await this.#options.transport.listen((id, receiver) => {
      const events = this.#links?.accept(id, receiver) ?? 'no session yet';
      if (typeof events !== 'string') return events;
      receiver.close(events);
      return { onFrame() {}, onEnd() {} };
    });
    this.#options.send({ kind: 'listening', address });
    this.#tick();
  }

  /** Takes a message of the control thread. */
  receive(message: ToShard): void {
    if (this.#over) return;
    switch (message.kind) {
      case 'table':
        if (this.#leases !== null) this.#leases.attach(message.buffer);
        else this.#leases = this.#options.openTable?.(message.buffer) ?? new LeaseTableReader(message.buffer);
        this.#onAdvanced();
        return;
      case 'advanced':
        this.#onAdvanced();
        return;
      case 'session':
        this.#open(message.session as SessionId, new SessionProof(message.proof));
        return;
      case 'directory':
        this.#directory = message.sessions;
        this.#links?.setDirectory(message.sessions);
        this.#wake();
        return;
      case 'partitions':
        this.#leased = message.partitions;
        this.#syncPartitions();
        return;
      case 'generation':
        this.#generation = { number: message.number, generationId: message.generationId };
        if (this.#context !== null) this.#context.generation = this.#generation;
        this.#onAdvanced();
        return;
      case 'query':
        this.#options.send({ kind: 'answer', id: message.id, user: this.#answer(message.key) });
        return;
      case 'handOver':
      case 'moveUnit':
      case 'makeRoom':
        this.#guard(() => {
          const holder = this.#context?.holder;
          if (holder !== undefined) handOverAsTold(holder, message, this.#options.timers.monotonicMs());
        });
        this.#wake();
        return;
      case 'quarantine':
        this.#quarantine.add(message);
        this.#context?.holder.quarantine.set(this.#quarantine.units, message.index);
        this.#wake();
        return;
      case 'caughtUp':
        this.#context?.barrier.answered(message.id, message.index);
        return;
      case 'stop':
        void this.#stop();
    }
  }

  /** Ends everything at once, with nothing saved: for a session that is over. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTick?.();
    const context = this.#context;
    if (context !== null) context.stopped = true;
    for (const loop of this.#loops.values()) loop.end();
    this.#links?.closeAll();
    await Promise.all([...this.#loops.values(), ...this.#ending].map((loop) => loop.done));
    await this.#store?.idle();
    this.#meter?.publish(this.#options.timers.monotonicMs());
    this.#options.stats.clearLevels();
  }

  #open(session: SessionId, proof: SessionProof): void {
    const options = this.#options;
    const leases = this.#leases;
    if (leases === null || this.#context !== null) throw new Error('a session needs a table, and comes once');
    const self: ShardRef = { session, shard: options.shard };
    const shared = {
      self,
      job: new BeatingJob(options.job, options.stats),
      leases,
      deadLetterTopic: options.settings.deadLetterTopic,
      limits: options.limits,
      counters: this.#counters,
      crashNotes: options.crashNotes,
    };
    const ingest = new Ingest(shared);
    const holder = new Holder(shared);
    holder.quarantine.set(this.#quarantine.units, this.#quarantine.index);
    const context: ShardContext = {
      options,
      leases,
      ingest,
      holder,
      clock: this.#clock,
      heldBack: new HeldBackTeller(options.send),
      barrier: new TableBarrier(options.send),
      generation: this.#generation,
      stopping: false,
      stopped: false,
      mayAct: () => proof.holds(options.timers.monotonicMs()),
      wake: () => this.#wake(),
      fail: (error) => this.#fail(error),
    };
    this.#context = context;
    this.#links = new StreamLinks(context);
    this.#links.setDirectory(this.#directory);
    this.#meter = new ShardMeter(context, this.#counters, this.#links, this.#loops);
    this.#store = new StoreLoop(context);
    this.#commits = new CommitLoop(context);
    this.#outputs = [
      new OutputLoop(context, {
        take: (max) => holder.outputs.take(max),
        acked: (number) => holder.onOutputsAcked(number, options.timers.monotonicMs()),
      }),
      new OutputLoop(context, {
        take: (max) => ingest.outputs.take(max),
        acked: (number) => {
          ingest.outputs.acked = number;
        },
      }),
    ];
    this.#syncPartitions();
  }

  #syncPartitions(): void {
    const context = this.#context;
    if (context === null || context.stopping) return;
    const wanted = new Map(this.#leased.map((lease) => [`${partitionKey(lease)}@${lease.epoch}`, lease]));
    for (const [key, loop] of this.#loops) {
      if (wanted.has(key)) continue;
      this.#loops.delete(key);
      this.#ending.add(loop);
      loop.end();
      void loop.done.then(() => this.#ending.delete(loop));
    }
    for (const [key, lease] of wanted) {
      if (!this.#loops.has(key)) this.#loops.set(key, new PartitionLoop(context, lease));
    }
    this.#meter!.publish(this.#options.timers.monotonicMs());
  }

  #onAdvanced(): void {
    const context = this.#context;
    if (context === null || this.#over) return;
    this.#guard(() => {
      this.#indexSeen = context.leases.tableIndex();
      const nowMs = this.#options.timers.monotonicMs();
      context.holder.onTableAdvanced(nowMs);
      context.ingest.onTableAdvanced(nowMs);
    });
    this.#wake();
  }

  /** Runs the pump soon, once, whatever the number of calls. */
  #wake(): void {
    if (this.#pumpQueued || this.#over) return;
    this.#pumpQueued = true;
    // The next turn of the loop, not a microtask: a pump that wakes itself must not keep answers from coming in.
    this.#options.timers.setTimer(0, () => {
      this.#pumpQueued = false;
      this.#guard(() => this.#pump());
    });
  }

  /** Moves everything that can move without waiting: frames, returns, wishes. */
  #pump(): void {
    const context = this.#context;
    if (context === null || this.#over || this.#pumping) return;
    this.#pumping = true;
    try {
      const { ingest, holder, options } = context;
      const nowMs = options.timers.monotonicMs();
      const links = this.#links!;
      do {
        if (!context.stopping) ingest.retryParked(nowMs);
        links.openWanted(nowMs);
        // A local holder costs no message, so its frames need not be full.
        ingest.flushLocal();
      } while (links.move(nowMs));
      const acquires = context.stopping ? null : ingest.takeAcquires();
      if (acquires !== null) options.send({ kind: 'acquire', units: acquires });
      if (!context.stopping) holder.ends.handOverSome(nowMs, movingMax, handOverPlacesMax);
      sendEnds(context, nowMs);
      this.#store!.kick(nowMs);
      for (const outputs of this.#outputs) outputs.kick();
      for (const loop of this.#loops.values()) loop.unblock();
      if (this.#tickDelayMs !== tickMs && (context.stopping || ingest.restless)) this.#tickIn(tickMs);
    } finally {
      this.#pumping = false;
    }
  }

  #tickIn(delayMs: number): void {
    this.#cancelTick?.();
    this.#tickDelayMs = delayMs;
    this.#cancelTick = this.#options.timers.setTimer(delayMs, () => this.#tick());
  }

  #tick(): void {
    if (this.#over) return;
    const context = this.#context;
    const moving = context !== null && context.holder.ends.handOverLeft > 0;
    const busy = context !== null && (context.stopping || context.ingest.restless || moving);
    this.#tickIn(busy ? tickMs : idleTickMs);
    this.#options.stats.add('heartbeat', 1);
    if (context === null) return;
    const nowMs = this.#options.timers.monotonicMs();
    this.#guard(() => {
      if (context.leases.tableIndex() !== this.#indexSeen) this.#onAdvanced();
      if (!context.stopping) {
        context.ingest.flushAged(nowMs, this.#options.settings.frameAgeMs);
        context.holder.ends.closeIdle(nowMs, idleClosedMax);
        context.holder.checkClosed(nowMs);
        this.#commits!.kick(nowMs, this.#loops.values());
        this.#giveUp(nowMs);
        this.#tellHot(nowMs);
      }
      this.#meter!.publish(nowMs);
    });
    this.#wake();
  }

  #tellHot(nowMs: number): void {
    const units = this.#context!.holder.questions.hotUnits(nowMs, hotListedMax);
    if (units === null || (units.length === 0 && this.#hot.length === 0)) return;
    this.#hot = units;
    this.#options.send({ kind: 'hot', units });
  }

  /** PROTOCOL.md 3.5 */
  #giveUp(nowMs: number): void {
    const partitions = [...this.#loops.values()].map(({ lease }) => lease);
    if (partitions.length === 0 || nowMs - this.#gaveUpMs < giveUpEveryMs) return;
    const unreached = this.#links!.unreached(nowMs);
    if (unreached === null || unreached.forMs < giveUpAfterMs) return;
    this.#gaveUpMs = nowMs;
    const fields = { ...unreached, partitions: partitions.length };
    this.#options.logger.warn('a holder can not be reached: giving partitions up', fields);
    this.#options.send({ kind: 'giveUp', partitions });
  }

  #answer(key: Uint8Array): UserAnswer | null {
    return this.#context === null ? null : answerQuery(this.#context, key, this.#hot);
  }

  /**
   * The orderly end: stop reading, refuse what still comes, write every row, publish every output, commit what that made
   * durable. Holders that drain at the same time report within moments, and are waited for; what others have not backed
   * up yet stays uncommitted and is read again by whoever reads next.
   */
  async #stop(): Promise<void> {
    const context = this.#context;
    if (context === null || context.stopping) {
      if (context === null) this.#options.send({ kind: 'stopped' });
      return;
    }
    const { timers } = this.#options;
    context.stopping = true;
    this.#commits?.pause();
    try {
      for (const loop of this.#loops.values()) loop.unblock();
      await Promise.all([...this.#loops.values()].map((loop) => loop.done));
      context.holder.ends.closeAll();
      const settled = () =>
        context.holder.ends.allClosed &&
        !context.holder.roundActive &&
        context.holder.outputs.unacked === 0 &&
        !this.#store!.busy &&
        this.#outputs.every((outputs) => !outputs.busy);
      const owedUntilMs = timers.monotonicMs() + drainTogetherMsMax;
      let quietTicks = 0;
      while (!this.#over && quietTicks < 3) {
        this.#wake();
        await delay(timers, tickMs);
        const owed = timers.monotonicMs() < owedUntilMs && this.#links!.owedByClosing;
        quietTicks = settled() && !owed ? quietTicks + 1 : 0;
      }
      if (this.#over) return;
      await this.#commits!.commit(this.#loops.values());
      this.#options.send({ kind: 'stopped' });
    } catch (error) {
      this.#fail(error);
    }
  }

  get #over(): boolean {
    return this.#closed || this.#failed;
  }

  #guard(work: () => void): void {
    if (this.#over) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    // At once: what was left in the midst of a frame must not reach the store with what comes behind it.
    if (this.#context !== null) this.#context.stopped = true;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.logger.error('a shard can not go on', { err: error });
    this.#options.send({ kind: 'failed', error: text });
  }
}
