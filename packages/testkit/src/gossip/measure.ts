import { assert, randomBelow, randomRatio } from '@holdfast/model';
import { GossipOracle } from './oracle.ts';
import { VirtualCluster, type VirtualClusterOptions, type VirtualNode } from './virtual-cluster.ts';

/**
 * How a starved process runs. `strobe`: 100 ms on, 100 ms off. `quota`: 5 ms of every 100, as under a CPU quota of 5 %,
 * with every event waiting for it. `pauses`: runs for 20 to 200 ms, then stands still for 0.4 s on average, 2.5 s at most.
 */
export type Starvation = 'none' | 'strobe' | 'quota' | 'pauses';

export interface QuietRun {
  readonly virtualHours: number;
  /** Verdicts about members that were up and not starved. */
  readonly falseDeaths: number;
  /** Of them, those in the starved node's own view. */
  readonly falseDeathsAtStarved: number;
  /** Of the starved node, in the others' views. */
  readonly deathsOfStarved: number;
  readonly suspicions: number;
  readonly datagramsPerNodeSecond: number;
}

export interface QuietOptions extends VirtualClusterOptions {
  readonly virtualMs: number;
  readonly lossRatio?: number;
  readonly starvation?: Starvation;
}

/** Nobody dies: every verdict is false. With starvation, the first node is the starved one. */
export function measureQuiet(options: QuietOptions): QuietRun {
  const { virtualMs, lossRatio = 0, starvation = 'none' } = options;
  const cluster = new VirtualCluster(options);
  const oracle = new GossipOracle(cluster);
  cluster.links.lossRatio = lossRatio;
  cluster.startAll();
  cluster.run(5_000);
  const starved = starvation === 'none' ? null : cluster.nodes[0]!;
  if (starved !== null) starve(cluster, starved, starvation);
  cluster.run(virtualMs);
  const healthy = oracle.falseDeaths.filter(({ member }) => member !== starved);
  return {
    virtualHours: virtualMs / 3_600_000,
    falseDeaths: healthy.length,
    falseDeathsAtStarved: healthy.filter(({ observer }) => observer === starved).length,
    deathsOfStarved: oracle.falseDeaths.length - healthy.length,
    suspicions: cluster.stats().suspicions,
    datagramsPerNodeSecond: cluster.datagrams / options.nodes / (cluster.nowMs / 1000),
  };
}

function starve(cluster: VirtualCluster, node: VirtualNode, kind: Starvation): void {
  const { rng, queue } = cluster;
  const cycle = () => {
    const [runMs, stopMs] =
      kind === 'strobe'
        ? [100, 100]
        : kind === 'quota'
          ? [5, 95]
          : [20 + 180 * randomRatio(rng), Math.min(2_500, -400 * Math.log(1 - randomRatio(rng)))];
    queue.at(cluster.nowMs + runMs, () => {
      cluster.stall(node, stopMs);
      queue.at(cluster.nowMs + stopMs, cycle);
    });
  };
  cycle();
}

export interface DetectionRun {
  readonly kills: number;
  /** Milliseconds from the kill until the first of the others showed it dead, and until all did; sorted. */
  readonly firstMs: readonly number[];
  readonly allMs: readonly number[];
  readonly falseDeaths: number;
}

export interface DetectionOptions extends VirtualClusterOptions {
  readonly kills: number;
  readonly lossRatio?: number;
  /** The others see their connections to it refused this long after the kill; default: never. */
  readonly evidenceMs?: number;
}

/** Kills nodes one after another, each at a random moment, and starts them again. */
export function measureDetection(options: DetectionOptions): DetectionRun {
  const { kills, lossRatio = 0, evidenceMs } = options;
  const cluster = new VirtualCluster(options);
  const oracle = new GossipOracle(cluster);
  cluster.links.lossRatio = lossRatio;
  cluster.startAll();
  cluster.run(10_000);
  const firstMs: number[] = [];
  const allMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    cluster.run(2_000 + randomBelow(cluster.rng, 2_000));
    const victim = cluster.nodes[randomBelow(cluster.rng, cluster.nodes.length)]!;
    const observers = cluster.nodes.filter((node) => node !== victim);
    const seenMs = new Map<VirtualNode, number>();
    const startMs = cluster.nowMs;
    cluster.crash(victim);
    if (evidenceMs !== undefined) {
      for (const observer of observers)
        cluster.queue.at(startMs + evidenceMs, () => cluster.evidence(observer, victim));
    }
    while (seenMs.size < observers.length) {
      assert(cluster.nowMs - startMs < 120_000, `${victim.id} is not found dead within two minutes`);
      cluster.run(50);
      for (const observer of observers) {
        const isDead = observer.state!.view.members.get(victim.id)?.state === 'dead';
        if (isDead && !seenMs.has(observer)) seenMs.set(observer, cluster.nowMs - startMs);
      }
    }
    firstMs.push(Math.min(...seenMs.values()));
    allMs.push(Math.max(...seenMs.values()));
    cluster.start(victim);
    for (let i = 0; oracle.difference() !== null; i++) {
      assert(i < 600, `${victim.id} is not seen again: ${oracle.difference()}`);
      cluster.run(100);
    }
  }
  const byValue = (a: number, b: number) => a - b;
  return { kills, firstMs: firstMs.sort(byValue), allMs: allMs.sort(byValue), falseDeaths: oracle.falseDeaths.length };
}

/** Of sorted values, not empty. */
export function percentile(sorted: readonly number[], ratio: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(ratio * sorted.length) - 1)]!;
}
