import { randomBelow, type SessionId } from '@holdfast/model';
import { defaultRecordLimits, Holder, Ingest } from '@holdfast/processor';
import { breakLink, pump } from './links.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { shard0, topicId, type World } from './world.ts';

/** The control thread puts the next record of the log into the node's table. The shard sees it, but isn't told yet. */
export function applyNext(world: World, node: SimulatedNode): void {
  const record = world.log.records[node.applied]!;
  const index = ++node.applied;
  node.table.replay(record, index);
  node.table.publishIndex(index);
  world.say(`n${node.number} applies ${index}`);
  if (record.kind !== 'sessionOpened' || record.nodeId !== `n${node.number}`) return;
  if (record.counter !== node.incarnation) return;
  node.session = index as SessionId;
  open(world, node);
}

/** The shard is told that the table has moved; or it learns that its session is over, and ends. */
export function notice(world: World, node: SimulatedNode): void {
  node.noticed = node.applied;
  if (node.session !== 0 && node.table.session(node.session) === undefined) {
    world.say(`n${node.number}: session over`);
    restart(world, node);
    return;
  }
  if (node.ingest === null) return;
  world.say(`n${node.number} notices ${node.applied}`);
  node.holder!.onTableAdvanced(world.nowMs);
  node.ingest.onTableAdvanced(world.nowMs);
  syncPartitions(world, node);
  pump(world, node);
}

function open(world: World, node: SimulatedNode): void {
  const options = {
    self: { session: node.session, shard: shard0 },
    job: world.job,
    leases: node.reader,
    deadLetterTopic: 'dead',
    limits: {
      ...defaultRecordLimits,
      frameRecordsMax: world.plan.frameRecordsMax,
      framesInFlightMax: 4,
      // Every second node joins frames as soon as it may.
      undurableRunsMax: node.number % 2 === 0 ? 2 : defaultRecordLimits.undurableRunsMax,
      parkedRecordsMax: 8,
      acquireRetryMs: 25,
      refusedRetryMs: 3,
      releaseRetryMs: world.plan.releaseRetryMs,
      moveAsksMax: world.plan.moveAsksMax,
    },
    counters: world.counters,
  };
  node.ingest = new Ingest(options);
  node.holder = new Holder(options);
}

/** Starts and ends readings as the leases of partitions say (PROTOCOL.md 2.4, 3.1). */
export function syncPartitions(world: World, node: SimulatedNode): void {
  world.plan.partitions.forEach((_, partition) => {
    const lease = node.table.partitionLease(topicId, partition);
    const mine = lease != null && lease.session === node.session;
    const held = node.readings.get(partition);
    if (held !== undefined && (!mine || lease.epoch !== held.epoch || held.reading.lost)) {
      node.ingest!.losePartition(held.reading);
      node.readings.delete(partition);
    }
    if (!mine || node.readings.has(partition)) return;
    const start = startOf(world, node, partition);
    if (start === null) return;
    const { generationIndex } = node.table;
    const reading = node.ingest!.startPartition('in', { topicId, partition }, lease.epoch, start, generationIndex);
    if (reading === null) return;
    world.say(`n${node.number} starts ${partition} at ${start}`);
    node.readings.set(partition, { reading, number: reading.reading, at: start, epoch: lease.epoch });
  });
}

/** Null while the store doesn't tell its markers: it is of another generation than the node knows. */
function startOf(world: World, node: SimulatedNode, partition: number): number | null {
  const { generation } = node.table;
  const committed = world.committed[partition]!;
  if (committed === null && generation === 1) return 0;
  if (committed?.generation === generation) return committed.offset;
  if (world.store.generation !== generation) return null;
  return world.store.leastMarker({ topicId, partition }, world.plan.buckets);
}

/** The process is gone, and starts again without anything but its log. */
export function restart(world: World, node: SimulatedNode): void {
  for (const link of node.links) world.nodes[link.toNode]!.holder?.closeStream(link.inn);
  // Others may hear of it at once, or not before the table shows the session's end.
  for (const other of world.nodes) {
    if (other === node || randomBelow(world.rng, 2) === 0) continue;
    for (const link of other.links) if (!link.broken && link.toNode === node.number) breakLink(world, other, link);
  }
  node.ingest = null;
  node.holder = null;
  node.session = 0 as SessionId;
  node.sessionAsked = false;
  node.links = [];
  node.outputs = [];
  node.readings.clear();
  node.settling = null;
  node.incarnation++;
}
