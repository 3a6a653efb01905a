import type { ClaimWish, MarkWish, RowWish } from '@holdfast/processor';
import { fail } from '../simulation/failure.ts';
import { checkRow } from './checks.ts';
import { pump } from './links.ts';
import type { SimulatedNode, StoreCall, StoreCallKind } from './simulated-node.ts';
import { topicId, type World } from './world.ts';

function call(node: SimulatedNode, kind: StoreCallKind, run: (index: number) => () => void): void {
  const { generation, generationIndex: index } = node.table;
  node.calls.push({ kind, generation, index, incarnation: node.incarnation, run, done: null });
}

export function claim(world: World, node: SimulatedNode, wish: ClaimWish): void {
  call(node, 'claim', (index) => {
    const answer = world.store.claim(wish);
    return () => {
      if ('fenced' in answer) node.holder!.onFenced(wish, answer.fenced);
      else node.holder!.onClaimed(wish, answer.row, answer.markers, index, world.nowMs);
    };
  });
}

export function write(world: World, node: SimulatedNode, row: RowWish): void {
  world.say(`n${node.number} takes row ${row.epoch}/${row.seq} version ${row.version}`);
  call(node, 'backup', () => {
    const answer = world.store.backup(row);
    if (answer === 'ok') checkRow(world, row.row);
    return () => {
      if (answer === 'ok') node.holder!.onRowAccepted(row, world.nowMs);
      else if (answer === 'stale') fail(`5.1 stale: row ${row.epoch}/${row.seq} came after a later one of its unit`);
      else node.holder!.onFenced(row, answer.fenced);
    };
  });
}

export function mark(world: World, node: SimulatedNode, wish: MarkWish): void {
  const { bucket, slot, offset } = wish;
  const partition = node.holder!.partitions.ids[slot]!;
  world.say(`n${node.number} marks ${partition.partition} at ${offset} in ${bucket}`);
  call(node, 'mark', (index) => {
    world.store.mark({ bucket, partition, offset });
    return () => node.holder!.onMarked(wish, index);
  });
}

/** The holder of a partition's lease marks every bucket (PROTOCOL.md 5.7), or idle ones would keep a recovery back. */
export function markEverywhere(world: World, node: SimulatedNode): void {
  const ingest = node.ingest!;
  ingest.catchUp();
  for (const [partition, { reading }] of node.readings) {
    if (reading.lost) continue;
    const offset = ingest.durableWatermark(reading);
    if (offset === 0) continue;
    world.say(`n${node.number} marks ${partition} at ${offset} everywhere`);
    for (const bucket of world.plan.buckets) {
      call(node, 'mark', () => {
        world.store.mark({ bucket, partition: { topicId, partition }, offset });
        return () => {};
      });
    }
  }
}

/** The store acts on a call, or refuses it for its generation. */
export function act(world: World, call: StoreCall): void {
  if (call.generation === world.store.generation) {
    call.done = call.run(call.index);
    return;
  }
  call.done = () => {};
  call.kind = 'refused';
}

/**
 * The answer arrives. It counts for nothing when the caller is gone. When it knows a later generation by now, the holder
 * has to refuse it (5.2): a shard looks once for all answers of a call, and its table may move on between two of them.
 */
export function answer(world: World, node: SimulatedNode, call: StoreCall): void {
  node.calls.splice(node.calls.indexOf(call), 1);
  if (call.incarnation !== node.incarnation || node.holder === null) return;
  if (call.kind === 'refused') {
    if (call.generation === node.table.generation) node.calls.push({ ...call, done: null });
    return;
  }
  world.say(`n${node.number} ${call.kind} answered`);
  call.done!();
  pump(world, node);
}
