import { randomBelow } from '@holdfast/model';
import { type PartitionReading, type RecordBatch, readingChanged } from '@holdfast/processor';
import { checkCommit } from './checks.ts';
import { pump } from './links.ts';
import type { HeldReading, SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

/** Routes the next few records of a partition. */
export function read(world: World, node: SimulatedNode, partition: number, held: HeldReading): void {
  const { reading } = held;
  if (reading.lost) return;
  if (reading.reading !== held.number) {
    held.number = reading.reading;
    held.at = reading.position;
  }
  const end = Math.min(held.at + 1 + randomBelow(world.rng, 3), world.readable(partition));
  const records = world.plan.partitions[partition]!.slice(held.at, end);
  if (records.length === 0) return;
  const batch = batchOf(records, held.at);
  const next = node.ingest!.route(reading, held.number, batch, 0, world.job.newKeyLocator('in'), world.nowMs);
  world.say(`n${node.number} routes ${partition}@${held.at} ${records} -> ${next}`);
  if (next !== readingChanged) held.at += next;
  pump(world, node);
}

/** Commits a partition's durable watermark. */
export function commit(world: World, node: SimulatedNode, partition: number, reading: PartitionReading): void {
  node.ingest!.catchUp();
  if (reading.lost) return;
  const offset = node.ingest!.durableWatermark(reading);
  // A commit of a lease that is over is fenced, or may come late where the log can't fence; ours can't.
  const committed = world.committed[partition]!;
  const { generation } = node.table;
  if (committed !== null && committed.offset === offset && committed.generation === generation) return;
  if (committed !== null && committed.generation > generation) return;
  world.committed[partition] = { offset, generation };
  world.say(`n${node.number} commits ${partition} at ${offset} generation ${generation}`);
  if (node.applied >= world.log.leader.generationIndex) checkCommit(world, partition, offset);
}

function batchOf(values: readonly string[], first: number): RecordBatch {
  const bytes = Buffer.from(values.join(''));
  let at = 0;
  const starts = values.map((value) => (at += value.length) - value.length);
  return {
    count: values.length,
    bytes,
    offsets: Float64Array.from(values, (_, i) => first + i),
    timestampsUnixMs: new Float64Array(values.length).fill(Number.NaN),
    keyStarts: new Int32Array(values.length).fill(-1),
    keyEnds: new Int32Array(values.length).fill(-1),
    valueStarts: Int32Array.from(starts),
    valueEnds: Int32Array.from(values, (value, i) => starts[i]! + value.length),
    nextOffset: first + values.length,
  };
}
