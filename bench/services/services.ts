import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LogGenerator } from '@holdfast/access-anomaly';
import type { KafkaLog } from '@holdfast/stream-kafka';
import { inputTopic } from '../../test/cluster/support/cluster.ts';
import { waitFor } from '../../test/cluster/support/wait.ts';
import { ClusterOnKafka } from '../../test/services/cluster-on-kafka.ts';
import { sharesOf } from '../pipeline/cpu-profile.ts';
import { cpuSeconds } from '../pipeline/cpu-seconds.ts';
import type { Figure } from '../run.ts';

const records = Number(process.env.HOLDFAST_BENCH_RECORDS ?? 400_000);
const users = 20_000;
const partitions = 4;
/** Of an access log's line, as in the other figures. */
const recordBytes = 230;
const agentStart = '"userAgent":"';
const agentBytesMin = 8;
/** Records per append: about what a busy producer puts in a batch. */
const appendRecords = 2_000;
/** Compiled code, filled caches and known users before the clock runs. */
const warmUpRatio = 0.25;

interface Run {
  readonly measured: number;
  readonly seconds: number;
  /** CPU-seconds. */
  readonly nodes: number;
  readonly brokers: number;
  readonly redis: number;
  readonly bytesPerRecord: number;
  /** On the clock of profiles. */
  readonly fromUs: number;
  readonly profileDir: string;
  dispose(): Promise<void>;
}

/** A generated login, its user agent shortened from the front to what makes the line so long. */
function lineOf(line: Uint8Array): Uint8Array {
  const text = Buffer.from(line).toString('utf8');
  const agentAt = text.indexOf(agentStart) + agentStart.length;
  const over = Math.min(Math.max(line.length - recordBytes, 0), text.length - agentAt - agentBytesMin);
  return Buffer.from(text.slice(0, agentAt) + text.slice(agentAt + over));
}

/** Generated logins in all partitions, a user's in any of them. Their mean size. */
async function fill(log: KafkaLog): Promise<number> {
  await log.createTopic(inputTopic, partitions);
  const generator = new LogGenerator({ seed: 7, users, startUnixMs: 1_760_000_000_000, anomalies: 20 });
  let bytes = 0;
  for (let done = 0, batch = 0; done < records; done += appendRecords, batch++) {
    const lines = Array.from({ length: Math.min(appendRecords, records - done) }, () => lineOf(generator.next()!.line));
    bytes += lines.reduce((sum, { length }) => sum + length, 0);
    const values = lines.map((value) => ({ key: null, value }));
    await log.append(inputTopic, batch % partitions, values);
  }
  return bytes / records;
}

/**
 * Records lie in Kafka. The clock runs from the moment at which a quarter of them has been applied until all are applied,
 * backed up and committed.
 */
async function run(nodes: number, profiled: boolean): Promise<Run> {
  const cluster = await ClusterOnKafka.create({ nodes, partitions, backupInterval: '2s' });
  const profileDir = join(cluster.dir, 'profiles');
  try {
    const bytesPerRecord = await fill(cluster.log);
    if (profiled) mkdirSync(profileDir);
    const args = profiled ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, '--cpu-prof-interval=1000'] : [];
    for (const node of cluster.nodes) node.start(args);
    const applied = async () => Number((await cluster.status())?.totals.applied ?? 0);
    const warmUp = records * warmUpRatio;
    await waitFor('compiled code', 300_000, async () => ((await applied()) >= warmUp ? true : null), 20);
    const used = () => {
      const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + cpuSeconds(pid), 0);
      return {
        nodes: sum(cluster.nodes.map(({ pid }) => pid!)),
        brokers: sum(cluster.kafka.pids),
        redis: sum([cluster.redis.pid!]),
      };
    };
    const before = used();
    const startMs = performance.now();
    const fromUs = Number(process.hrtime.bigint() / 1_000n);
    const measured = records - (await applied());
    await cluster.waitUntilCommitted(600_000);
    const seconds = (performance.now() - startMs) / 1000;
    const after = used();
    for (const node of cluster.nodes) await node.signal('SIGTERM');
    return {
      measured,
      seconds,
      nodes: after.nodes - before.nodes,
      brokers: after.brokers - before.brokers,
      redis: after.redis - before.redis,
      bytesPerRecord,
      fromUs,
      profileDir,
      dispose: () => cluster.dispose(false),
    };
  } catch (error) {
    await cluster.dispose(false);
    throw error;
  }
}

/** The whole job on Kafka and Redis, on one node and on three, what each party costs, and where the nodes' time goes. */
export async function services(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const nodes of [1, 3]) {
    const name = nodes === 1 ? 'one-node' : 'three-nodes';
    const plain = await run(nodes, false);
    await plain.dispose();
    const { measured, seconds, bytesPerRecord } = plain;
    figures.push({ name: `${name}/throughput`, value: measured / seconds, unit: 'records/s' });
    for (const party of ['nodes', 'brokers', 'redis'] as const) {
      const value = (plain[party] / measured) * 1e6;
      figures.push({ name: `${name}/cpu/${party}`, value, unit: 'CPU-s per million records' });
    }
    const profiled = await run(nodes, true);
    figures.push(...sharesOf(name, profiled.profileDir, profiled.fromUs));
    await profiled.dispose();
    if (nodes === 1) figures.push({ name: 'record', value: bytesPerRecord, unit: 'bytes' });
  }
  return figures;
}
