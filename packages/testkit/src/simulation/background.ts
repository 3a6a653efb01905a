import { randomBelow } from '@holdfast/model';
import { gossipRoundMs } from './simulated-gossip.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** What goes on in every cluster: tables are read, nodes that come back without their folder are let in, gossip goes round. */
export function beginBackground(world: SimulatedWorld): void {
  repeat(world, 'read', 250, () => read(world));
  repeat(world, 'forget', 2_000, () => forgetLostFolders(world));
  repeat(world, 'gossip', gossipRoundMs, () => gossip(world));
}

export function repeat(world: SimulatedWorld, name: string, everyMs: number, act: () => void): void {
  const again = (): void => {
    world.time.after(everyMs / 2 + randomBelow(world.rng, everyMs), name, () => {
      act();
      again();
    });
  };
  again();
}

export function pick<T>(world: SimulatedWorld, list: readonly T[]): T | undefined {
  return list[randomBelow(world.rng, Math.max(1, list.length))];
}

/** An operator consents: who comes back under the name of a node whose folder was lost may have the name. */
function forgetLostFolders(world: SimulatedWorld): void {
  const node = pick(world, world.upNodes);
  if (node === undefined || node.process!.isPaused) return;
  for (const { id, uuid } of world.nodes) {
    const known = node.control!.table.node(id);
    if (known === undefined || known.uuid === uuid) continue;
    node.control!.admin({ kind: 'forgetNode', nodeId: id }, 1_500).catch(() => {});
  }
}

/** Nodes that were to hold nothing may hold again. */
export function takeBack(world: SimulatedWorld): void {
  const control = world.leader?.control;
  const node =
    control === undefined || control === null ? undefined : [...control.table.nodes()].find(({ draining }) => draining);
  if (node === undefined) return;
  control!.admin({ kind: 'setDraining', nodeId: node.nodeId, draining: false }, 3_000).catch(() => {});
}

/** A linearizable read at any node, as `holdfast unit` does it. */
function read(world: SimulatedWorld): void {
  const node = pick(world, world.upNodes);
  if (node === undefined || node.process!.isPaused) return;
  const { control, process } = node;
  const unit = pick(world, world.plan.units)!;
  const askedAtIndex = world.checks.service.seenIndex;
  control!.barrier().then(
    () => {
      if (process!.isAlive) world.checks.service.onRead(node.id, control!.table, askedAtIndex, unit);
    },
    () => {},
  );
}

function gossip(world: SimulatedWorld): void {
  const { nodes, network, checks, time } = world;
  const reaches = (from: SimulatedNode['id'], to: SimulatedNode['id']): boolean => {
    const { isCut, cloggedUntilMs, lossRatio } = network.weather(from, to);
    return !isCut && cloggedUntilMs <= time.nowMs && randomBelow(world.rng, 1_000) >= lossRatio * 1_000;
  };
  const answering = nodes.map((node) => ({
    id: node.id,
    isAnswering: node.state === 'up' && !node.process!.isPaused,
    start: node.start,
    address: node.address,
  }));
  for (const id of world.gossip.round(answering, reaches)) world.node(id).setPeers();
  for (const { id, isAnswering } of answering) {
    const isClear = nodes.every((other) =>
      [network.weather(id, other.id), network.weather(other.id, id)].every(
        ({ isCut, cloggedUntilMs, lossRatio }) => !isCut && cloggedUntilMs === 0 && lossRatio === 0,
      ),
    );
    checks.views.note(id, isAnswering && isClear, time.nowMs);
  }
  for (const { id, isAnswering } of answering)
    if (isAnswering) checks.views.check(id, world.gossip.view(id), time.nowMs);
}
