import type { Logger, NodeId, Rng } from '@holdfast/model';
import { randomBelow, SeededRng } from '@holdfast/model';
import { emptyRestored, type RaftMessage } from '@holdfast/raft';
import { CallWatch } from './call-watch.ts';
import type { CommittedEntry } from './checkers/committed-log.ts';
import type { CommonPlan } from './common-plan.ts';
import { ControlChecks } from './control-checks.ts';
import { SimulationFailure } from './failure.ts';
import type { LeaderLog, LeaderStore, OutsideLog, OutsideStore } from './leader-reads.ts';
import type { ShardLife } from './shard-life.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedGossip, type SimulatedMembership } from './simulated-gossip.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedNode } from './simulated-node.ts';
import { Trace } from './trace.ts';
import type { VirtualProcess } from './virtual-process.ts';
import { VirtualTime } from './virtual-time.ts';

/** The randomness of each part of a history, all from one seed. */
export interface WorldRandomness {
  readonly own: Rng;
  readonly next: () => Rng;
}

export function randomnessOf(seed: number): WorldRandomness {
  const root = new SeededRng(seed);
  const next = (): Rng => new SeededRng(root.u32());
  return { own: next(), next };
}

/** What every simulated history of a cluster has: nodes with their control planes, time, network, and who looks at them. */
export abstract class SimulatedWorld<S extends ShardLife = ShardLife> {
  readonly rng: Rng;
  abstract readonly plan: CommonPlan;
  abstract readonly store: OutsideStore;
  abstract readonly log: OutsideLog;
  readonly trace: Trace;
  readonly time: VirtualTime;
  network!: SimulatedNetwork;
  gossip!: SimulatedMembership;
  checks!: ControlChecks;
  nodes!: readonly SimulatedNode<S>[];
  /** By identity, also those that are lost: what they had acknowledged was true. */
  readonly disks = new Map<string, SimulatedDisk>();
  /** How often each kind of fault took effect. */
  readonly faults: Record<string, number> = {};
  /** What became of writes on their way in crashes. */
  readonly crashedWrites = { kept: 0, undone: 0, torn: 0 };
  failure: SimulationFailure | null = null;
  isHealing = false;
  healedAtMs = 0;
  readonly isTraced: boolean;
  #serial = 0;

  constructor(rng: Rng, timeRng: Rng, isTraced: boolean) {
    this.rng = rng;
    this.isTraced = isTraced;
    this.trace = new Trace(isTraced);
    this.time = new VirtualTime(timeRng, this.trace);
  }

  /** Puts everything in its place, once plan and store are there. */
  protected assemble(next: () => Rng, onEntry: (index: number, entry: CommittedEntry) => void = () => {}): void {
    const { plan } = this;
    this.gossip = new SimulatedGossip(next());
    this.checks = new ControlChecks({
      report: (text) => this.report(text),
      nowMs: () => this.time.nowMs,
      lease: plan.lease,
      clockDriftRatio: plan.clockDriftRatio,
      epochFloor: Math.max(plan.storeHighestEpoch, this.log.highestFence),
      isListening: (address) => this.network.isListening(address),
      diskOf: (member) => this.disks.get(member.slice(member.indexOf('/') + 1))?.synced ?? emptyRestored,
      onEntry,
    });
    const calls = new CallWatch(this);
    this.network = new SimulatedNetwork(this.time, next(), this.trace, {
      onRaftSent: (from, message) => this.#onRaftSent(from, message),
      onCallSent: (from, _to, method, body) => calls.sent(from, method, body),
    });
    this.nodes = plan.nodeIds.map((id) => new SimulatedNode<S>(id, this, next()));
  }

  /** What the control thread of a node reads of store and log. */
  abstract leaderReads(process: VirtualProcess): { readonly log: LeaderLog; readonly store: LeaderStore };

  /** The shards of a node's next session. */
  abstract newShards(node: SimulatedNode<S>, rng: Rng): S[];

  /** The node has lost its session: its shards end. `then` is called when new ones may be made. */
  abstract endSession(node: SimulatedNode<S>, rng: Rng, then: () => void): void;

  /**
   * Does a fault that only this world has.
   * @param _mayLoseVoter asked before a member of Raft is lost for good
   * @returns what was done; null when it couldn't be
   */
  inject(kind: string, _node: SimulatedNode<S>, _mayLoseVoter: () => boolean): string | null {
    throw new Error(`no such fault: ${kind}`);
  }

  node(id: NodeId): SimulatedNode<S> {
    return this.nodes.find((node) => node.id === id)!;
  }

  get upNodes(): SimulatedNode<S>[] {
    return this.nodes.filter(({ state }) => state === 'up');
  }

  /** Who leads, as far as it knows itself; the latest term's if there are several. */
  get leader(): SimulatedNode<S> | undefined {
    const leaders = this.upNodes.filter(({ control }) => control!.isLeader);
    return leaders.sort((a, b) => b.control!.leadership.term - a.control!.leadership.term)[0];
  }

  /** Where everybody listens now: what a configuration of fixed names would give. */
  addresses(): Map<NodeId, { readonly address: string; readonly start: number }> {
    return new Map(this.nodes.map(({ id, address, start }) => [id, { address, start }]));
  }

  nextSerial(): number {
    return ++this.#serial;
  }

  nextDiskIdentity(): string {
    return `disk${this.disks.size + 1}`;
  }

  /** Something was broken. The first is what the run reports. */
  report(text: string): void {
    this.failure ??= new SimulationFailure(text);
  }

  say(text: () => string): void {
    this.trace.say(this.time.nowMs, text);
  }

  /** Log lines of a node, if the history is traced. */
  logger(id: NodeId): Logger | null {
    if (!this.isTraced) return null;
    const write = (text: string, fields?: object): void => {
      const more =
        fields === undefined
          ? ''
          : ` ${Object.entries(fields)
              .map(([k, v]) => `${k}=${String(v)}`)
              .join(' ')}`;
      this.say(() => `  ${id} ${text}${more}`);
    };
    const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger };
    return logger;
  }

  faultHappened(kind: string, detail: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    this.trace.mixText(kind);
    this.say(() => `FAULT ${kind} ${detail}`);
  }

  noteCrashedWrite(what: 'kept' | 'undone' | 'torn'): void {
    this.crashedWrites[what]++;
  }

  /** Whether processes that are killed were in the midst of the work that they did last. */
  get killsInWork(): boolean {
    return false;
  }

  /** Told of each process that ends, before anything of it is undone. */
  processEnds(_node: SimulatedNode<S>): void {}

  /** A supervisor starts what has ended. */
  restartLater(node: SimulatedNode<S>, delayMs = 200 + randomBelow(this.rng, 3_000)): void {
    this.time.after(delayMs, 'restart', () => node.begin());
  }

  #onRaftSent(from: NodeId, message: RaftMessage): void {
    const node = this.node(from);
    this.checks.onRaftSent(node, message);
    const isVote = message.type === 'vote' || (message.type === 'voteReply' && message.granted);
    if (!isVote || !node.diesVoting) return;
    node.diesVoting = false;
    const { process } = node;
    this.time.after(0, 'die after the vote', () => {
      if (node.process !== process) return;
      this.faultHappened('crashVoter', from);
      node.kill();
      this.restartLater(node, 1 + randomBelow(this.rng, 20));
    });
  }
}
