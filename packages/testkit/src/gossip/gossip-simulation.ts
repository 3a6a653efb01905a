import { assert, randomBelow, randomRatio } from '@holdfast/model';
import { GossipOracle } from './oracle.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.ts';

export const gossipFaultKinds = [
  'crash',
  'restart',
  'leave',
  'stall',
  'cut',
  'oneWay',
  'loss',
  'meta',
  'evidence',
] as const;
type FaultKind = (typeof gossipFaultKinds)[number];

export interface GossipSeedResult {
  readonly faults: Readonly<Record<string, number>>;
  readonly changes: Readonly<Record<string, number>>;
  readonly falseDeaths: number;
  readonly virtualMs: number;
  readonly traceHash: number;
}

/** After the last fault all views must be true within this: suspicion, its gossip, and two rounds of comparing tables. */
const convergeMs = 30_000;

/**
 * One history of a cluster under faults drawn from its seed, then healed. Checks I18 (no well node declared dead), I19
 * (nobody else raises an incarnation), I20 (views become the truth), I21 (bounds), and that packets fit their datagrams.
 * @throws on a broken invariant, with the seed
 */
export function runGossipSeed(seed: number): GossipSeedResult {
  try {
    return new GossipSimulation(seed).run();
  } catch (error) {
    throw new Error(`gossip seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

class GossipSimulation {
  readonly #cluster: VirtualCluster;
  readonly #oracle: GossipOracle;
  readonly #faults: Record<string, number> = {};
  /** Loss that this history has all the time. */
  readonly #lossRatio: number;

  constructor(seed: number) {
    this.#cluster = new VirtualCluster({ seed, nodes: 3 + (seed % 5), useCodec: true });
    this.#oracle = new GossipOracle(this.#cluster);
    const { rng, links } = this.#cluster;
    this.#lossRatio = [0, 0, 0.05, 0.2][randomBelow(rng, 4)]!;
    links.lossRatio = this.#lossRatio;
    links.duplicateRatio = [0, 0.1, 0.5][randomBelow(rng, 3)]!;
    links.delayMsMax = [2, 20, 100][randomBelow(rng, 3)]!;
  }

  run(): GossipSeedResult {
    const { rng } = this.#cluster;
    this.#cluster.startAll();
    this.#cluster.run(5_000);
    const faults = 4 + randomBelow(rng, 12);
    for (let i = 0; i < faults; i++) {
      this.#inject(gossipFaultKinds[randomBelow(rng, gossipFaultKinds.length)]!);
      this.#cluster.run(randomBelow(rng, 15_000));
      this.#checkI18();
    }
    this.#heal();
    this.#cluster.run(convergeMs);
    this.#checkI18();
    const difference = this.#oracle.difference();
    assert(difference === null, `I20: ${difference}`);
    const { nowMs, traceHash } = this.#cluster;
    const { changes, falseDeaths } = this.#oracle;
    return { faults: this.#faults, changes, falseDeaths: falseDeaths.length, virtualMs: nowMs, traceHash };
  }

  #checkI18(): void {
    const death = this.#oracle.unexcused();
    assert(
      death === undefined,
      `I18: ${death?.observer.id} declared ${death?.member.id} dead at ${death?.atMs.toFixed(0)} ms`,
    );
  }

  #inject(kind: FaultKind): void {
    const { rng, nodes } = this.#cluster;
    const up = nodes.filter(({ state }) => state !== null);
    const node = nodes[randomBelow(rng, nodes.length)]!;
    const other = nodes[randomBelow(rng, nodes.length)]!;
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
    this.#cluster.note(`${kind} ${node.id} ${other.id}`);
    switch (kind) {
      case 'crash':
        if (up.length > 1) this.#cluster.crash(node);
        break;
      case 'restart':
        if (node.state !== null) this.#cluster.crash(node);
        this.#cluster.start(node);
        break;
      case 'leave':
        if (up.length > 1 && node.state !== null) this.#cluster.leave(node);
        break;
      case 'stall':
        if (node.state !== null) this.#cluster.stall(node, 100 + randomBelow(rng, 10_000));
        break;
      case 'cut':
        this.#cutApart(node);
        break;
      case 'oneWay':
        if (node !== other) this.#cluster.cut(node, other);
        this.#oracle.lastCutMs = Number.POSITIVE_INFINITY;
        break;
      case 'loss':
        this.#cluster.links.lossRatio = randomRatio(rng) < 0.5 ? 0.5 : this.#lossRatio;
        if (this.#cluster.links.lossRatio > 0.2) this.#oracle.lastCutMs = Number.POSITIVE_INFINITY;
        break;
      case 'meta':
        this.#cluster.updateMeta(node);
        break;
      case 'evidence':
        this.#cluster.evidence(node, other);
        break;
    }
  }

  #cutApart(node: VirtualNode): void {
    for (const other of this.#cluster.nodes) {
      if (other === node) continue;
      this.#cluster.cut(node, other);
      this.#cluster.cut(other, node);
    }
    this.#oracle.lastCutMs = Number.POSITIVE_INFINITY;
  }

  #heal(): void {
    this.#cluster.heal();
    this.#cluster.links.lossRatio = this.#lossRatio;
    const endMs = Math.max(...this.#cluster.nodes.map(({ stalledUntilMs }) => stalledUntilMs), this.#cluster.nowMs);
    this.#cluster.run(endMs - this.#cluster.nowMs);
    if (this.#oracle.lastCutMs === Number.POSITIVE_INFINITY) this.#oracle.lastCutMs = this.#cluster.nowMs;
  }
}
