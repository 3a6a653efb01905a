import { nodeId, type Rng, randomBelow, randomRatio } from '@holdfast/model';
import type { CommonPlan } from '../simulation/common-plan.ts';
import { faultKinds, logCutFaultKind } from '../simulation/fault-kinds.ts';

/** All that a seed decides before the first event. */
export interface Plan extends CommonPlan {
  readonly partitions: number;
  /** How long faults come; the liveness phase follows. */
  readonly faultsMs: number;
  /** Mean time between two changes of what units have records. */
  readonly wishEveryMs: number;
  /** Of commits that an earlier cluster has left in the log. */
  readonly logHighestFence: number;
}

/** A seed's kinds of faults are a part of all: rare ones get histories in which they are common. */
const kindsMin = 6;
/** One in so many histories has nodes that the log doesn't reach. */
const logCutEvery = 4;

export function drawPlan(rng: Rng): Plan {
  const between = (least: number, most: number): number => least + randomBelow(rng, most - least + 1);
  const nodes = [3, 3, 3, 4, 5][randomBelow(rng, 5)]!;
  const founders = nodes === 5 && randomBelow(rng, 2) === 0 ? 5 : 3;
  const nodeIds = Array.from({ length: nodes }, (_, i) => nodeId(`n${i + 1}`));
  const weights = new Map<string, number>();
  while (weights.size < kindsMin) {
    for (const kind of faultKinds) if (randomBelow(rng, 2) === 0) weights.set(kind, 0.2 + randomRatio(rng));
  }
  const plan = {
    nodeIds,
    founders: nodeIds.slice(0, founders),
    shardsPerNode: between(1, 2),
    units: Array.from({ length: between(6, 24) }, () => ({ hi: rng.u32(), lo: rng.u32() })),
    partitions: between(2, 7),
    faultsMs: 120_000 + randomBelow(rng, 30_000),
    faultEveryMs: between(1_500, 6_000),
    weights,
    votersLostMax: (founders - 1) / 2,
    wishEveryMs: [25, 120, 300][randomBelow(rng, 3)]!,
    compaction: { entriesMax: [20, 60, 500][randomBelow(rng, 3)]!, trailingEntries: between(0, 30) },
    lease: { boundedLoadSlack: between(1, 12) },
    clockDriftRatio: randomRatio(rng) * 0.08,
    storeHighestEpoch: between(0, 3) * 1_000_003,
    logHighestFence: between(0, 3) * 1_100_001,
  };
  if (randomBelow(rng, logCutEvery) === 0) weights.set(logCutFaultKind, 1);
  return plan;
}
