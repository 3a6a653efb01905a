import { isTrueView } from './checkers/views-become-true.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Once faults have stopped, everything is in order within this time: a dead session's 13.2 s, and twice as much again. */
export const recoveryMsMax = 45_000;
/** And then it stays so. */
export const calmMs = 12_000;

/**
 * Silence from before the healing has its effect by then, if it has one: a leader looks for its quorum once in an election
 * timeout, of what it heard in the last one, and followers stand for election after two.
 */
const silenceMsMax = 2_000;
/** Renewals come every 3 s. */
const renewalAgeMsMax = 4_500;

/** Ends all faults, and brings back who can come back. */
export function heal(world: SimulatedWorld): void {
  world.isHealing = true;
  world.healedAtMs = world.time.nowMs;
  world.say(() => 'HEAL');
  world.network.heal();
  world.store.downUntilMs = 0;
  for (const node of world.nodes) {
    node.disk.writesFailUntilMs = 0;
    node.disk.syncsFailUntilMs = 0;
    node.disk.slowUntilMs = 0;
    node.diesWriting = false;
    node.diesVoting = false;
    node.process?.resume();
    for (const shard of node.shards) shard.isStuck = false;
    node.begin();
  }
}

/** Whether what was before the healing may still bring about something; null when not. */
export function whatOutlasts(world: SimulatedWorld): string | null {
  return world.time.nowMs - world.healedAtMs < silenceMsMax ? 'the faults ended just now' : null;
}

/** What keeps the control planes from being in order; null when nothing does. */
export function whatControlMisses(world: SimulatedWorld): string | null {
  const { upNodes, plan } = world;
  if (upNodes.length < world.nodes.length) return `${world.nodes.length - upNodes.length} nodes aren't up`;
  const leaders = upNodes.filter(({ control }) => control!.isLeader);
  if (leaders.length !== 1) return `${leaders.length} nodes lead`;
  const [leader] = leaders;
  const { table } = leader!.control!;
  const { voters, votersOutgoing, learners, transferee } = leader!.control!.status().raft;
  // Ordered before the healing, it may still be on its way to a slow disk.
  if (transferee !== null) return `leadership goes to ${transferee}`;
  if (votersOutgoing.length > 0) return 'a change of the members is under way';
  const members = [...voters, ...learners].sort().join();
  if (members !== [...plan.nodeIds].sort().join()) return `the members are ${members}`;
  if (voters.length < plan.founders.length)
    return `${voters.length} of ${plan.founders.length} wanted nodes have a vote`;
  const { lastIndex } = world.checks.log;
  for (const { id, control } of upNodes) {
    if (control!.leadership.leader !== leader!.id) return `${id} follows ${control!.leadership.leader}`;
    const { renewedAgoMs } = control!.status().session;
    if (control!.session === null || renewedAgoMs === null) return `${id} has no session`;
    // Else its session may still end of what was before.
    if (renewedAgoMs > renewalAgeMsMax) return `${id} hasn't renewed its session for ${renewedAgoMs} ms`;
    if (control!.table.tableIndex !== lastIndex) return `the table of ${id} is behind`;
  }
  if ([...table.nodes()].some(({ draining }) => draining)) return 'a node is draining';
  const sessions = [...table.sessions()];
  if (sessions.length !== upNodes.length) return `${sessions.length} sessions live, for ${upNodes.length} nodes`;
  for (const { topicId, partitions, topic } of table.topics()) {
    if (partitions !== world.log.topics.find((info) => info.topic === topic)?.partitions) return `${topic} isn't known`;
    for (const [partition, lease] of table.partitionLeases(topicId).entries()) {
      if (lease === null) return `partition ${partition} of ${topic} has no reader`;
    }
  }
  if (table.storeGeneration !== world.store.generationId) return `the log says ${table.storeGeneration}`;
  const truth = new Map(world.nodes.map(({ id, state, address }) => [id, state === 'up' ? address : null]));
  for (const { id } of upNodes) {
    if (!isTrueView(id, world.gossip.view(id), truth)) return `I20: the view of ${id} isn't true`;
  }
  return null;
}
