import { randomBelow, randomRatio } from '@holdfast/model';
import { fail } from '../simulation/failure.ts';
import {
  runSimulation,
  type SeedOutcome,
  type Simulation,
  type SimulationResult,
} from '../simulation/simulated-run.ts';
import { withoutHost } from '../simulation/without-host.ts';
import { GossipOracle } from './oracle.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.ts';

const nodeFaults = ['crash', 'restart', 'leave', 'stall', 'meta', 'evidence'] as const;
const networkFaults = ['cut', 'oneWay', 'loss'] as const;
export const gossipFaultKinds = [...nodeFaults, ...networkFaults];
type NodeFault = (typeof nodeFaults)[number];
type NetworkFault = (typeof networkFaults)[number];

/** What views have to have shown in a run of many seeds. */
const changeKinds = ['joined', 'suspected', 'died', 'recovered', 'restarted', 'left', 'updated'];

/** One fault in so many is of the network. */
const networkFaultEvery = 4;
/** How long the network stays broken, at most: long enough for two sides to declare each other dead. */
const brokenMsMax = 15_000;
const lossWhenBroken = 0.5;
/** Time between faults, at most. Once a network is whole again for 8 s, it excuses no false death. */
const quietMsMax = 20_000;
/** After the last fault all views must be true within this: suspicion, its gossip, and two rounds of comparing tables. */
const convergeMs = 30_000;
const virtualMsMin = 120_000;

/** Runs a seed, twice if wanted. Never rejects. */
export function runSeed(
  seed: number,
  { trace, twice }: { readonly trace: boolean; readonly twice: boolean },
): Promise<SeedOutcome> {
  return runSimulation(() => new GossipSimulation(seed, trace), twice);
}

/**
 * One history of the shipped SWIM core under faults drawn from its seed, then healed. Cuts and heavy loss end one by one,
 * so that I18 (no well node declared dead) binds most of the time; I19 (nobody else raises an incarnation) and I21
 * (bounds) are looked at with each change of a view, I20 (views become the truth) at the end; packets have to fit datagrams.
 */
class GossipSimulation implements Simulation {
  readonly #cluster: VirtualCluster;
  readonly #oracle: GossipOracle;
  readonly #faults: Record<string, number> = {};
  /** Loss that this history has all the time. */
  readonly #lossRatio: number;

  constructor(seed: number, isTraced: boolean) {
    this.#cluster = new VirtualCluster({ seed, nodes: 3 + (seed % 5), useCodec: true, isTraced });
    this.#oracle = new GossipOracle(this.#cluster, fail, fail);
    const { rng, links } = this.#cluster;
    this.#lossRatio = [0, 0, 0.05, 0.2][randomBelow(rng, 4)]!;
    links.lossRatio = this.#lossRatio;
    links.duplicateRatio = [0, 0.1, 0.5][randomBelow(rng, 3)]!;
    links.delayMsMax = [2, 20, 100][randomBelow(rng, 3)]!;
  }

  get trace(): readonly string[] {
    return this.#cluster.trace.lines;
  }

  run(): Promise<SimulationResult> {
    return withoutHost(
      async () => this.#toTheEnd(),
      (error) => fail(`ASSERT: unhandled: ${error}`),
    );
  }

