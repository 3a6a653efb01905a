import { LogGenerator } from '@holdfast/access-anomaly';
import { randomBelow, SeededRng } from '@holdfast/model';
import { type Cluster, inputTopic } from './cluster.ts';
import { pause } from './wait.ts';

export interface FeedPlan {
  readonly seed: number;
  readonly records: number;
  readonly users: number;
  /** The records are spread evenly over this time. */
  readonly overMs: number;
}

const batchMs = 50;

/** Appends generated logins, a user's records spread over all partitions. Resolves when all are in the log. */
export async function feed(cluster: Cluster, plan: FeedPlan): Promise<void> {
  const { seed, records, users, overMs } = plan;
  const generator = new LogGenerator({ seed, users, records, startUnixMs: 1_760_000_000_000, anomalies: 20 });
  const rng = new SeededRng(seed);
  const partitions = (await cluster.log.endOffsets(inputTopic)).length;
  const startMs = performance.now();
  for (let fed = 0; fed < records; ) {
    const due = Math.min(records, Math.ceil((records * (performance.now() - startMs + batchMs)) / overMs));
    const values: Uint8Array[][] = Array.from({ length: partitions }, () => []);
    for (; fed < due; fed++) values[randomBelow(rng, partitions)]!.push(generator.next()!.line.slice());
    for (const [partition, lines] of values.entries()) {
      if (lines.length === 0) continue;
      await cluster.log.append(
        inputTopic,
        partition,
        lines.map((value) => ({ key: null, value })),
      );
    }
    await pause(batchMs);
  }
}
