import type { AdminRequest } from '@holdfast/engine';
import { randomBelow, type Unit } from '@holdfast/model';
import { takeBack } from '../simulation/background.ts';
import { operatorAct } from '../simulation/operator-act.ts';
import type { SimulatedNode } from '../simulation/simulated-node.ts';
import { inputTopic } from './cluster-job.ts';
import type { ClusterWorld } from './cluster-world.ts';
import type { EngineShard } from './engine-shard.ts';

type Node = SimulatedNode<EngineShard>;

/** Does a fault of records' ways. @returns what was done; null when it couldn't be, or is counted when it takes effect */
export function injectRecordFault(
  world: ClusterWorld,
  kind: string,
  node: Node,
  mayLoseVoter: () => boolean,
): string | null {
  const { rng, time, log, store, streams } = world;
  const between = (least: number, most: number): number => least + randomBelow(rng, most - least + 1);
  // Some of them a session outlasts.
  const cutOffMs = (): number => (randomBelow(rng, 2) === 0 ? between(1_000, 20_000) : between(20_000, 55_000));
  const stream = (): ReturnType<typeof streams.pick> => streams.pick();
  switch (kind) {
    case 'streamBreak':
    case 'streamHalfOpen': {
      const some = stream();
      some?.sever('connection reset', kind === 'streamHalfOpen');
      return some === null ? null : describe(some);
    }
    case 'streamStall': {
      const some = stream();
      some?.stall(time.nowMs + between(500, 8_000));
      return some === null ? null : describe(some);
    }
    case 'brokerStall':
      return log.brokerStall(between(500, 10_000));
    case 'brokerDown':
      return log.brokerDown(between(1_000, 12_000));
    case 'partitionLeaderMoves':
      return log.leaderMoves(inputTopic);
    case 'logReplyLost':
      log.repliesLostUntilMs = time.nowMs + between(2_000, 10_000);
      return '';
    case 'offsetsRewound':
      return log.rewind(between(1, 500));
    case 'offsetsLost':
      return log.rewind(null);
    case 'storeSlow':
      store.slowUntilMs = time.nowMs + between(2_000, 15_000);
      store.slowMs = between(20, 900);
      return `${store.slowMs} ms`;
    case 'storeFrozen':
      store.frozenUntilMs = time.nowMs + between(500, 15_000);
      return '';
    case 'storeLossy':
      store.lossyUntilMs = time.nowMs + between(2_000, 15_000);
      return '';
    case 'storeCutOff':
      store.cutOff.set(node.id, time.nowMs + cutOffMs());
      return node.id;
    case 'brokersCutOff':
      log.cutOff.set(node.id, time.nowMs + cutOffMs());
      return node.id;
    case 'storeFailover':
      return store.failOver(() => true);
    case 'storeBucketsLost': {
      const part = randomBelow(rng, 4);
      return store.failOver((bucket) => bucket % 4 === part);
    }
    case 'storeSplit':
      return splitStore(world, cutOffMs());
    case 'shardPaused': {
      const shard = node.shards[randomBelow(rng, node.shards.length)];
      if (shard === undefined || shard.isEnded) return null;
      shard.thread.pause(between(100, 14_000));
      return `${node.id}/${shard.index}`;
    }
    case 'rollingRestart':
      return world.upNodes.length === 0 ? null : rollingRestart(world, [...world.nodes]);
    case 'drainShortly':
      return drainShortly(world, node, between(2_000, 12_000));
    case 'retireNode':
      return mayLoseVoter() ? retire(world, node) : null;
    case 'moveHotUnit':
      moveHotUnit(world, node, () => world.faultHappened(kind, `to ${node.id}`));
      return null;
    case 'forceHotUnit': {
      const unit = pickHeld(world);
      if (unit === undefined) return null;
      const { hi, lo } = unit;
      ask(world, { kind: 'forceRelease', hi, lo }, () => world.faultHappened(kind, ''));
      return null;
    }
    default:
      throw new Error(`no such fault: ${kind}`);
  }
}

function describe({
  settings,
}: {
  readonly settings: { readonly from: { nodeId: string }; readonly to: { nodeId: string } };
}): string {
  return `${settings.from.nodeId} > ${settings.to.nodeId}`;
}