  #toTheEnd(): SimulationResult {
    const cluster = this.#cluster;
    const { rng } = cluster;
    cluster.startAll();
    cluster.run(5_000);
    const faults = 6 + randomBelow(rng, 12);
    for (let i = 0; i < faults || cluster.nowMs < virtualMsMin - convergeMs; i++) {
      if (randomBelow(rng, networkFaultEvery) === 0) this.#breakNetworkForAWhile();
      else this.#injectNodeFault();
      cluster.run(randomBelow(rng, quietMsMax));
    }
    // Who still stands still goes on first.
    cluster.run(Math.max(0, ...cluster.nodes.map(({ stalledUntilMs }) => stalledUntilMs - cluster.nowMs)));
    cluster.run(convergeMs);
    const difference = this.#oracle.difference();
    if (difference !== null) fail(`I20: ${difference}`);
    return this.#result();
  }

  #result(): SimulationResult {
    const { nowMs, datagrams, trace } = this.#cluster;
    const { deaths, incarnations, bounds, changes } = this.#oracle;
    deaths.countTime();
    const seen: Record<string, number> = {};
    for (const kind of changeKinds) seen[kind] = changes[kind] ?? 0;
    seen.excusedDeaths = deaths.deaths.length;
    seen.judgedSeconds = Math.round(deaths.judgedMs / 1_000);
    seen.incarnations = incarnations.looks;
    seen.bounds = bounds.looks;
    return { virtualMs: nowMs, events: datagrams, faults: this.#faults, seen, thin: null, hash: trace.hash };
  }

  /** A cut, a cut one way, or heavy loss, and half the time something else meanwhile. */
  #breakNetworkForAWhile(): void {
    const cluster = this.#cluster;
    const { rng, links } = cluster;
    const kind = networkFaults[randomBelow(rng, networkFaults.length)]!;
    this.#oracle.deaths.networkIs('broken');
    this.#break(kind);
    const brokenMs = randomBelow(rng, brokenMsMax);
    const firstMs = randomBelow(rng, brokenMs + 1);
    cluster.run(firstMs);
    if (randomBelow(rng, 2) === 0) this.#injectNodeFault();
    cluster.run(brokenMs - firstMs);
    cluster.note('heal');
    cluster.heal();
    links.lossRatio = this.#lossRatio;
    this.#oracle.deaths.networkIs('whole');
  }

  #break(kind: NetworkFault): void {
    const cluster = this.#cluster;
    const node = this.#drawNode(cluster.nodes);
    const other = this.#drawNode(cluster.nodes.filter((each) => each !== node));
    this.#count(kind, `${node.id} ${other.id}`);
    switch (kind) {
      case 'cut':
        for (const each of cluster.nodes) {
          if (each === node) continue;
          cluster.cut(node, each);
          cluster.cut(each, node);
        }
        break;
      case 'oneWay':
        cluster.cut(node, other);
        break;
      case 'loss':
        cluster.links.lossRatio = lossWhenBroken;
        break;
    }
  }

  #injectNodeFault(): void {
    const cluster = this.#cluster;
    const { rng, nodes } = cluster;
    const kind: NodeFault = nodeFaults[randomBelow(rng, nodeFaults.length)]!;
    const up = nodes.filter(({ state }) => state !== null);
    if (kind === 'restart') {
      const node = this.#drawNode(nodes);
      this.#count(kind, node.id);
      if (node.state !== null) cluster.crash(node);
      cluster.start(node);
      return;
    }
    const isEnd = kind === 'crash' || kind === 'leave';
    const seedsUp = up.filter((node) => cluster.isSeed(node));
    // A seed stays: without one, who comes anew and who remains know nothing of each other.
    const from = isEnd && seedsUp.length < 2 ? up.filter((node) => !cluster.isSeed(node)) : up;
    if (from.length === 0) return;
    const node = this.#drawNode(from);
    this.#count(kind, node.id);
    switch (kind) {
      case 'crash':
        cluster.crash(node);
        break;
      case 'leave':
        cluster.leave(node);
        break;
      case 'stall':
        cluster.stall(node, 100 + Math.round(randomRatio(rng) * 10_000));
        break;
      case 'meta':
        cluster.updateMeta(node);
        break;
      case 'evidence':
        cluster.evidence(node, this.#drawNode(nodes));
        break;
    }
  }

  #drawNode(nodes: readonly VirtualNode[]): VirtualNode {
    return nodes[randomBelow(this.#cluster.rng, nodes.length)]!;
  }

  #count(kind: NodeFault | NetworkFault, whom: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
    this.#cluster.note(`${kind} ${whom}`);
  }
}
