import { randomBelow } from '@holdfast/model';
import { fail } from '../simulation/failure.ts';
import { checkLeaseEnd } from './checks.ts';
import type { Link, SimulatedNode } from './simulated-node.ts';
import { shard0, type World } from './world.ts';

/** Moves what a shard moves at once: wanted streams, frames and returns onto links, proposals, outputs. */
export function pump(world: World, node: SimulatedNode): void {
  const { ingest, holder } = node;
  if (ingest === null || holder === null) return;
  ingest.retryParked(world.nowMs);
  ingest.flushAged(world.nowMs, world.healing ? 3 : world.plan.flushAgeMs);
  for (const to of ingest.takeWantedStreams()) {
    const target = world.nodes.find((other) => other.session === to.session);
    if (target === undefined || target.holder === null) continue;
    const out = ingest.openStream(to);
    const inn = target.holder.openStream(out.id);
    if (inn === null) fail('ASSERT: a stream was not accepted');
    node.links.push({ out, inn, frames: [], returns: [], broken: false, toNode: target.number });
  }
  for (const link of node.links) link.frames.push(...link.out.outbox.splice(0));
  for (const { stream, returns } of holder.takeReturns()) {
    for (const other of world.nodes) other.links.find(({ inn }) => inn === stream)?.returns.push(...returns);
  }
  propose(world, node);
  takeOutputs(node);
}

/** Grants that the ingest asks for, to any live node; ends of leases that the holder asks for, as release or move. */
function propose(world: World, node: SimulatedNode): void {
  const { rng, log } = world;
  const acquires = node.ingest!.takeAcquires();
  if (acquires !== null) {
    const live = world.nodes.filter((other) => other.session !== 0);
    const to = live[randomBelow(rng, live.length)]!;
    log.propose({ kind: 'granted', session: to.session, shard: shard0, units: acquires });
  }
  for (const { hi, lo, epoch, to: wanted } of node.holder!.ends.takeEnds(world.nowMs)) {
    checkLeaseEnd(world, node, hi, lo);
    const units = Uint32Array.of(hi, lo);
    // Idle units are released as well as moved to anybody: the leader may choose.
    const to = wanted?.session ?? world.nodes[randomBelow(rng, world.nodes.length)]!.session;
    if (wanted === null && (randomBelow(rng, 2) === 0 || to === 0)) {
      log.propose({ kind: 'released', units, epochs: Float64Array.of(epoch) });
    } else {
      log.propose({ kind: 'moved', units, fromEpochs: Float64Array.of(epoch), toSession: to, toShard: shard0 });
    }
  }
}

function takeOutputs(node: SimulatedNode): void {
  for (const from of ['holder', 'ingest'] as const) {
    const taken = from === 'holder' ? node.holder!.outputs.take(100) : node.ingest!.outputs.take(100);
    if (taken.length === 0) continue;
    const positions = taken.map(({ topic, headers }) =>
      topic === 'dead' ? `dead ${headers.partition}/${headers.offset}` : headers.id!,
    );
    node.outputs.push({ number: taken.at(-1)!.number, positions, from });
  }
}

/** The ingest gives a stream up: its returns are lost, and any number of the last frames under way. */
export function breakLink(world: World, node: SimulatedNode, link: Link): void {
  link.broken = true;
  link.returns.length = 0;
  link.frames.length -= randomBelow(world.rng, link.frames.length + 1);
  node.ingest?.onStreamEnd(link.out);
}

/** The oldest frame under way arrives. */
export function deliver(world: World, link: Link): void {
  const target = world.nodes[link.toNode]!;
  const frame = link.frames.shift()!;
  if (target.holder === null || target.session !== link.out.id.to.session) return;
  const problem = target.holder.onFrame(link.inn, frame, world.nowMs);
  if (problem !== null) fail(`ASSERT: a frame was not taken: ${problem}`);
  const { from, incarnation } = link.out.id;
  world.say(
    `n${target.number} takes frame ${frame.number} of ${from.session}#${incarnation}: ${frame.count} of ` +
      `${frame.partition.partition} from ${frame.baseOffset}, index ${frame.tableIndex}, durable ${frame.durableWatermark}`,
  );
  if (link.broken && link.frames.length === 0) target.holder.closeStream(link.inn);
  pump(world, target);
}
