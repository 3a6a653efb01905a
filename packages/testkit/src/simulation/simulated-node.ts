import {
  ControlPlane,
  ControlPlaneError,
  type CrashReports,
  RaftStorageError,
  ServiceWatch,
  storeLook,
} from '@holdfast/engine';
import { type NodeId, type Rng, randomBelow, randomRatio, SeededRng, silentLogger } from '@holdfast/model';
import { MemoryCrashFolder } from '../memory-crash-folder.ts';
import { serviceLackedKind } from './fault-kinds.ts';
import type { ShardLife } from './shard-life.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { VirtualProcess } from './virtual-process.ts';

export type NodeState = 'down' | 'starting' | 'up' | 'stopping';

/** How often a process takes its host with it: nothing is refused then, silence is all. */
const hostGoneRatio = 0.3;

/** A node over all its lives: its folder and disk, and the process of the present life. */
export class SimulatedNode<S extends ShardLife = ShardLife> {
  readonly id: NodeId;
  disk!: SimulatedDisk;
  state: NodeState = 'down';
  process: VirtualProcess | null = null;
  control: ControlPlane | null = null;
  shards: S[] = [];
  /** Of the process; its address is made of it. */
  start = 0;
  /** The identity of its data folder, and the counter in it: raised for each incarnation. */
  folder = 1;
  counter = 0;
  /** How far the present table was compared. */
  checkedIndex = 0;
  sessionsLost = 0;
  /** The next write to the disk is the last thing this process does. */
  diesWriting = false;
  /** The next vote that it gives is the last message of this process; it is back at once. */
  diesVoting = false;
  /** A shard was made to fail: its process may end. */
  mayEnd = false;
  /** It was to be taken out of the members with the disk that it has now. */
  mayBeRemoved = false;
  /** What its shards note before they apply, over all processes. */
  crashes = new MemoryCrashFolder();
  #crashReports!: CrashReports;
  readonly #world: SimulatedWorld<S>;
  readonly #rng: Rng;
  #ledAtMs = Number.NEGATIVE_INFINITY;

  constructor(id: NodeId, world: SimulatedWorld<S>, rng: Rng) {
    this.id = id;
    this.#world = world;
    this.#rng = rng;
    this.newDisk();
  }

  get uuid(): string {
    return `folder-${this.folder}-of-${this.id}`;
  }

