import { LogGenerator } from '@holdfast/access-anomaly';
import type { Log } from '@holdfast/engine';
import { randomBelow, SeededRng } from '@holdfast/model';
import { inputTopic } from './cluster.ts';
import { pause } from './wait.ts';

export interface FeedPlan {
  readonly seed: number;
  readonly records: number;
  readonly users: number;
  /** The records are spread evenly over this time. */
  readonly overMs: number;
  /** Goes on at a quarter of the pace until it is resolved. */
  readonly atLeastUntil?: Promise<unknown>;
  /** Ends as soon as this is resolved, whatever is left. */
  readonly atMostUntil?: Promise<unknown>;
}

const batchMs = 50;

/** Appends generated logins, a user's records spread over all partitions. Resolves, with their number, when all are in the log. */
export async function feed(
  cluster: { readonly log: Pick<Log, 'append' | 'endOffsets'> },
  plan: FeedPlan,
): Promise<number> {
  const { seed, records, users, overMs, atLeastUntil = Promise.resolve() } = plan;
  let tooMuch = false;
  void plan.atMostUntil?.finally(() => {
    tooMuch = true;
  });
  let enough = false;
  void atLeastUntil.finally(() => {
    enough = true;
  });
  const generator = new LogGenerator({ seed, users, startUnixMs: 1_760_000_000_000, anomalies: 20 });
  const rng = new SeededRng(seed);
  const partitions = (await cluster.log.endOffsets(inputTopic)).length;
  const perMs = records / overMs;
  const startMs = performance.now();
  let fed = 0;
  while (!tooMuch && (fed < records || !enough)) {
    const elapsedMs = performance.now() - startMs + batchMs;
    const due =
      Math.min(records, Math.ceil(perMs * elapsedMs)) + Math.ceil((perMs / 4) * Math.max(elapsedMs - overMs, 0));
    const values: Uint8Array[][] = Array.from({ length: partitions }, () => []);
    for (; fed < (enough ? Math.min(due, records) : due); fed++) {
      values[randomBelow(rng, partitions)]!.push(generator.next()!.line.slice());
    }
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
  return fed;
}
