import { nodeId, randomBelow, randomRatio, type SessionId } from '@holdfast/model';
import type { Holder, Ingest } from '@holdfast/processor';
import type { Actions } from './actions.ts';
import { unitOf } from './key-pool.ts';
import { breakLink, deliver, pump } from './links.ts';
import { applyNext, notice, restart, syncPartitions } from './node-life.ts';
import { commit, read } from './reading.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { act, answer, claim, mark, markEverywhere, write } from './store-calls.ts';
import { shard0, type World } from './world.ts';

/** What may happen at one node. */
export function offerNodeSteps(world: World, node: SimulatedNode, actions: Actions): void {
  const lag = world.log.records.length - node.applied;
  if (lag > 0) actions.add('apply', () => applyNext(world, node), lag);
  if (node.noticed < node.applied) actions.add('notice', () => notice(world, node));
  offerLinks(world, node, actions);
  offerCalls(world, node, actions);
  if (node.session === 0) {
    if (!node.sessionAsked) actions.add('session', () => askSession(world, node));
    return;
  }
  const { ingest, holder } = node;
  if (ingest === null || holder === null) return;
  actions.addFault('crash', () => restart(world, node));
  offerIngest(world, node, ingest, actions);
  offerHolder(world, node, holder, actions);
}

function askSession(world: World, node: SimulatedNode): void {
  node.sessionAsked = true;
  world.log.propose({
    kind: 'sessionOpened',
    nodeId: nodeId(`n${node.number}`),
    uuid: `u${node.number}`,
    counter: node.incarnation,
    shards: 1,
    addresses: ['a', 'b'],
    version: '0',
  });
}

function offerLinks(world: World, node: SimulatedNode, actions: Actions): void {
  for (const link of node.links) {
    if (link.frames.length > 0) actions.add(link.broken ? 'ghost' : 'deliver', () => deliver(world, link));
    if (link.broken) continue;
    if (link.returns.length > 0) {
      actions.add('return', () => {
        node.ingest!.onReturn(link.out, link.returns.shift()!, world.nowMs);
        pump(world, node);
      });
    }
    // The end of a stream and the news of its session's end come in either order.
    const isOver = node.table.session(link.out.id.to.session) === undefined;
    if (isOver) actions.add('end', () => breakLink(world, node, link));
    actions.addFault('break', () => breakLink(world, node, link));
  }
}

function offerCalls(world: World, node: SimulatedNode, actions: Actions): void {
  for (const call of node.calls) {
    if (call.done === null) {
      actions.add('store', () => act(world, call), 1, call.kind === 'backup' ? 'storeRow' : 'store');
      continue;
    }
    actions.add('answer', () => answer(world, node, call), 1, call.kind === 'backup' ? 'answerRow' : 'answer');
    if (call.kind === 'refused') continue;
    actions.addFault('loseReply', () => {
      call.done = null;
    });
  }
}

function offerIngest(world: World, node: SimulatedNode, ingest: Ingest, actions: Actions): void {
  syncPartitions(world, node);
  for (const [partition, held] of node.readings) {
    if (held.at < world.readable(partition) || held.number !== held.reading.reading) {
      actions.add('read', () => read(world, node, partition, held));
    }
    actions.add('commitOffset', () => commit(world, node, partition, held.reading));
  }
  if (node.readings.size > 0 && !node.calls.some(({ kind }) => kind === 'mark')) {
    actions.add('markEverywhere', () => markEverywhere(world, node));
  }
  const [output] = node.outputs;
  if (output === undefined) return;
  actions.add('publish', () => {
    node.outputs.shift();
    world.say(`n${node.number} published ${output.positions} up to ${output.number} of ${output.from}`);
    for (const position of output.positions) world.published.add(position);
    if (output.from === 'holder') node.holder!.onOutputsAcked(output.number, world.nowMs);
    else ingest.outputs.acked = output.number;
    pump(world, node);
  });
}

function endSession(world: World, session: SessionId): void {
  const isLive = [...world.log.leader.sessions()].some((each) => each.session === session);
  if (isLive) world.append({ kind: 'sessionEnded', session, reason: 'expired' });
}

/** Planned moves (PROTOCOL.md 2.2): of any units or of a named one, to a session that may end before they take effect. */
function offerMoves(world: World, node: SimulatedNode, holder: Holder, actions: Actions): void {
  const { rng, plan } = world;
  const others = [...node.table.sessions(), ...world.log.leader.sessions()].filter(
    ({ session }) => session !== node.session,
  );
  if (holder.ends.handOverLeft > 0) {
    actions.add('handOverSome', () => {
      holder.ends.handOverSome(world.nowMs, 1 + randomBelow(rng, 4), 4_096);
      pump(world, node);
    });
  }
  if (others.length === 0) return;
  const target = () => ({ session: others[randomBelow(rng, others.length)]!.session, shard: shard0 });
  const handOver = () => {
    const most = Math.max(1, world.log.leader.load(node.session, shard0));
    holder.ends.planHandOver([{ to: target(), count: 1 + randomBelow(rng, most) }], world.nowMs);
  };
  const moveUnit = () => {
    const { hi, lo } = unitOf(plan.keys[randomBelow(rng, plan.keys.length)]!);
    const to = target();
    if (!holder.ends.moveUnit(hi, lo, to, world.nowMs)) return;
    pump(world, node);
    if (plan.targetEndsRatio > 0 && randomRatio(rng) < plan.targetEndsRatio) endSession(world, to.session);
  };
  if (plan.closeWeight === 0) {
    actions.addFault('handOver', handOver);
    actions.addFault('moveUnit', moveUnit);
  } else if (!world.healing) {
    actions.addPlannedFault('handOver', plan.closeWeight / 2, handOver);
    actions.addPlannedFault('moveUnit', plan.closeWeight / 2, moveUnit);
  }
}

function offerHolder(world: World, node: SimulatedNode, holder: Holder, actions: Actions): void {
  const closeSome = () => {
    holder.ends.closeIdle(Number.POSITIVE_INFINITY, 1 + randomBelow(world.rng, 2));
    pump(world, node);
  };
  const { closeWeight } = world.plan;
  if (closeWeight === 0) actions.addFault('close', closeSome);
  else if (!world.healing && holder.unitCount > 0) actions.addPlannedFault('close', closeWeight, closeSome);
  offerMoves(world, node, holder, actions);
  actions.add('tick', () => {
    holder.checkClosed(world.nowMs);
    pump(world, node);
  });
  if (holder.claimsQueued > 0) {
    actions.add('claim', () => {
      for (const wish of holder.takeClaims(2)) claim(world, node, wish);
    });
  }
  const { settling } = node;
  const { unsettled } = holder.claimFloors;
  if (settling === null && unsettled !== null) {
    actions.add('barrier', () => {
      node.settling = { upTo: unsettled, index: world.log.records.length };
    });
  }
  if (settling !== null && node.applied >= settling.index) {
    actions.add('settle', () => {
      node.settling = null;
      holder.onTableAdvanced(world.nowMs);
      holder.claimFloors.settle(settling.upTo);
      pump(world, node);
    });
  }
  if (!holder.roundActive && holder.roundDue) actions.add('round', () => holder.beginRound());
  if (holder.rowsQueued > 0) {
    actions.add('rows', () => {
      for (const row of holder.takeRows(2, world.nowMs)) write(world, node, row);
    });
  }
  if (holder.roundActive) {
    actions.add('finish', () => {
      for (const wish of holder.finishRound(world.nowMs) ?? []) mark(world, node, wish);
      pump(world, node);
    });
  }
}
