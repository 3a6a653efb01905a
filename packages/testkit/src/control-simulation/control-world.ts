import type { Logger, NodeId, Rng } from '@holdfast/model';
import { randomBelow, SeededRng } from '@holdfast/model';
import { emptyRestored, type RaftMessage } from '@holdfast/raft';
import { SimulationFailure } from '../record-simulation/failure.ts';
import { CallWatch } from './call-watch.ts';
import { ControlChecks } from './control-checks.ts';
import type { FaultKind } from './fault-kinds.ts';
import { drawPlan, type Plan } from './plan.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedGossip, type SimulatedMembership } from './simulated-gossip.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { SimulatedNode } from './simulated-node.ts';
import { SimulatedStore } from './simulated-store.ts';
import { Trace } from './trace.ts';
import { VirtualTime } from './virtual-time.ts';

/** All state of one simulated history. */
export class ControlWorld {
  readonly rng: Rng;
  readonly plan: Plan;
  readonly trace: Trace;
  readonly time: VirtualTime;
  readonly network: SimulatedNetwork;
  readonly store: SimulatedStore;
  readonly gossip: SimulatedMembership;
  readonly checks: ControlChecks;
  readonly nodes: readonly SimulatedNode[];
  /** By identity, also those that are lost: what they had acknowledged was true. */
  readonly disks = new Map<string, SimulatedDisk>();
  readonly faults: Partial<Record<FaultKind, number>> = {};
  /** What became of writes on their way in crashes. */
  readonly crashedWrites = { kept: 0, undone: 0, torn: 0 };
  failure: SimulationFailure | null = null;
  isHealing = false;
  readonly #isTraced: boolean;
  #serial = 0;

  constructor(seed: number, isTraced: boolean) {
    const root = new SeededRng(seed);
    const next = (): Rng => new SeededRng(root.u32());
    this.rng = next();
    this.plan = drawPlan(next());
    this.#isTraced = isTraced;
    this.trace = new Trace(isTraced);
    this.time = new VirtualTime(next(), this.trace);
    this.store = new SimulatedStore(this.time, this.plan.storeHighestEpoch);
    this.store.setTopic('in', this.plan.partitions);
    this.gossip = new SimulatedGossip(next());
    this.checks = new ControlChecks({
      report: (text) => this.report(text),
      nowMs: () => this.time.nowMs,
      lease: this.plan.lease,
      clockDriftRatio: this.plan.clockDriftRatio,
      storeHighestEpoch: this.plan.storeHighestEpoch,
      isListening: (address) => this.network.isListening(address),
      diskOf: (member) => this.disks.get(member.slice(member.indexOf('/') + 1))?.synced ?? emptyRestored,
    });
    const calls = new CallWatch(this);
    this.network = new SimulatedNetwork(this.time, next(), this.trace, {
      onRaftSent: (from, message) => this.#onRaftSent(from, message),
      onCallSent: (from, _to, method, body) => calls.sent(from, method, body),
    });
    this.nodes = this.plan.nodeIds.map((id) => new SimulatedNode(id, this, next()));
  }

  node(id: NodeId): SimulatedNode {
    return this.nodes.find((node) => node.id === id)!;
  }

  get upNodes(): SimulatedNode[] {
    return this.nodes.filter(({ state }) => state === 'up');
  }

  /** Who leads, as far as it knows itself; the latest term's if there are several. */
  get leader(): SimulatedNode | undefined {
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
    if (!this.#isTraced) return null;
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

  faultHappened(kind: FaultKind, detail: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    this.trace.mixText(kind);
    this.say(() => `FAULT ${kind} ${detail}`);
  }

  noteCrashedWrite(what: 'kept' | 'undone' | 'torn'): void {
    this.crashedWrites[what]++;
  }

  /** A supervisor starts what has ended. */
  restartLater(node: SimulatedNode, delayMs = 200 + randomBelow(this.rng, 3_000)): void {
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