/** Some nodes don't hear of a failover, and soon one of them may lead. */
function splitStore(world: ClusterWorld, durationMs: number): string | null {
  const { rng, time, store } = world;
  const behind = world.nodes.filter(() => randomBelow(rng, 2) === 0).map(({ id }) => id);
  const [to] = behind;
  if (to === undefined) return null;
  if (randomBelow(rng, 2) === 0) {
    time.after(durationMs * 0.6, 'lead', () => world.isHealing || ask(world, { kind: 'transferLeader', to }));
  }
  // Two lives that the log knows neither of: it may follow the one that stays behind, and give up the one that remains.
  const before = randomBelow(rng, 2) === 0 ? `${store.failOver(() => true)}; ` : '';
  return before + store.split(behind, time.nowMs + durationMs);
}

/** One node after the other stops in good order and comes back, as for an upgrade. */
function rollingRestart(world: ClusterWorld, left: Node[]): string {
  const node = left.shift();
  if (node === undefined || world.isHealing) return '';
  const next = (delayMs: number): void => world.time.after(delayMs, 'next restart', () => rollingRestart(world, left));
  if (node.state !== 'up') {
    next(1);
    return '';
  }
  node.stop(8_000 + randomBelow(world.rng, 12_000), () => {
    world.restartLater(node, 100 + randomBelow(world.rng, 1_500));
    next(randomBelow(world.rng, 6_000));
  });
  return '';
}

/** An operator asks at some node. @returns whether there is one */
function ask(world: ClusterWorld, request: AdminRequest, onDone: () => void = () => {}): boolean {
  const able = world.upNodes.filter(({ process }) => !process!.isPaused);
  const node = able[randomBelow(world.rng, Math.max(1, able.length))];
  if (node === undefined) return false;
  operatorAct(node, request, onDone);
  return true;
}

function drainShortly(world: ClusterWorld, node: Node, durationMs: number): null {
  const isAsked = ask(world, { kind: 'setDraining', nodeId: node.id, draining: true }, () =>
    world.faultHappened('drainShortly', `${node.id} for ${durationMs} ms`),
  );
  if (!isAsked) return null;
  world.time.after(durationMs, 'drained', () => {
    if (!world.isHealing) ask(world, { kind: 'setDraining', nodeId: node.id, draining: false });
    else takeBack(world);
  });
  return null;
}

/** Drained, stopped and taken out of the members; a new machine comes later under its name. */
function retire(world: ClusterWorld, node: Node): null {
  if (node.state !== 'up' || !ask(world, { kind: 'setDraining', nodeId: node.id, draining: true })) return null;
  world.time.after(2_000 + randomBelow(world.rng, 6_000), 'retire', () => {
    if (world.isHealing || node.state !== 'up') return;
    node.stop(15_000, () => {
      world.faultHappened('retireNode', node.id);
      node.loseFolder();
      const { start } = node;
      const remove = (left: number): void => {
        if (left === 0 || node.state !== 'down' || node.start !== start || world.isHealing) return;
        ask(world, { kind: 'removeMember', nodeId: node.id });
        world.time.after(1_500, 'remove member', () => remove(left - 1));
      };
      remove(5);
      world.restartLater(node, 5_000 + randomBelow(world.rng, 15_000));
    });
  });
  return null;
}

/** A unit that is held, rather one that has many records. */
function pickHeld({ rng, plan, leader }: ClusterWorld): Unit | undefined {
  const held = plan.units.filter(({ hi, lo }) => leader?.control?.table.get(hi, lo) != null);
  return held[Math.min(randomBelow(rng, 4), randomBelow(rng, Math.max(1, held.length)))];
}

/** A unit that is held goes to a node of the operator's choice. @param onDone it is on its way */
export function moveHotUnit(world: ClusterWorld, to: Node, onDone: () => void): void {
  const unit = pickHeld(world);
  if (unit === undefined) return;
  ask(world, { kind: 'moveUnit', hi: unit.hi, lo: unit.lo, nodeId: to.id, shard: null }, onDone);
}
