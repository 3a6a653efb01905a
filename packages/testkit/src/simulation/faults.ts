import type { AdminRequest } from '@holdfast/engine';
import { type NodeId, randomBelow, randomRatio } from '@holdfast/model';
import { operatorAct } from './operator-act.ts';
import type { Spell } from './simulated-network.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Draws faults from the plan's kinds, one after the other, until the world heals. */
export class Faults {
  readonly #world: SimulatedWorld;
  #votersLost = 0;
  /** One wrong firewall at a time is what the rule of two witnesses is for. */
  #firewallUntilMs = 0;
  /** One at a time: nodes without the log are no quorum. */
  #logCutUntilMs = 0;
  #round = 0;

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  /** From now on, until the world heals. */
  begin(): void {
    const { plan, rng, time } = this.#world;
    const round = ++this.#round;
    const again = (): void => {
      const gapMs = Math.min(20_000, -Math.log(1 - randomRatio(rng)) * plan.faultEveryMs);
      time.after(gapMs, 'fault', () => {
        if (this.#world.isHealing || round !== this.#round) return;
        this.#one();
        again();
      });
    };
    // The cluster is founded first.
    time.after(3_000, 'first fault', again);
  }

  #one(): void {
    const kinds = [...this.#world.plan.weights];
    const total = kinds.reduce((sum, [, weight]) => sum + weight, 0);
    let at = randomRatio(this.#world.rng) * total;
    const [kind] = kinds.find(([, weight]) => (at -= weight) <= 0) ?? kinds[kinds.length - 1]!;
    const detail = this.#do(kind);
    if (detail !== null) this.#world.faultHappened(kind, detail);
  }

  #below(most: number): number {
    return randomBelow(this.#world.rng, most);
  }

  #between(least: number, most: number): number {
    return least + this.#below(most - least + 1);
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[this.#below(Math.max(1, list.length))];
  }

  /** @returns what was done, for the trace; null when it couldn't be, or is counted when it takes effect */
  #do(kind: string): string | null {
    const world = this.#world;
    const node = this.#pick(world.nodes.filter(({ isLive }) => isLive));
    if (node === undefined) return null;
    switch (kind) {
      case 'loss':
        return this.#spell({ lossRatio: [0.05, 0.2, 0.5][this.#below(3)]! }, this.#between(2_000, 20_000));
      case 'delay':
        return this.#spell(this.#pick(delays)!, this.#between(2_000, 15_000));
      case 'reorder':
        return this.#spell({ reorderRatio: 0.5, delayMsMax: this.#between(5, 200) }, this.#between(2_000, 20_000));
      case 'duplicate':
        return this.#spell({ duplicateRatio: 0.5 }, this.#between(2_000, 20_000));
      case 'cutPair':
      case 'cutOneWay':
        return this.#cut(kind === 'cutPair');
      case 'isolate':
        return this.#isolate(this.#below(2) === 0 ? node : (world.leader ?? node), this.#between(1_000, 30_000));
      case 'split':
        return this.#split();
      case 'clog':
        return this.#spell({ isClogged: true }, this.#between(500, 4_000));
      case 'firewall':
        return this.#firewall(node);
      case 'logCut':
        return this.#cutLog(node);
      case 'crash':
        return this.#crash(node, [0, 6_000, 24_000][this.#below(3)]!);
      case 'crashLeader':
        return world.leader === undefined ? null : this.#crash(world.leader, this.#between(100, 5_000));
      case 'crashInWrite':
        node.diesWriting = true;
        world.time.after(this.#between(1_000, 8_000), 'restart', () => node.begin());
        return null;
      case 'crashVoter':
        for (const each of world.nodes) each.diesVoting = each.isLive;
        // There has to be somebody to vote for.
        if (world.leader !== undefined) this.#pause(world.leader, this.#between(2_000, 4_000));
        if (this.#below(2) === 0) this.#spell({ delayMsMin: 100, delayMsMax: 900 }, this.#between(3_000, 6_000));
        return null;
      case 'crashAll':
        for (const each of world.nodes) if (each.isLive) this.#crash(each, this.#between(100, 4_000));
        return 'all';
      case 'crashEachLeader':
        this.#crashEachLeader(this.#between(2, 4));
        return '';
      case 'stop':
        return this.#stop(node);
      case 'stall':
        return this.#pause(node, this.#between(100, 3_000));
      case 'pause':
        return this.#pause(this.#below(2) === 0 ? node : (world.leader ?? node), this.#between(4_000, 30_000));
      case 'pauseAll':
        return this.#pauseAll(this.#between(500, 20_000));
      case 'pauseInCut':
        return this.#pauseInCut(world.leader ?? node);
      case 'strobe':
        return this.#strobe(node, this.#between(20, 150));
      case 'shardFailed':
      case 'shardStuck':
        return this.#harmShard(kind, node);
      case 'diskLost':
      case 'diskDamaged':
        return this.#harmDisk(kind, node);
      case 'removeMember':
      case 'removedReturns':
        return this.#removeMember(kind, node);
      case 'diskFull':
        node.disk.writesFailUntilMs = world.time.nowMs + this.#between(500, 6_000);
        return node.id;
      case 'syncFails':
        node.disk.syncsFailUntilMs = world.time.nowMs + this.#between(500, 6_000);
        return node.id;
      case 'diskSlow':
        node.disk.slowUntilMs = world.time.nowMs + this.#between(2_000, 20_000);
        node.disk.slowMs = this.#pick([50, 400, 3_000])!;
        return `${node.id} ${node.disk.slowMs} ms`;
      case 'clockRate': {
        const ratio = 1 + (randomRatio(world.rng) * 2 - 1) * world.plan.clockDriftRatio;
        node.process!.setRate(ratio);
        return `${node.id} ${ratio.toFixed(3)}`;
      }
      case 'wallClockJump':
        node.process!.jumpWallClock(this.#between(-300_000, 300_000));
        return node.id;
      case 'storeDown':
        world.store.downUntilMs = world.time.nowMs + this.#between(2_000, 20_000);
        return '';
      case 'storeWiped':
        return world.store.wipe();
      default:
        return this.#operate(kind, node);
    }
  }

  #nodes(ids: readonly SimulatedNode[]): ReadonlySet<NodeId> {
    return new Set(ids.map(({ id }) => id));
  }

  /** Of all links, or of one node's. */
  #spell(what: Partial<Spell>, durationMs: number): string {
    const { network, nodes, time } = this.#world;
    const whose = this.#below(3) > 0 ? null : this.#nodes([this.#pick(nodes)!]);
    const isFrom = this.#below(2) === 0;
    network.begin({
      untilMs: time.nowMs + durationMs,
      from: isFrom ? whose : null,
      to: isFrom ? null : whose,
      ...what,
    });
    const where = whose === null ? 'everywhere' : `${isFrom ? 'from' : 'to'} ${[...whose].join()}`;
    return `${JSON.stringify(what)} ${where} for ${durationMs} ms`;
  }

  #cutBetween(a: readonly SimulatedNode[], b: readonly SimulatedNode[], durationMs: number, bothWays: boolean): void {
    const { network, time } = this.#world;
    const untilMs = time.nowMs + durationMs;
    network.begin({ untilMs, from: this.#nodes(a), to: this.#nodes(b), isCut: true });
    if (bothWays) network.begin({ untilMs, from: this.#nodes(b), to: this.#nodes(a), isCut: true });
  }

  #cut(bothWays: boolean): string | null {
    const { nodes } = this.#world;
    const a = this.#pick(nodes)!;
    const b = this.#pick(nodes)!;
    if (a === b) return null;
    const durationMs = this.#between(1_000, 25_000);
    this.#cutBetween([a], [b], durationMs, bothWays);
    return `${a.id} ${b.id} for ${durationMs} ms`;
  }

  #isolate(node: SimulatedNode, durationMs: number): string {
    this.#cutBetween(
      [node],
      this.#world.nodes.filter((other) => other !== node),
      durationMs,
      true,
    );
    return `${node.id} for ${durationMs} ms`;
  }

  #split(): string | null {
    const left = this.#world.nodes.filter(() => this.#below(2) === 0);
    const right = this.#world.nodes.filter((node) => !left.includes(node));
    if (left.length === 0 || right.length === 0) return null;
    const durationMs = this.#between(1_000, 25_000);
    this.#cutBetween(left, right, durationMs, this.#below(4) > 0);
    return `${left.map(({ id }) => id).join()} | ${right.map(({ id }) => id).join()} for ${durationMs} ms`;
  }

  /** One node, often the leader, is refused the connection to another that is well, or stands still for a while. */
  #firewall(node: SimulatedNode): string | null {
    const { network, time, leader } = this.#world;
    const from = this.#below(2) === 0 ? node : (leader ?? node);
    const to = this.#pick(this.#world.nodes.filter((other) => other !== from && other.isLive));
    if (to === undefined || this.#firewallUntilMs > time.nowMs) return null;
    this.#firewallUntilMs = time.nowMs + this.#between(3_000, 15_000);
    network.begin({
      untilMs: this.#firewallUntilMs,
      from: this.#nodes([from]),
      to: this.#nodes([to]),
      isRefused: true,
    });
    if (this.#below(2) === 0) this.#pause(to, this.#between(500, 6_000));
    return `${from.id} is refused by ${to.id}`;
  }

  /** What the leader sends doesn't reach a node, which reaches the leader. */
  #cutLog(node: SimulatedNode): string | null {
    const { network, time } = this.#world;
    if (this.#logCutUntilMs > time.nowMs) return null;
    const durationMs = this.#between(10_000, 90_000);
    this.#logCutUntilMs = time.nowMs + durationMs;
    network.begin({ untilMs: this.#logCutUntilMs, from: null, to: this.#nodes([node]), isLogCut: true });
    return `to ${node.id} for ${durationMs} ms`;
  }

  #crash(node: SimulatedNode, downMs: number): string {
    node.kill();
    this.#world.restartLater(node, downMs);
    return `${node.id} for ${downMs} ms`;
  }

  #crashEachLeader(left: number): void {
    const world = this.#world;
    if (left === 0 || world.isHealing) return;
    if (world.leader !== undefined) this.#crash(world.leader, this.#between(500, 3_000));
    world.time.after(this.#between(1_000, 4_000), 'next leader', () => this.#crashEachLeader(left - 1));
  }

  #stop(node: SimulatedNode): string | null {
    const world = this.#world;
    if (node.state !== 'up') return null;
    const downMs = this.#between(100, 10_000);
    node.stop(this.#between(1_000, 20_000), () => world.restartLater(node, downMs));
    return `${node.id} for ${downMs} ms`;
  }

  #pause(node: SimulatedNode, durationMs: number): string {
    node.process!.pause(durationMs);
    return `${node.id} for ${durationMs} ms`;
  }

  #pauseAll(durationMs: number): string {
    for (const { process } of this.#world.nodes) process?.pause(durationMs + this.#below(200));
    return `for ${durationMs} ms`;
  }

  /** A node that was paused and comes back into a cut believes for longest in what is over. */
  #pauseInCut(node: SimulatedNode): string {
    const pauseMs = this.#between(2_000, 12_000);
    this.#isolate(node, pauseMs + this.#between(5_000, 20_000));
    return this.#pause(node, pauseMs);
  }

  #strobe(node: SimulatedNode, timesLeft: number): string {
    const { process } = node;
    const again = (left: number): void => {
      if (left === 0 || this.#world.isHealing || !process!.isAlive) return;
      process!.pause(100);
      this.#world.time.after(200, 'strobe', () => again(left - 1));
    };
    again(timesLeft);
    return `${node.id} ${timesLeft} times`;
  }

  #harmShard(kind: 'shardFailed' | 'shardStuck', node: SimulatedNode): string | null {
    const shard = this.#pick(node.shards);
    if (node.state !== 'up' || shard === undefined || shard.isEnded) return null;
    if (kind === 'shardStuck') {
      shard.isStuck = true;
      node.process!.setTimer(this.#between(3_000, 20_000), () => {
        shard.isStuck = false;
      });
    } else {
      node.mayEnd = true;
      node.process!.receive(0, 'shard failed', () => shard.say({ kind: 'failed', error: 'out of memory' }));
    }
    return `${node.id}/${shard.index}`;
  }

  /** The node comes back with a blank disk, and has to join the cluster anew. */
  #harmDisk(kind: 'diskLost' | 'diskDamaged', node: SimulatedNode): string | null {
    if (!this.#mayLoseVoter()) return null;
    if (kind === 'diskDamaged') node.disk.isCorrupt = true;
    this.#crash(node, this.#between(100, 8_000));
    if (kind === 'diskLost') node.loseFolder();
    return node.id;
  }

  /** A machine is gone for good; another one comes in its place, under its name, or the old disk does by mistake. */
  #removeMember(kind: 'removeMember' | 'removedReturns', node: SimulatedNode): string | null {
    const world = this.#world;
    if (!this.#mayLoseVoter()) return null;
    this.#crash(node, this.#between(20_000, 30_000));
    if (kind === 'removeMember') node.loseFolder();
    else node.mayBeRemoved = true;
    const { start } = node;
    // Its session has to expire first. Once another machine has come, the order would be for that one.
    const ask = (left: number): void => {
      if (left === 0 || node.state !== 'down' || node.start !== start) return;
      const other = this.#pick(world.upNodes);
      const isAble = other !== undefined && !other.process!.isPaused;
      if (isAble) other.control!.admin({ kind: 'removeMember', nodeId: node.id }, 1_000).catch(() => {});
      world.time.after(1_500, 'remove member', () => ask(left - 1));
    };
    world.time.after(14_000, 'remove member', () => ask(8));
    return kind === 'removeMember' ? node.id : null;
  }

  /** With a majority of the voters lost nobody could go on. */
  #mayLoseVoter(): boolean {
    if (this.#votersLost >= this.#world.plan.votersLostMax) return false;
    this.#votersLost++;
    return true;
  }

  #operate(kind: string, node: SimulatedNode): string | null {
    const world = this.#world;
    const { process } = node;
    if (node.state !== 'up' || process!.isPaused) return null;
    const ask = (request: AdminRequest, detail: string): null => {
      operatorAct(node, request, () => world.faultHappened(kind, detail));
      return null;
    };
    switch (kind) {
      case 'forceRelease': {
        const { hi, lo } = this.#pick(world.plan.units)!;
        return ask({ kind, hi, lo }, node.id);
      }
      case 'transferLeader': {
        const to = this.#pick(world.nodes)!.id;
        return ask({ kind, to }, `to ${to}`);
      }
      case 'moveUnit': {
        const { hi, lo } = this.#pick(world.plan.units)!;
        const nodeId = this.#pick(world.nodes)!.id;
        return ask({ kind, hi, lo, nodeId, shard: null }, `to ${nodeId}`);
      }
      case 'drain': {
        const draining = this.#below(3) > 0;
        const nodeId = this.#pick(world.nodes)!.id;
        return ask({ kind: 'setDraining', nodeId, draining }, `${nodeId} ${draining}`);
      }
      case 'giveUp': {
        const shard = node.shards.find(({ isEnded, partitions }) => !isEnded && partitions.length > 0);
        if (shard === undefined) return null;
        const { partitions } = shard;
        process!.receive(0, 'give up', () => shard.say({ kind: 'giveUp', partitions }));
        return node.id;
      }
      case 'topicGrows': {
        const partitions = world.log.topics[0]!.partitions + 1;
        if (partitions > 12) return null;
        world.log.setTopic('in', partitions);
        return `${partitions}`;
      }
      default:
        return world.inject(kind, node, () => this.#mayLoseVoter());
    }
  }
}

const delays: readonly Partial<Spell>[] = [
  { delayMsMin: 25, delayMsMax: 125 },
  { delayMsMin: 400, delayMsMax: 600 },
  { delayMsMin: 1, delayMsMax: 1_500 },
];