  /** Blank, in place of one that is lost or damaged: Raft has to take it for another member. */
  newDisk(): void {
    const world = this.#world;
    this.disk = new SimulatedDisk(world.nextDiskIdentity(), world.time, this.#rng, {
      onSynced: (write, before, after) => world.checks.onSynced(this, write, before, after),
      onWriting: () => {
        if (!this.diesWriting) return;
        this.diesWriting = false;
        world.faultHappened('crashInWrite', this.id);
        this.kill();
      },
      onCrashed: (what) => world.noteCrashedWrite(what),
    });
    world.disks.set(this.disk.identity, this.disk);
  }

  /** The whole folder is lost: another node under the same name, until an operator has the old one forgotten. */
  loseFolder(): void {
    this.folder++;
    this.counter = 0;
    this.mayBeRemoved = false;
    this.crashes = new MemoryCrashFolder();
    this.newDisk();
  }

  get address(): string {
    return `sim:${this.id}:${this.start}`;
  }

  get isLive(): boolean {
    return this.process?.isAlive === true;
  }

  begin(): void {
    if (this.state !== 'down') return;
    const { time, plan, checks } = this.#world;
    const rate = 1 + (randomRatio(this.#rng) * 2 - 1) * plan.clockDriftRatio;
    const process = new VirtualProcess(`${this.id}#${++this.start}`, time, rate, randomBelow(this.#rng, 1_000_000));
    this.process = process;
    this.state = 'starting';
    this.checkedIndex = 0;
    this.mayEnd = false;
    this.counter++;
    this.#world.gossip.restarted(this.id, this.#world.addresses());
    this.#crashReports = this.crashes.start().reports;
    this.#newShards();
    this.#world.say(() => `${this.id} starts (${this.start})`);
    ControlPlane.start(this.#options(process)).then(
      (control) => {
        this.control = control;
        this.state = 'up';
        checks.onStarted(this);
        checks.onApplied(this);
        control.onUpdate(() => {
          if (this.process === process && process.isAlive) checks.onApplied(this);
        });
        this.setPeers();
      },
      (error: unknown) => this.#startFailed(error),
    );
  }

  /** kill -9: nothing of the process runs any more. What its disk has is decided now. */
  kill(): void {
    if (this.process === null) return;
    this.#world.say(() => `${this.id} dies`);
    this.#world.processEnds(this);
    this.process.die();
    if (this.#world.killsInWork) this.crashes.endInWork(this.#world.time.nowMs);
    this.#world.network.close(this.address, randomRatio(this.#rng) < hostGoneRatio);
    for (const shard of this.shards) shard.end();
    this.process = null;
    this.control = null;
    this.diesWriting = false;
    this.diesVoting = false;
    this.disk.crash();
    this.state = 'down';
  }

  /** A graceful stop: the process ends when it is done. */
  stop(timeoutMs: number, onStopped: () => void): void {
    const { control, process } = this;
    if (this.state !== 'up' || control === null || process === null) return;
    this.state = 'stopping';
    control.stop(timeoutMs).then(
      () => {
        if (!process.isAlive) return;
        this.kill();
        onStopped();
      },
      (error: unknown) => this.#world.report(`ASSERT: the stop of ${this.id} rejected: ${String(error)}`),
    );
  }

  setPeers(): void {
    const addresses = new Map<NodeId, string>();
    for (const [id, hint] of this.#world.gossip.view(this.id)) addresses.set(id, hint.address);
    this.control?.setPeers(addresses);
  }

  /**
   * A leader's renewals of its own session don't pass the network; the status shows when the last good one was asked
   * for. Only while it leads, or just did: else this would believe what it is to check. At each of its events: one that was
   * confirmed just in time is known before anybody asks how long the last was ago.
   */
  noteOwnRenewals(): void {
    const { control, process } = this;
    if (control === null || process === null) return;
    const { nowMs } = this.#world.time;
    if (control.leadership.role === 'leader') this.#ledAtMs = nowMs;
    if (control.session === null) return;
    if (nowMs - this.#ledAtMs > 2_000) return;
    const { session, renewedAtMs: sentAtOwnMs } = control;
    if (sentAtOwnMs === null) return;
    const sentAtMs = process.worldMsOf(sentAtOwnMs);
    this.#world.checks.times.onProof(session, { sentAtMs, sentAtOwnMs });
  }

  #options(process: VirtualProcess): Parameters<typeof ControlPlane.start>[0] {
    const world = this.#world;
    const { plan } = world;
    const { log, store } = world.leaderReads(process);
    const logger = world.logger(this.id) ?? silentLogger;
    const lookAtStore = storeLook(store, () => this.control?.table.storeGeneration ?? '');
    const looks = { log: () => log.describe('in'), store: lookAtStore };
    const services = new ServiceWatch(looks, process, logger);
    return {
      nodeId: this.id,
      version: '0.0.0',
      voters: plan.founders,
      incarnation: { uuid: this.uuid, counter: this.counter },
      shards: this.shards,
      transport: world.network.transport(this.id, process, this.address),
      raftStorage: this.disk.open(process),
      log,
      store,
      topics: ['in'],
      timers: process,
      rng: new SeededRng(this.#rng.u32()),
      logger,
      onSessionLost: (reason) => this.#sessionLost(process, reason),
      onFatal: (error) => this.#fatal(process, error),
      balancingPaused: () => [...world.gossip.view(this.id).values()].some(({ state }) => state !== 'alive'),
      services,
      crashes: this.#crashReports,
      lease: plan.lease,
      compaction: plan.compaction,
    };
  }

  #newShards(): void {
    for (const shard of this.shards) shard.end();
    this.shards = this.#world.newShards(this, this.#rng);
  }

  #sessionLost(process: VirtualProcess, reason: string): void {
    this.sessionsLost++;
    this.#world.say(() => `${this.id} loses its session: ${reason}`);
    if (/ has not answered .* others have it/.test(reason)) this.#world.faultHappened(serviceLackedKind, this.id);
    this.#world.endSession(this, this.#rng, () => {
      // A node that stops makes no new shards.
      if (this.process !== process || this.state !== 'up') return;
      this.counter++;
      this.#newShards();
      this.control!.restartSession(this.counter, this.shards);
    });
  }

  #fatal(process: VirtualProcess, error: unknown): void {
    this.#world.say(() => `${this.id} ends: ${String(error)}`);
    if (!this.#isExpected(error)) this.#world.report(`ASSERT: ${this.id} ended: ${describe(error)}`);
    process.receive(0, 'exit', () => {
      this.kill();
      if (error instanceof ControlPlaneError && error.code === 'REMOVED') {
        this.#world.faultHappened('removedReturns', this.id);
        this.loseFolder();
      }
      this.#world.restartLater(this);
    });
  }

  #startFailed(error: unknown): void {
    this.#world.say(() => `${this.id} can't start: ${String(error)}`);
    if (error instanceof RaftStorageError && error.code === 'CORRUPT' && this.disk.isCorrupt) {
      this.kill();
      this.newDisk();
      this.#world.restartLater(this);
      return;
    }
    this.#world.report(`ASSERT: ${this.id} can't start: ${describe(error)}`);
  }

  /** Only what was done to it may end a node. */
  #isExpected(error: unknown): boolean {
    if (error instanceof RaftStorageError) return this.disk.hasFailed;
    if (!(error instanceof ControlPlaneError)) return false;
    if (error.code === 'NODE_ID_TAKEN') return this.folder > 1;
    if (error.code === 'REMOVED') return this.mayBeRemoved;
    return error.code === 'SHARD_FAILED' && this.mayEnd;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
